"""What a network computes, in the order it runs: its layers, and the joins behind their branches."""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, Network, PlacedLayer, nodes
from cnnspec.record import Record


class PlacedJoin(Record):
    """A combinator that makes one tensor of its branches' outputs. `path` is that of the module it stands in, empty
    for the model; `side` tells that it belongs to a side output (`aux`), which runs only in training."""

    path: str
    node: CombineNode
    side: bool


Step = PlacedLayer | PlacedJoin


def steps(network: Network) -> Iterator[Step]:
    return _steps(network.root.items, "", False)


def _steps(items: tuple[Item, ...], path: str, side: bool) -> Iterator[Step]:
    prefix = f"{path}." if path else ""
    for node in nodes(items):
        if isinstance(node, LayerNode):
            yield PlacedLayer(prefix + node.key, node, side)
        elif isinstance(node, GroupNode):
            yield from _steps(node.items, prefix + node.key, side)
        else:
            for branch in node.branches:
                yield from _steps(branch, path, side or node.kind == "aux")
            if joins(node):
                yield PlacedJoin(path, node, side)


def joins(node: CombineNode) -> bool:
    """Whether it computes something: `aux` and a `residual` that is switched off pass on what they have."""
    return bool(node.options["when"]) if node.kind == "residual" else node.kind != "aux"
