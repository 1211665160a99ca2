"""How many numbers a network learns and keeps."""

from __future__ import annotations

from math import prod

from cnnspec.network.model import LayerNode, Network
from cnnspec.record import Record


class Counts(Record):
    """`parameters` are learned, `buffers` only kept (batchnorm's running mean and variance, for instance)."""

    parameters: int
    buffers: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.parameters + other.parameters, self.buffers + other.buffers)


def layer_counts(node: LayerNode) -> Counts:
    weights = node.weights
    return Counts(weights.count, sum(prod(shape) for shape in weights.buffers.values()))


def counts(network: Network) -> tuple[Counts, ...]:
    """For each of `network.layers`, those of side outputs included; `total` sums them up."""
    return tuple(layer_counts(placed.node) for placed in network.layers)


def total(each: tuple[Counts, ...]) -> Counts:
    return Counts(sum(one.parameters for one in each), sum(one.buffers for one in each))
