"""Dropout: random zeros while training, nothing afterwards."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnspec.layers.axes import ranked, require_map
from cnnspec.layers.base import Layer, Shape, TorchCall
from cnnspec.words import Probability


class Dropout(Layer):
    """While training, sets each value to zero with probability p and scales the rest up to make up for it."""

    word = "dropout"
    p: Probability = 0.5

    module: ClassVar[str] = "Dropout"
    example = "dropout(0.5) @ 256"

    def output(self, x: Shape) -> Shape:
        return x

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall(f"nn.{self.module}", (self.p,))


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


class AlphaDropout(Dropout):
    """Dropout that keeps mean and variance as they are, for use behind selu: values become selu's lowest instead of
    zero."""

    word, module = "alpha_dropout", "AlphaDropout"
    example = "alpha_dropout(0.1) @ 256"


class FeatureAlphaDropout(ChannelDropout):
    """Alpha dropout of whole channels of a map."""

    word = "feature_alpha_dropout"
    example = "feature_alpha_dropout(0.1) @ 64x8x8"

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.FeatureAlphaDropout", (self.p,))


class StochasticDepth(Layer):
    """While training, sets whole samples to zero with probability p and scales the others up to make up for it.

    At the end of a residual branch it leaves the branch out. With mode=batch all samples of a batch share one draw."""

    word = "stochastic_depth"
    p: Probability
    mode: Literal["row", "batch"] = "row"

    example = "stochastic_depth(0.1) @ 64x8x8"

    def output(self, x: Shape) -> Shape:
        return x

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("StochasticDepth", (self.p,), self.keywords("mode"))
