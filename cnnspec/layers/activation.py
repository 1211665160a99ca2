"""Activations: functions of every value by itself, and those that weigh values against each other."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnspec.layers.axes import require_channels_first, require_groups
from cnnspec.layers.base import Keeps, Layer, Refused, Shape, TorchCall, Weights
from cnnspec.words import Count, NonNegative, Number


class Activation(Layer):
    """Base of the layers that keep the shape. `module` is the name in PyTorch; `renamed` maps PyTorch's names of
    arguments to ours, where they differ."""

    keeps: ClassVar[Keeps] = "input"
    module: ClassVar[str]
    renamed: ClassVar[dict[str, str]] = {}

    def output(self, x: Shape) -> Shape:
        return x

    def torch(self, x: Shape) -> TorchCall:
        same = [name for name in self.__fields__ if name not in self.renamed.values()]
        return TorchCall(f"nn.{self.module}", (), self.keywords(*same, **self.renamed))


class ReLU(Activation):
    """Keeps what is positive and makes the rest zero: max(0, x)."""

    word, module, keeps = "relu", "ReLU", "output"
    example = "relu @ 16x8x8"


class ReLU6(Activation):
    """ReLU that stops at 6: min(max(0, x), 6)."""

    word, module = "relu6", "ReLU6"
    example = "relu6 @ 16x8x8"


class SiLU(Activation):
    """x * sigmoid(x), also called swish."""

    word, module = "silu", "SiLU"
    example = "silu @ 16x8x8"


class Hardswish(Activation):
    """x * hardsigmoid(x), a cheap likeness of silu."""

    word, module = "hardswish", "Hardswish"
    example = "hardswish @ 16x8x8"


class Hardsigmoid(Activation):
    """A straight line between 0 (up to -3) and 1 (from 3), a cheap likeness of sigmoid."""

    word, module = "hardsigmoid", "Hardsigmoid"
    example = "hardsigmoid @ 16x8x8"


class Sigmoid(Activation):
    """Squeezes every value between 0 and 1: 1 / (1 + exp(-x))."""

    word, module, keeps = "sigmoid", "Sigmoid", "output"
    example = "sigmoid @ 1"


class LogSigmoid(Activation):
    """log(1 / (1 + exp(-x)))"""

    word, module = "logsigmoid", "LogSigmoid"
    example = "logsigmoid @ 1"


class Tanh(Activation):
    """Squeezes every value between -1 and 1."""

    word, module, keeps = "tanh", "Tanh", "output"
    example = "tanh @ 84"


class Tanhshrink(Activation):
    """x - tanh(x)"""

    word, module = "tanhshrink", "Tanhshrink"
    example = "tanhshrink @ 84"


class Softsign(Activation):
    """Squeezes every value between -1 and 1, more slowly than tanh: x / (1 + |x|)."""

    word, module = "softsign", "Softsign"
    example = "softsign @ 84"


class Mish(Activation):
    """x * tanh(softplus(x))"""

    word, module = "mish", "Mish"
    example = "mish @ 16x8x8"


class Softplus(Activation):
    """A smooth ReLU: log(1 + exp(beta * x)) / beta, and x itself where beta * x is above the threshold."""

    word, module = "softplus", "Softplus"
    beta: Number = 1.0
    threshold: Number = 20.0

    example = "softplus(beta=2) @ 16x8x8"


class SELU(Activation):
    """ELU scaled so that values tend to mean 0 and variance 1 from layer to layer."""

    word, module = "selu", "SELU"
    example = "selu @ 256"


class GELU(Activation):
    """x times the share of a normal distribution below x; with `tanh` in a cheaper form."""

    word, module = "gelu", "GELU"
    approximate: Literal["none", "tanh"] = "none"

    example = "gelu(approximate=tanh) @ 16x8x8"


class ELU(Activation):
    """x where it is positive, alpha * (exp(x) - 1) where it is not."""

    word, module = "elu", "ELU"
    alpha: Number = 1.0

    example = "elu(alpha=0.5) @ 16x8x8"


class CELU(Activation):
    """ELU without a kink for any alpha: alpha * (exp(x / alpha) - 1) where x is negative."""

    word, module = "celu", "CELU"
    alpha: Number = 1.0

    example = "celu(alpha=0.5) @ 16x8x8"

    def output(self, x: Shape) -> Shape:
        if self.alpha == 0:
            raise Refused("E307", "celu divides by its alpha, which is 0", argument="alpha")
        return x


class LeakyReLU(Activation):
    """x where it is positive, slope * x where it is not."""

    word, module = "leaky_relu", "LeakyReLU"
    slope: Number = 0.01

    renamed: ClassVar[dict[str, str]] = {"negative_slope": "slope"}
    example = "leaky_relu(0.2) @ 16x8x8"


class RReLU(Activation):
    """Leaky ReLU that, while training, draws a slope between lower and upper for each value; afterwards it takes the
    middle."""

    word, module = "rrelu", "RReLU"
    lower: Number = 1 / 8
    upper: Number = 1 / 3

    example = "rrelu(0.1, 0.3) @ 16x8x8"

    def output(self, x: Shape) -> Shape:
        if self.upper < self.lower:
            message = f"rrelu has an upper slope of {self.upper:g}, below its lower of {self.lower:g}"
            raise Refused("E307", message, argument="upper")
        return x


class PReLU(Activation):
    """Leaky ReLU that learns its slope, from init on: one for all channels, or with count one for each channel."""

    word, module = "prelu", "PReLU"
    count: Count = 1
    init: Number = 0.25

    renamed: ClassVar[dict[str, str]] = {"num_parameters": "count"}
    example = "prelu(16) @ 16x8x8"

    def output(self, x: Shape) -> Shape:
        if self.count > 1:
            require_channels_first(self, x)
        if self.count not in (1, x.channels):
            raise Refused(
                "E307",
                f"prelu has {self.count} slopes for {x.channels} channels",
                argument="count",
                help=f"count is 1 (one slope for all) or {x.channels} (one for each channel)",
            )
        return x

    def weights(self, x: Shape) -> Weights:
        return Weights({"weight": (self.count,)})


class Hardtanh(Activation):
    """Cuts off what is below min_val or above max_val."""

    word, module = "hardtanh", "Hardtanh"
    min_val: Number = -1.0
    max_val: Number = 1.0

    example = "hardtanh(0, 6) @ 16x8x8"

    def output(self, x: Shape) -> Shape:
        if self.max_val <= self.min_val:
            message = f"hardtanh has a max_val of {self.max_val:g}, not above its min_val of {self.min_val:g}"
            raise Refused("E307", message, argument="max_val")
        return x


class Hardshrink(Activation):
    """Makes zero what lies between -lambd and lambd."""

    word, module = "hardshrink", "Hardshrink"
    lambd: Number = 0.5

    example = "hardshrink @ 16x8x8"


class Softshrink(Activation):
    """Draws every value towards zero by lambd."""

    word, module = "softshrink", "Softshrink"
    lambd: NonNegative = 0.5

    example = "softshrink @ 16x8x8"


class Threshold(Activation):
    """x where it is above the threshold, the value where it is not."""

    word, module = "threshold", "Threshold"
    threshold: Number
    value: Number

    example = "threshold(0.1, 0) @ 16x8x8"

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.Threshold", (self.threshold, self.value))


class AlongAxis(Activation):
    """Base of the layers that weigh values along one axis against each other."""

    keeps = "output"
    axis: Literal["channels", "last"] = "channels"

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall(f"nn.{self.module}", (), {"dim": -1 if self.axis == "last" else x.channel_axis})


class Softmax(AlongAxis):
    """Turns scores into shares that are positive and sum to 1, over the channels or along the last axis."""

    word, module = "softmax", "Softmax"
    example = "softmax @ 10"


class LogSoftmax(Softmax):
    """The logarithm of softmax, for a loss that expects log-probabilities."""

    word, module = "log_softmax", "LogSoftmax"
    example = "log_softmax @ 10"


class Softmin(AlongAxis):
    """Softmax of the negative: the smallest score gets the largest share."""

    word, module = "softmin", "Softmin"
    example = "softmin @ 10"


class GLU(Layer):
    """Multiplies the first half of the channels by the sigmoid of the second half."""

    word, keeps = "glu", "input"
    example = "glu @ 32x8x8"

    def output(self, x: Shape) -> Shape:
        require_groups(self, x.channels, 2, "channels", argument=None)
        return x.with_channels(x.channels // 2)

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.GLU", (), {"dim": x.channel_axis})
