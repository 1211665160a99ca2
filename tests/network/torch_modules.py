"""The modules of torch that layers become, by a table that knows nothing of cnnspec's layers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import torch
from torch import nn

from cnnspec.data.vision import import_torchvision

import_torchvision()
from torchvision.ops import StochasticDepth  # noqa: E402

Sizes = tuple[int, ...]


class Map(tuple[int, ...]):
    """Sizes without the batch, and whether the channels stand last."""

    last: bool

    def __new__(cls, sizes: Sizes, last: bool = False) -> Map:
        self = super().__new__(cls, sizes)
        self.last = last
        return self

    @property
    def rank(self) -> int:
        return len(self) - 1

    @property
    def channels(self) -> int:
        return self[-1 if self.last else 0]

    @property
    def axis(self) -> int:
        """Where the channels stand, counted with the batch."""
        return len(self) if self.last else 1

    @property
    def spatial(self) -> Sizes:
        return tuple(self[:-1] if self.last else self[1:])

    def with_channels(self, channels: int) -> Map:
        return Map((*self.spatial, channels) if self.last else (channels, *self.spatial), self.last)


def ranked(name: str) -> Callable[..., nn.Module]:
    """A constructor for the rank of the map that arrives; there is none for features."""

    def make(x: Map, *args: Any, **kwargs: Any) -> nn.Module:
        if not 1 <= x.rank <= 3:
            raise ValueError(f"there is no {name}{x.rank}d")
        for value in (*args, *kwargs.values()):
            if isinstance(value, tuple) and len(value) != x.rank:
                raise ValueError(f"{value} does not have {x.rank} numbers")
        return getattr(nn, f"{name}{x.rank}d")(*args, **kwargs)  # type: ignore[no-any-return]

    return make


def conv(name: str) -> Callable[..., nn.Module]:
    make = ranked(name)

    def of_channels(x: Map, claim: Any, out: int, kernel: Any, **options: Any) -> nn.Module:
        for value in (kernel, options.get("dilation")):
            if 0 in (value if isinstance(value, tuple) else (value,)):
                raise ValueError("the meta device takes a kernel or dilation of 0, and numbers do not")
        return make(x, claim or x[0], out, kernel, **options)

    return of_channels


def pool(name: str, *renamed: tuple[str, str]) -> Callable[..., nn.Module]:
    make = ranked(name)
    names = dict(renamed)
    return lambda x, claim, **k: make(x, **{names.get(key, key): value for key, value in k.items()})


def plain(name: str, *renamed: tuple[str, str]) -> Callable[..., nn.Module]:
    names = dict(renamed)
    return lambda x, claim, **k: getattr(nn, name)(**{names.get(key, key): value for key, value in k.items()})


def batchnorm(x: Map, claim: Any, **options: Any) -> nn.Module:
    return getattr(nn, f"BatchNorm{max(1, x.rank)}d")(x[0], **options)  # type: ignore[no-any-return]


def instancenorm(x: Map, claim: Any, **options: Any) -> nn.Module:
    return ranked("InstanceNorm")(x, x[0], **options)


def of_channels(name: str) -> Callable[..., nn.Module]:
    def make(x: Map, claim: Any, **options: Any) -> nn.Module:
        if not 1 <= x.rank <= 3:
            raise ValueError("features have no map")
        return getattr(nn, name.format(x.rank))(**options)  # type: ignore[no-any-return]

    return make


def local_response_norm(x: Map, claim: Any, size: int, **options: Any) -> nn.Module:
    if x.rank == 0:
        raise ValueError("features have no neighbours in a map")
    return nn.LocalResponseNorm(size, **options)


class AcrossChannels(nn.LayerNorm):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


def axes_of_norm(x: Map, name: str | None) -> tuple[Sizes, bool]:
    """The axes of a norm, and whether they are the channels before the axes of a map."""
    if x.rank and name is None:
        raise ValueError("the language wants to be told")
    if name == "channels":
        return (x.channels,), x.rank > 0 and not x.last
    return (tuple(x) if name == "all" else tuple(x[-1:])), False


def layernorm(x: Map, claim: Any, over: str | None = None, affine: bool = True, **options: Any) -> nn.Module:
    shape, across = axes_of_norm(x, over)
    return (AcrossChannels if across else nn.LayerNorm)(shape, elementwise_affine=affine, **options)


def rmsnorm(x: Map, claim: Any, over: str | None = None, affine: bool = True, **options: Any) -> nn.Module:
    shape, across = axes_of_norm(x, over)
    if across:
        raise ValueError("the language has none over channels that stand first")
    return nn.RMSNorm(shape, elementwise_affine=affine, **options)


class Scale(nn.Module):
    """The factors alone; its parameter has no name of its own."""

    def __init__(self, shape: Sizes, init: float) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.full(shape, float(init)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factors

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return {"": self.factors}


def scale(x: Map, claim: Any, init: float = 1.0) -> nn.Module:
    return Scale((x.channels,) if x.last else (x.channels, *[1] * x.rank), init)


class Permute(nn.Module):
    def __init__(self, source: int, target: int) -> None:
        super().__init__()
        self.source, self.target = source, target

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.movedim(self.source, self.target)


def channels_last(x: Map, claim: Any) -> nn.Module:
    if x.rank == 0 or x.last:
        raise ValueError("no channels to move")
    return Permute(1, -1)


def channels_first(x: Map, claim: Any) -> nn.Module:
    if x.rank == 0 or not x.last:
        raise ValueError("no channels to move")
    return Permute(-1, 1)


def prelu(x: Map, claim: Any, count: int = 1) -> nn.Module:
    if x.last and count != 1:
        raise ValueError("the channels stand last")
    return nn.PReLU(count)


def along(name: str) -> Callable[..., nn.Module]:
    return lambda x, claim, axis="channels": getattr(nn, name)(dim=len(x) if axis == "last" else x.axis)


PADS = {"zeros": "ZeroPad", "reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}


def pad(x: Map, claim: Any, amount: Any, mode: str = "zeros") -> nn.Module:
    if not 1 <= x.rank <= 3 or (isinstance(amount, tuple) and len(amount) != 2 * x.rank):
        raise ValueError("no such padding")
    return getattr(nn, f"{PADS[mode]}{x.rank}d")(amount)  # type: ignore[no-any-return]


def upsample(x: Map, claim: Any, **options: Any) -> nn.Module:
    if x.rank == 0:
        raise ValueError("features are no map")
    for name in ("size", "factor"):
        if isinstance(options.get(name), tuple) and len(options[name]) != x.rank:
            raise ValueError("not one number per axis")
    factor = options.get("factor") or 1
    factors = factor if isinstance(factor, tuple) else (factor,) * x.rank
    if any(Fraction(each) * size % 1 for each, size in zip(factors, x.spatial, strict=True)):
        raise ValueError("the language wants whole sizes")
    return nn.Upsample(options.get("size"), options.get("factor"), options.get("mode", "nearest"))


def of_image(name: str) -> Callable[..., nn.Module]:
    def make(x: Map, claim: Any, factor: int) -> nn.Module:
        if x.rank != 2:
            raise ValueError("an image has two axes")
        return getattr(nn, name)(factor)  # type: ignore[no-any-return]

    return make


def channel_shuffle(x: Map, claim: Any, groups: int) -> nn.Module:
    if x.rank == 0:
        raise ValueError("features are no channels")
    return nn.ChannelShuffle(groups)


def unflatten(x: Map, claim: Any, shape: Sizes) -> nn.Module:
    if x.rank:
        raise ValueError("a map is folded already")
    return nn.Unflatten(1, shape)


def stochastic_depth(x: Map, claim: Any, p: float, mode: str = "row") -> nn.Module:
    return StochasticDepth(p, mode)


MODULES: dict[str, Callable[..., nn.Module]] = {
    "conv": conv("Conv"),
    "conv_transpose": conv("ConvTranspose"),
    "linear": lambda x, claim, out, **k: nn.Linear(claim or x[-1], out, **k),
    "maxpool": pool("MaxPool", ("kernel", "kernel_size"), ("ceil", "ceil_mode")),
    "avgpool": pool("AvgPool", ("kernel", "kernel_size"), ("ceil", "ceil_mode")),
    "lp_pool": pool("LPPool", ("kernel", "kernel_size"), ("ceil", "ceil_mode")),
    "adaptive_avgpool": pool("AdaptiveAvgPool", ("size", "output_size")),
    "adaptive_maxpool": pool("AdaptiveMaxPool", ("size", "output_size")),
    "batchnorm": batchnorm,
    "instancenorm": instancenorm,
    "groupnorm": lambda x, claim, groups, **k: nn.GroupNorm(groups, x[0], **k),
    "layernorm": layernorm,
    "rmsnorm": rmsnorm,
    "local_response_norm": local_response_norm,
    "scale": scale,
    "flatten": plain("Flatten"),
    "unflatten": unflatten,
    "identity": lambda x, claim: nn.Identity(),
    "channels_last": channels_last,
    "channels_first": channels_first,
    "dropout": plain("Dropout"),
    "channel_dropout": of_channels("Dropout{}d"),
    "alpha_dropout": plain("AlphaDropout"),
    "feature_alpha_dropout": of_channels("FeatureAlphaDropout"),
    "stochastic_depth": stochastic_depth,
    "relu": plain("ReLU"),
    "relu6": plain("ReLU6"),
    "leaky_relu": plain("LeakyReLU", ("slope", "negative_slope")),
    "rrelu": plain("RReLU"),
    "prelu": prelu,
    "elu": plain("ELU"),
    "celu": plain("CELU"),
    "selu": plain("SELU"),
    "gelu": plain("GELU"),
    "silu": plain("SiLU"),
    "mish": plain("Mish"),
    "hardswish": plain("Hardswish"),
    "sigmoid": plain("Sigmoid"),
    "hardsigmoid": plain("Hardsigmoid"),
    "logsigmoid": plain("LogSigmoid"),
    "tanh": plain("Tanh"),
    "hardtanh": plain("Hardtanh"),
    "tanhshrink": plain("Tanhshrink"),
    "softplus": plain("Softplus"),
    "softsign": plain("Softsign"),
    "softshrink": plain("Softshrink"),
    "hardshrink": plain("Hardshrink"),
    "threshold": plain("Threshold"),
    "glu": lambda x, claim: nn.GLU(dim=x.axis),
    "softmax": along("Softmax"),
    "log_softmax": along("LogSoftmax"),
    "softmin": along("Softmin"),
    "pad": pad,
    "upsample": upsample,
    "pixel_shuffle": of_image("PixelShuffle"),
    "pixel_unshuffle": of_image("PixelUnshuffle"),
    "channel_shuffle": channel_shuffle,
}
