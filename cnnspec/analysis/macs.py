"""Multiply-accumulates of one sample.

The convention: every multiplication of an input with a weight of a convolution, a transposed convolution or a linear
layer counts once, together with its addition. Biases, norms, pools, activations and dropout count nothing. These are
the numbers that torchvision publishes with its weights (`Weights.meta["_ops"]`); other tools count biases, norms or
additions as well and print more.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from cnnspec.network.model import LayerNode, Network

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
    return tuple(layer_macs(node) for node in network.layers)
