"""What torch makes of a layer: its verdict, the shape that comes out, and its weights.

A layer must run with a batch of two while training and of one afterwards. What the meta device accepts is tried on
real numbers too where that is cheap: it lets pass what the kernels refuse (the channels of a transposed convolution).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import torch
from torch import nn
from torch_modules import MODULES, Map, Sizes

BATCH = 2
REAL = {"conv_transpose": 10_000_000}
FEW = 50_000
"""Layers that move fewer numbers than this are tried on real ones, those that need it up to `REAL`."""


class Refusal(Exception):
    """Torch refuses, or the language where it is stricter."""


class Huge(Exception):
    """More bytes than a number of torch can count: its refusal says nothing of the layer."""


@dataclass(frozen=True)
class Verdict:
    """What became of a layer that was accepted. `make` makes the module."""

    output: Map
    state: dict[str, Sizes]
    parameters: int
    make: Callable[[], nn.Module]


ANY_SHAPE = {
    "identity", "dropout", "alpha_dropout", "relu", "relu6", "leaky_relu", "rrelu", "elu", "celu", "selu", "gelu",
    "silu", "mish", "hardswish", "sigmoid", "hardsigmoid", "logsigmoid", "tanh", "hardtanh", "tanhshrink", "softplus",
    "softsign", "softshrink", "hardshrink", "threshold",
}  # fmt: skip
"""Modules that take each value by itself: where shapes alone count, one shape stands for all of them."""

SHAPES_ALONE = False
"""Whether these are asked about one small shape instead of the one that arrives."""

FIRST = {
    "conv", "conv_transpose", "maxpool", "avgpool", "lp_pool", "adaptive_avgpool", "adaptive_maxpool", "batchnorm",
    "instancenorm", "groupnorm", "local_response_norm", "channel_dropout", "feature_alpha_dropout", "pad", "upsample",
    "pixel_shuffle", "pixel_unshuffle", "channel_shuffle",
}  # fmt: skip
"""Layers whose modules would take the rows for channels where the channels stand last: the language refuses them."""


@lru_cache(200_000)
def _judged(word: str, items: tuple[tuple[str, Any], ...], claim: Any, x: Map, last: bool) -> Verdict | str:
    args = dict(items)
    try:
        if last and word in FIRST:
            raise ValueError("the channels stand last")
        if len(x) > 4:
            raise ValueError("more axes than any map has")

        def make() -> nn.Module:
            return MODULES[word](x, claim, **args)

        meta = torch.empty(BATCH, *x, device="meta")
        with torch.device("meta"):
            module = make()
            output = module(meta)
        if 0 in output.shape:
            raise ValueError("nothing comes out")
        module.eval()(meta[:1])
        count = sum(p.numel() for p in module.parameters())
        if meta.numel() + output.numel() + count < REAL.get(word, FEW):
            module.to_empty(device="cpu")(torch.zeros(1, *x))
    except (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError, ArithmeticError) as error:
        if "Storage size calculation overflowed" in str(error):
            raise Huge from None
        return f"{type(error).__name__}: {error}"
    keeps = word not in ("channels_first", "flatten", "unflatten")
    state = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    sizes = tuple(output.shape[1:])
    return Verdict(Map(sizes, (keeps and last) or word == "channels_last"), state, count, make)


def judge(word: str, args: dict[str, Any], claim: Any, x: Map) -> Verdict:
    """Torch's verdict; raises `Refusal`."""
    plain = tuple((name, _number(name, value)) for name, value in args.items())
    if any(isinstance(value, bool) != (name in FLAGS) for name, value in plain):
        raise Refusal(f"{word} with {plain}: true and false are no numbers")
    if SHAPES_ALONE and word in ANY_SHAPE:
        found = _judged(word, plain, claim, Map((2, 3)), False)
        found = found if isinstance(found, str) else replace(found, output=x)
    else:
        found = _judged(word, plain, claim, x, x.last)
    if isinstance(found, str):
        raise Refusal(f"{word}{dict(plain)} on {tuple(x)}: {found}")
    return found


FLAGS = {"bias", "ceil", "affine", "count_include_pad", "align_corners"}
SHARES = {
    "p", "eps", "momentum", "alpha", "slope", "beta", "k", "init", "lower", "upper", "lambd", "min_val", "max_val",
    "norm_type", "value", "threshold",
}  # fmt: skip
"""Arguments that need not be whole."""


def _number(name: str, value: Any) -> Any:
    """A share as torch takes it. Other fractions stay, and torch refuses them."""
    return float(value) if isinstance(value, Fraction) and name in SHARES else value
