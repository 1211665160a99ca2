"""The fully connected layer."""

from __future__ import annotations

from typing import ClassVar

from cnnspec.layers.base import Layer, Reach, Shape, TorchCall, Weights, Window
from cnnspec.words import Count


class Linear(Layer):
    """Every output is a weighted sum of all inputs. On a map it acts on the last axis: behind channels_last, on the
    channels of each position."""

    word = "linear"
    out: Count
    bias: bool = True

    claims = "out"
    reach: ClassVar[Reach] = "all"
    multiplies_at = "rows"
    example = "linear(10) @ 512"

    def incoming(self, x: Shape) -> int:
        return x.sizes[-1]

    def output(self, x: Shape) -> Shape:
        return Shape((*x.sizes[:-1], self.out), x.channels_last)

    def weights(self, x: Shape) -> Weights:
        weight = (self.out, x.sizes[-1])
        return Weights({"weight": weight, "bias": (self.out,)} if self.bias else {"weight": weight})

    def window(self, x: Shape) -> Window | None:
        """One position, where the last axis holds the channels; None where it is an axis of the map."""
        here = (1,) * x.rank
        return Window(here, here, (0,) * x.rank, here) if x.channels_last else None

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.Linear", (x.sizes[-1], self.out), self.keywords("bias"))
