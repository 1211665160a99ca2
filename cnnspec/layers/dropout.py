"""Dropout: random zeros while training, nothing afterwards."""

from __future__ import annotations

from cnnspec.layers.axes import ranked, require_map
from cnnspec.layers.base import Layer, Shape, TorchCall
from cnnspec.words import Probability


class Dropout(Layer):
    """While training, sets each value to zero with probability p and scales the rest up to make up for it."""

    word = "dropout"
    p: Probability = 0.5

    example = "dropout(0.5) @ 256"

    def output(self, x: Shape) -> Shape:
        return x

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.Dropout", (self.p,))


class ChannelDropout(Layer):
    """While training, sets whole channels of a map to zero with probability p."""

    word = "channel_dropout"
    p: Probability = 0.5

    example = "channel_dropout(0.2) @ 64x8x8"

    def output(self, x: Shape) -> Shape:
        require_map(self, x)
        return x

    def torch(self, x: Shape) -> TorchCall:
        return ranked("Dropout", x, self.p)
