"""Normalisation: values are shifted and scaled to mean 0 and variance 1, then by learned factors."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Literal

from cnnspec.layers.axes import (
    LARGEST_RANK,
    possible_groups,
    ranked,
    require_channels_first,
    require_groups,
    require_map,
)
from cnnspec.layers.base import Layer, Refused, Shape, TorchCall, Weights
from cnnspec.words import Count, NonNegative, Number, Positive


def factors(affine: bool, *shape: int) -> dict[str, tuple[int, ...]]:
    return {"weight": shape, "bias": shape} if affine else {}


class BatchNorm(Layer):
    """Normalises each channel over the batch and the map; remembers mean and variance for use after training."""

    word = "batchnorm"
    eps: Positive = 1e-5
    momentum: Number | None = 0.1
    affine: bool = True

    example = "batchnorm @ 64x8x8"

    def output(self, x: Shape) -> Shape:
        require_channels_first(self, x)
        if x.rank > LARGEST_RANK:
            raise Refused("E302", f"batchnorm takes features or maps of one to three axes, but {x} has {x.rank}")
        return x

    def weights(self, x: Shape) -> Weights:
        kept = {"running_mean": (x.channels,), "running_var": (x.channels,), "num_batches_tracked": ()}
        return Weights(factors(self.affine, x.channels), kept)

    def torch(self, x: Shape) -> TorchCall:
        options = self.keywords("eps", "momentum", "affine")
        return TorchCall(f"nn.BatchNorm{max(x.rank, 1)}d", (x.channels,), options)


class InstanceNorm(Layer):
    """Normalises each channel of each sample over its own map."""

    word = "instancenorm"
    eps: NonNegative = 1e-5
    affine: bool = False

    example = "instancenorm @ 64x8x8"

    def output(self, x: Shape) -> Shape:
        require_map(self, x)
        if prod(x.spatial) == 1:
            raise Refused(
                "E307",
                f"instancenorm normalises each channel over its map, but {x} has one value per channel",
                help="use it before the map has shrunk to one value, or batchnorm, which normalises over the batch",
            )
        return x

    def weights(self, x: Shape) -> Weights:
        return Weights(factors(self.affine, x.channels))

    def torch(self, x: Shape) -> TorchCall:
        return ranked("InstanceNorm", x, x.channels, **self.keywords("eps", "affine"))


class GroupNorm(Layer):
    """Normalises each sample over groups of channels and the map; does not depend on the batch."""

    word = "groupnorm"
    groups: Count
    eps: NonNegative = 1e-5
    affine: bool = True

    example = "groupnorm(8) @ 64x8x8"

    def output(self, x: Shape) -> Shape:
        require_channels_first(self, x)

        def possible() -> str:
            return possible_groups(x.channels)

        require_groups(self, x.channels, self.groups, "channels", argument="groups", help=possible)
        if x.elements == self.groups:
            raise Refused(
                "E307",
                f"groupnorm normalises over the values of a group, but {self.groups} groups of {x} have one value each",
                argument="groups",
                why=f"{x.elements} / {self.groups} = 1",
                help="use fewer groups",
            )
        return x

    def weights(self, x: Shape) -> Weights:
        return Weights(factors(self.affine, x.channels))

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.GroupNorm", (self.groups, x.channels), self.keywords("eps", "affine"))


class OverAxes(Layer):
    """Base of the norms that look at one sample alone, along the axes that `over` names."""

    over: Literal["last", "channels", "all"] | None = None

    module: ClassVar[str]

    def normalized(self, x: Shape) -> tuple[int, ...]:
        if self.over == "all":
            return x.sizes
        return (x.channels,) if self.over == "channels" else x.sizes[-1:]

    def across(self, x: Shape) -> bool:
        """Whether it normalises along an axis that is not the last, for which PyTorch has no module."""
        return self.over == "channels" and x.rank > 0 and not x.channels_last

    def output(self, x: Shape) -> Shape:
        if x.rank and self.over is None:
            raise Refused(
                "E203",
                f"{self.word} is not told what to normalise over, and {x} has {len(x.sizes)} axes",
                help=over_what(x),
            )
        return x

    def torch(self, x: Shape) -> TorchCall:
        shape = self.normalized(x)
        same = [name for name in self.__fields__ if name not in ("over", "affine")]
        options = self.keywords(*same, elementwise_affine="affine")
        return TorchCall(f"nn.{self.module}", (shape if len(shape) > 1 else shape[0],), options)


def over_what(x: Shape) -> str:
    """The readings of `over` for a map, in words."""
    everything = f"over=all is everything ({x.written})"
    if x.channels_last:
        return f"over=channels is each position over its {x.channels} channels, {everything}"
    last = f"over=last is the last axis alone (size {x.sizes[-1]})"
    return f"over=channels is each position over its {x.channels} channels, {last}, {everything}"


class LayerNorm(OverAxes):
    """Normalises each sample over its last axis, at each position over its channels, or over all of it; on a map say
    which with `over`."""

    word, module = "layernorm", "LayerNorm"
    eps: NonNegative = 1e-5
    affine: bool = True
    bias: bool = True

    example = "layernorm(over=channels) @ 64x8x8"

    def output(self, x: Shape) -> Shape:
        if self.across(x):
            require_map(self, x)
        return super().output(x)

    def weights(self, x: Shape) -> Weights:
        shape = self.normalized(x)
        return Weights(factors(self.affine, *shape) if self.bias or not self.affine else {"weight": shape})

    def torch(self, x: Shape) -> TorchCall:
        call = super().torch(x)
        return call.replace(name=f"LayerNorm{x.rank}d") if self.across(x) else call


class RMSNorm(OverAxes):
    """Divides by the root of the mean square, without taking the mean away first: over the last axis or all of a
    sample. On a map say which with `over`.

    With eps=none the smallest step between the numbers stands in for it."""

    word, module = "rmsnorm", "RMSNorm"
    eps: NonNegative | None = None
    affine: bool = True

    example = "rmsnorm @ 64"

    def output(self, x: Shape) -> Shape:
        if self.across(x):
            raise Refused(
                "E307",
                f"rmsnorm normalises over the last axes, but the channels of {x} stand first",
                argument="over",
                help="put channels_last before it and channels_first behind, or use layernorm(over=channels)",
            )
        return super().output(x)

    def weights(self, x: Shape) -> Weights:
        return Weights({"weight": self.normalized(x)} if self.affine else {})


class Scale(Layer):
    """Multiplies each channel by a factor of its own, which is learned and begins as init.

    The factors are a parameter of the module around it, so that the label is the parameter's name."""

    word = "scale"
    init: Number = 1.0

    bare = True
    example = "scale(init=1e-6) @ 96x56x56"

    def output(self, x: Shape) -> Shape:
        return x

    def _factors(self, x: Shape) -> tuple[int, ...]:
        """As many axes as it takes for one factor to meet each channel."""
        return (x.channels,) if x.channels_last else (x.channels, *[1] * x.rank)

    def weights(self, x: Shape) -> Weights:
        return Weights({"": self._factors(x)})

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.Parameter", (TorchCall("torch.full", (self._factors(x), self.init)),))


class LocalResponseNorm(Layer):
    """Divides each value by the strength of its neighbours in `size` channels, as AlexNet did."""

    word = "local_response_norm"
    size: Count
    alpha: Number = 1e-4
    beta: Number = 0.75
    k: Number = 1.0

    example = "local_response_norm(5) @ 64x27x27"

    def output(self, x: Shape) -> Shape:
        require_map(self, x)
        return x

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.LocalResponseNorm", (self.size,), self.keywords("alpha", "beta", "k"))
