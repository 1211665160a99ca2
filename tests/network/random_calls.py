"""Draws layers that suit a shape, mostly."""

from __future__ import annotations

import random
from fractions import Fraction
from math import prod
from typing import Any

from random_plan import Call
from torch_modules import MODULES, PADS, Map

ON_MAPS = {
    "conv": 12, "conv_transpose": 2, "maxpool": 3, "avgpool": 2, "adaptive_avgpool": 1, "adaptive_maxpool": 1,
    "channel_dropout": 0.7, "local_response_norm": 0.7, "instancenorm": 1, "pad": 1, "upsample": 0.8,
    "pixel_shuffle": 1, "pixel_unshuffle": 1, "channel_shuffle": 1, "flatten": 2, "layernorm": 0.7, "lp_pool": 0.5,
    "feature_alpha_dropout": 0.3, "channels_last": 1,
}  # fmt: skip
ON_LAST = {"channels_first": 5, "linear": 4, "layernorm": 2, "rmsnorm": 2, "flatten": 0.7}
ON_FEATURES = {"linear": 10, "unflatten": 1.5, "layernorm": 1, "rmsnorm": 0.7}
ANYWHERE = {
    "batchnorm": 2,
    "groupnorm": 1.5,
    "relu": 2,
    "dropout": 1,
    "scale": 0.7,
    "stochastic_depth": 0.5,
    "glu": 0.4,
}
PLAIN = {word: 0.25 for word in MODULES if word not in ON_MAPS | ON_LAST | ON_FEATURES | ANYWHERE}


