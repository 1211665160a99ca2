"""How much room the activations of one sample take."""

from __future__ import annotations

from cnnspec.network.model import Network
from cnnspec.record import Record

FLOAT32 = 4


class Activation(Record):
    """The output of a layer: how many values, and how many bytes they take as float32."""

    elements: int

    @property
    def bytes(self) -> int:
        return self.elements * FLOAT32


def activations(network: Network) -> tuple[Activation, ...]:
    """For each of `network.layers`, its output. Layers that work in place take less in training, those that keep
    copies for the backward pass take more."""
    return tuple(Activation(node.output.elements) for node in network.layers)
