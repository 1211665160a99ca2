"""Multiply-accumulates of one sample.

The convention: every multiplication of an input with a weight of a convolution, a transposed convolution or a linear
layer counts once, together with its addition. Biases, norms, pools, activations, dropout and the joins of branches
count nothing, nor do side outputs (`aux`), which run only in training. These are the numbers that torchvision publishes
with its weights (`Weights.meta["_ops"]`); other tools count biases, norms or additions as well and print more.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from cnnspec.network.model import CombineNode, GroupNode, LayerNode, Network, Node

POSITIONS: dict[str, Callable[[LayerNode], int]] = {
    "nothing": lambda node: 0,
    "output": lambda node: prod(node.output.spatial),
    "input": lambda node: prod(node.input.spatial),
    "rows": lambda node: prod(node.input.sizes[:-1]),
}
"""How often each element of a layer's `weight` is multiplied, by the layer's `multiplies_at`."""


def layer_macs(node: LayerNode) -> int:
    positions = POSITIONS[node.layer.multiplies_at](node)
    return positions * prod(node.weights.parameters["weight"]) if positions else 0


def macs(network: Network) -> tuple[int, ...]:
    """For each of `network.layers`."""
    return tuple(0 if placed.side else layer_macs(placed.node) for placed in network.layers)


def total_macs(network: Network) -> int:
    """The sum of `macs`, without a look at each layer: what equal uses of a block share is counted once."""
    known: dict[int, int] = {}

    def count(node: Node) -> int:
        if isinstance(node, LayerNode):
            return layer_macs(node)
        if isinstance(node, CombineNode) and node.kind == "aux":
            return 0
        key = id(node.items) if isinstance(node, GroupNode) else id(node)
        if key not in known:
            known[key] = sum(map(count, node.inside))
        return known[key]

    return count(network.root)