class Calls:
    """`wrong` is the chance that an argument, or a layer, is drawn without looking at the shape."""

    def __init__(self, rng: random.Random, wrong: float) -> None:
        self.rng, self.wrong = rng, wrong

    def draw(self, x: Map) -> Call:
        return self.call(self.word(x), x)

    def word(self, x: Map) -> str:
        suits = ON_FEATURES if x.rank == 0 else ON_LAST if x.last else ON_MAPS
        if self.chance(self.wrong / 3):
            suits = ON_MAPS | ON_FEATURES
        weights = {**suits, **ANYWHERE, **PLAIN}
        if not self.chance(self.wrong):
            weights = {word: weight for word, weight in weights.items() if self.suits(word, x)}
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def suits(self, word: str, x: Map) -> bool:
        """Whether a layer can have arguments that torch takes here."""
        values = prod(x)
        match word:
            case "glu":
                return x.channels % 2 == 0
            case "pixel_shuffle":
                return x.rank == 2 and x.channels % 4 == 0
            case "pixel_unshuffle":
                return x.rank == 2 and all(each % 2 == 0 for each in x.spatial)
            case "instancenorm":
                return values > x.channels
            case "groupnorm":
                return values > 1 and not x.last
            case "batchnorm" | "feature_alpha_dropout" | "channel_dropout":
                return not x.last
        return True

    def call(self, word: str, x: Map) -> Call:
        return getattr(self, word)(x) if hasattr(Calls, word) else Call(word, {})

    # --------------------------------------------------------------------------------------------------- numbers

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def share(self, *shares: str) -> Fraction:
        return Fraction(self.rng.choice(shares))

    def axes(self, x: Map, numbers: list[int]) -> Any:
        """One number, or one per axis of the map; seldom too many."""
        rank = max(1, x.rank)
        if self.chance(0.75):
            return self.rng.choice(numbers)
        if self.chance(self.wrong):
            rank += 1
        if rank == 1:
            return self.rng.choice(numbers)
        return tuple(self.rng.choice(numbers) for _ in range(rank))

    def divisor(self, *counts: int) -> int:
        if self.chance(self.wrong):
            return self.rng.randint(2, 5)
        return self.rng.choice([n for n in range(1, 17) if all(c % n == 0 for c in counts)])

    def claim(self, arriving: int) -> int | str | None:
        if self.chance(0.8):
            return "?" if self.chance(0.03) else None
        return arriving if not self.chance(self.wrong) else max(1, arriving + self.rng.choice([-1, 1, 4, arriving]))

    def fitting(self, x: Map, *kernels: int) -> list[int]:
        return [k for k in kernels if self.chance(self.wrong) or all(k <= size for size in x[1:])] or [1]

    # ---------------------------------------------------------------------------------------------------- layers

    def conv(self, x: Map) -> Call:
        out = self.rng.choice([1, 2, 4, 8, 8, 12, 16, x[0]])
        args: dict[str, Any] = {"out": out, "kernel": self.axes(x, self.fitting(x, 1, 2, 3, 3, 5, 7))}
        if self.chance(0.4):
            args["stride"] = self.axes(x, [1, 2, 2, 3])
        if self.chance(0.5):
            padding = self.rng.choice(["same", "valid", 0, 1, 1, 2])
            args["padding"] = padding if isinstance(padding, str) else self.axes(x, [padding, 0, 1, 2])
            if padding == "same" and not self.chance(self.wrong):
                args.pop("stride", None)
        if self.chance(0.15):
            args["dilation"] = self.axes(x, [1, 2])
        if self.chance(0.2):
            args["groups"] = self.divisor(x[0], out)
        if self.chance(0.2):
            args["bias"] = self.chance(0.5)
        if self.chance(0.1):
            args["padding_mode"] = self.rng.choice(["zeros", "reflect", "replicate", "circular"])
        return Call("conv", args, 2, self.claim(x[0]))

    def conv_transpose(self, x: Map) -> Call:
        out = self.rng.choice([2, 4, 8])
        args: dict[str, Any] = {"out": out, "kernel": self.axes(x, [1, 2, 3, 4])}
        if self.chance(0.7):
            args["stride"] = self.axes(x, [1, 2, 2, 3])
        if self.chance(0.3):
            args["padding"] = self.axes(x, [0, 1])
        if self.chance(0.2):
            args["output_padding"] = self.axes(x, [0, 1])
        if self.chance(0.15):
            args["groups"] = self.divisor(x[0], out)
        return Call("conv_transpose", args, 2, self.claim(x[0]))

    def linear(self, x: Map) -> Call:
        args: dict[str, Any] = {"out": self.rng.choice([1, 2, 10, 32])}
        if self.chance(0.2):
            args["bias"] = self.chance(0.5)
        return Call("linear", args, 1, self.claim(x[-1]))

    def maxpool(self, x: Map) -> Call:
        call = self.pool("maxpool", x)
        if self.chance(0.1):
            call.args["dilation"] = self.axes(x, [1, 2])
        return call

    def avgpool(self, x: Map) -> Call:
        call = self.pool("avgpool", x)
        if self.chance(0.1):
            call.args["count_include_pad"] = self.chance(0.5)
        return call

    def lp_pool(self, x: Map) -> Call:
        args = {"norm_type": self.rng.choice([1, 2, Fraction(3, 2)]), "kernel": self.axes(x, self.fitting(x, 2, 2, 3))}
        if self.chance(0.4):
            args["stride"] = self.axes(x, [1, 2, 2, 3])
        return Call("lp_pool", args, 2)

    def pool(self, word: str, x: Map) -> Call:
        args: dict[str, Any] = {"kernel": self.axes(x, self.fitting(x, 2, 2, 3))}
        if self.chance(0.4):
            args["stride"] = self.axes(x, [1, 2, 2, 3])
        if self.chance(0.2):
            args["padding"] = self.rng.choice([1, 2]) if self.chance(self.wrong) else 1
        if self.chance(0.3):
            args["ceil"] = self.chance(0.7)
        return Call(word, args, 1 if self.chance(0.8) else 0)

    def adaptive_avgpool(self, x: Map) -> Call:
        return Call("adaptive_avgpool", {"size": self.axes(x, [1, 2, 3, 7])})

    def adaptive_maxpool(self, x: Map) -> Call:
        return Call("adaptive_maxpool", {"size": self.axes(x, [1, 2, 5])})

    def batchnorm(self, x: Map) -> Call:
        args: dict[str, Any] = {"eps": self.share("0.001", "1e-5")} if self.chance(0.2) else {}
        if self.chance(0.15):
            args["affine"] = self.chance(0.4)
        return Call("batchnorm", args, int("eps" in args))

    def groupnorm(self, x: Map) -> Call:
        groups = self.divisor(x[0])
        return Call("groupnorm", {"groups": groups if groups < prod(x) or self.chance(self.wrong) else 1})

    def layernorm(self, x: Map) -> Call:
        args: dict[str, Any] = {"over": self.rng.choice(["last", "all", "channels"])}
        if x.rank == 0 or self.chance(self.wrong / 2):
            args = {}
        if self.chance(0.2):
            args[self.rng.choice(["affine", "bias"])] = self.chance(0.5)
        return Call("layernorm", args, 0)

    def rmsnorm(self, x: Map) -> Call:
        args: dict[str, Any] = {"over": self.rng.choice(["last", "all", "channels"])} if x.rank else {}
        return Call("rmsnorm", args, 0)

    def local_response_norm(self, x: Map) -> Call:
        return Call("local_response_norm", {"size": self.rng.choice([1, 2, 5])})

    def scale(self, x: Map) -> Call:
        return Call("scale", {"init": self.share("1e-6", "0.5", "1")} if self.chance(0.5) else {})

    def unflatten(self, x: Map) -> Call:
        factor = self.divisor(x[0])
        return Call("unflatten", {"shape": (factor, max(1, x[0] // factor))})

    def dropout(self, x: Map) -> Call:
        wrong = self.chance(self.wrong)
        return Call("dropout", {"p": self.share("1.5", "-0.5") if wrong else self.share("0.1", "0.5", "0", "1")})

    def alpha_dropout(self, x: Map) -> Call:
        return Call("alpha_dropout", {"p": self.share("0.1", "0.5")})

    def channel_dropout(self, x: Map) -> Call:
        return Call("channel_dropout", {"p": self.share("0.1", "0.5")})

    def stochastic_depth(self, x: Map) -> Call:
        args: dict[str, Any] = {"p": self.share("0.1", "0.5", "1", "0")}
        if self.chance(0.4):
            args["mode"] = self.rng.choice(["row", "batch"])
        return Call("stochastic_depth", args)

    def prelu(self, x: Map) -> Call:
        count = x[0] + 1 if self.chance(self.wrong) else self.rng.choice([1, x[0]])
        return Call("prelu", {"count": count})

    def threshold(self, x: Map) -> Call:
        return Call("threshold", {"threshold": Fraction(1, 10), "value": 20}, 2)

    def softmax(self, x: Map) -> Call:
        return Call("softmax", {"axis": self.rng.choice(["channels", "last"])} if self.chance(0.5) else {})

    def pad(self, x: Map) -> Call:
        args: dict[str, Any] = {"amount": self.rng.choice([1, 2])}
        if self.chance(0.3) and x.rank:
            args["amount"] = tuple(self.rng.choice([0, 1, 2]) for _ in range(2 * x.rank))
        if self.chance(0.6):
            args["mode"] = self.rng.choice(list(PADS))
        return Call("pad", args)

    def upsample(self, x: Map) -> Call:
        args: dict[str, Any] = {self.rng.choice(["factor", "size"]): self.axes(x, [1, 2, 3])}
        if self.chance(0.4):
            args["mode"] = self.rng.choice(["nearest", "linear", "bilinear", "bicubic", "trilinear"])
        return Call("upsample", args, 0)

    def pixel_shuffle(self, x: Map) -> Call:
        return Call("pixel_shuffle", {"factor": 3 if self.chance(self.wrong) else 2})

    def pixel_unshuffle(self, x: Map) -> Call:
        return Call("pixel_unshuffle", {"factor": 3 if self.chance(self.wrong) else 2})

    def channel_shuffle(self, x: Map) -> Call:
        return Call("channel_shuffle", {"groups": self.divisor(x[0])})
