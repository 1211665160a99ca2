"""A network as the tree that is compared: layers, groups and joins, each with what it costs and what it sees."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property

from cnnspec.analysis.field import Field, start
from cnnspec.layers.base import Layer, Shape
from cnnspec.network.model import BlockUse, CombineNode, GroupNode, Item, LayerNode, Node, nodes
from cnnspec.network.values import canonical
from cnnspec.report.summary import JoinSummary, LayerSummary, Summary
from cnnspec.report.written import block_text, layer_text

Branch = tuple["Part", ...]


class Part:
    """A layer, a group or a join at its place. `path` is its name in the `state_dict`; that of the module around it for
    a join, which has none. `branches` is what is inside: one chain for a group, one for each branch of a join.

    `residual` is an `add` with an empty second branch, and nothing at all where it is switched off. Two parts are equal
    when they are the same object."""

    def __init__(
        self,
        path: str,
        node: Node,
        branches: tuple[Branch, ...],
        before: Field,
        measured: LayerSummary | JoinSummary | None,
    ) -> None:
        self.path, self.node, self.branches, self.before, self.measured = path, node, branches, before, measured

    @property
    def key(self) -> str:
        return "" if isinstance(self.node, CombineNode) else self.node.key

    @property
    def label(self) -> str:
        """The key where it was written, empty where it is a position."""
        return "" if isinstance(self.node, CombineNode) or not self.node.labelled else self.node.key

    @cached_property
    def layer(self) -> Layer | None:
        return self.node.layer if isinstance(self.node, LayerNode) else None

    @cached_property
    def weight(self) -> float:
        """How much there is to have in common: a person looks at what multiplies first, then at what learns."""
        if not self.layer:
            return 0.5 + sum(part.weight for part in self.inside)
        if self.layer.multiplies_at != "nothing":
            return 3.0
        return 1.5 if "affine" in self.layer.__fields__ else 1.0

    @property
    def block(self) -> BlockUse | None:
        return self.node.block if isinstance(self.node, GroupNode) else None

    @property
    def input(self) -> Shape:
        return self.node.input

    @property
    def output(self) -> Shape:
        return self.node.output

    @cached_property
    def word(self) -> str:
        """`conv`, `Basic`, `add`; empty for braces."""
        if isinstance(self.node, LayerNode):
            return self.node.layer.word
        return _join_kind(self.node) if isinstance(self.node, CombineNode) else _block_name(self.node)

    @cached_property
    def text(self) -> str:
        """As it is written in a spec, without what arrives."""
        if isinstance(self.node, LayerNode):
            return layer_text(self.node.layer)
        if isinstance(self.node, CombineNode):
            return f"{self.word}(split=true)" if self.node.options.get("split") else self.word
        return block_text(self.node.block) if self.node.block else "{ }"

    @cached_property
    def signature(self) -> Hashable:
        """Equal where two parts do the same with what arrives, and are labelled alike inside."""
        if isinstance(self.node, LayerNode):
            return self.node.layer
        inside = tuple(tuple((part.label, part.signature) for part in branch) for branch in self.branches)
        return (self.text if isinstance(self.node, CombineNode) else "", inside)

    @cached_property
    def depth(self) -> int:
        """How many levels are inside."""
        return 1 + max((part.depth for part in self.inside), default=0) if self.branches else 0

    @property
    def inside(self) -> Iterator[Part]:
        for branch in self.branches:
            yield from branch

    @cached_property
    def leaves(self) -> tuple[Part, ...]:
        """Everything that is measured here, in the order it runs: the layers, and the joins behind their branches."""
        below = tuple(leaf for part in self.inside for leaf in part.leaves)
        return (*below, self) if self.measured else below

    @cached_property
    def parameters(self) -> int:
        return sum(leaf.node.parameters for leaf in self.leaves if isinstance(leaf.node, LayerNode))

    @cached_property
    def macs(self) -> int:
        return sum(leaf.measured.macs for leaf in self.leaves if isinstance(leaf.measured, LayerSummary))

    @cached_property
    def activation(self) -> int:
        """Bytes of all outputs for one sample, as the summary counts them."""
        return sum(leaf.measured.activation for leaf in self.leaves if leaf.measured and not leaf.measured.placed.side)

    @cached_property
    def field(self) -> Field:
        """What one value of its output sees."""
        if self.measured:
            return self.measured.field
        if isinstance(self.node, CombineNode) and self.node.kind == "aux":
            return self.before
        return self.branches[0][-1].field if self.branches and self.branches[0] else self.before


def arguments_of(use: BlockUse) -> dict[str, Hashable]:
    return {name: canonical(value) for name, value in use.arguments.items()}


def _join_kind(node: CombineNode) -> str:
    return "add" if node.kind == "residual" else node.kind


def _block_name(node: GroupNode) -> str:
    return node.block.name if node.block else ""


# ------------------------------------------------------------------------------------------------------------ making


def parts_of(summary: Summary) -> Part:
    """The whole network as one part."""
    walk = _Walk(summary)
    first = start(summary.network.input)
    inside = walk.chain(summary.network.root.items, "", first)
    return Part("", summary.network.root, (inside,), first, None)


class _Walk:
    """Goes through the tree in the order in which `layers` and `joins` are listed."""

    def __init__(self, summary: Summary) -> None:
        self.layers, self.joins = iter(summary.layers), iter(summary.joins)

    def chain(self, items: tuple[Item, ...], module: str, field: Field) -> Branch:
        found: list[Part] = []
        for node in nodes(items):
            off = isinstance(node, CombineNode) and node.kind == "residual" and not node.options["when"]
            made = self.chain(node.branches[0], module, field) if off else (self.part(node, module, field),)  # type: ignore[union-attr]
            found += made
            field = made[-1].field if made else field
        return tuple(found)

    def part(self, node: Node, module: str, field: Field) -> Part:
        if isinstance(node, CombineNode):
            return self.join(node, module, field)
        path = f"{module}.{node.key}" if module else node.key
        if isinstance(node, LayerNode):
            return Part(path, node, (), field, next(self.layers))
        return Part(path, node, (self.chain(node.items, path, field),), field, None)

    def join(self, node: CombineNode, module: str, field: Field) -> Part:
        branches = tuple(self.chain(branch, module, field) for branch in node.branches)
        if node.kind == "residual":
            branches = (*branches, ())
        return Part(module, node, branches, field, None if node.kind == "aux" else next(self.joins))
