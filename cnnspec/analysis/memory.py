"""How much room the activations of one sample take."""

from __future__ import annotations

from cnnspec.layers.base import Shape
from cnnspec.network.model import Network
from cnnspec.record import Record

FLOAT32 = 4


class Activation(Record):
    """The output of a layer or a join: how many values, and how many bytes they take as float32."""

    elements: int

    @property
    def bytes(self) -> int:
        return self.elements * FLOAT32


def activation(output: Shape) -> Activation:
    return Activation(output.elements)


def activations(network: Network) -> tuple[Activation, ...]:
    """For each of `network.layers`, its output. Layers that work in place take less in training, those that keep
    copies for the backward pass take more."""
    return tuple(activation(placed.output) for placed in network.layers)
