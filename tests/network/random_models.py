"""Random specs without branches, and what torch makes of them.

A spec is drawn layer by layer. At each step a torch module is made from the drawn arguments, by a table of its own
that knows nothing of cnnspec's layers, and run on the meta device: so the generator always knows the shape that
arrives and can draw mostly sensible arguments, with wrong ones mixed in. What torch refuses ends the spec.

A layer must run with a batch of two while training and of one afterwards. What the meta device accepts is tried on
real numbers too where that is cheap: it lets pass what the kernels refuse (the channels of a transposed convolution).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

BATCH = 2
REAL = 100_000
"""Layers that move fewer numbers than this are tried on real ones."""

Sizes = tuple[int, ...]


@dataclass
class Call:
    """A layer as it is written: positional arguments come first. `claim` stands before the arrow."""

    word: str
    args: dict[str, Any]
    positional: int = 1
    claim: int | None = None

    def text(self) -> str:
        parts = []
        for at, (name, value) in enumerate(self.args.items()):
            value = write(value)
            if at == 0 and self.claim is not None:
                value = f"{self.claim} -> {value}"
            parts.append(value if at < self.positional else f"{name}={value}")
        return f"{self.word}({', '.join(parts)})" if parts else self.word


def write(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        if len(value) > 1 and all(isinstance(v, int) and v > 0 for v in value):
            return "x".join(map(str, value))
        return "[" + ", ".join(map(write, value)) + "]"
    return str(value)


@dataclass
class Spec:
    """What was drawn: the text, and torch's answer. Without a `refusal`, `outputs` are the shapes behind each layer
    and `state` the names and shapes of parameters and buffers."""

    seed: int
    input: Sizes
    text: str = ""
    refusal: str | None = None
    outputs: list[Sizes] = field(default_factory=list)
    state: dict[str, Sizes] = field(default_factory=dict)
    parameters: int = 0
    words: list[str] = field(default_factory=list)


# ------------------------------------------------------------------------------------------ torch's side of a call


def ranked(name: str) -> Callable[..., nn.Module]:
    """A constructor for the rank of the map that arrives; there is none for features."""

    def make(x: Sizes, *args: Any, **kwargs: Any) -> nn.Module:
        rank = len(x) - 1
        if not 1 <= rank <= 3:
            raise ValueError(f"there is no {name}{rank}d")
        for value in (*args, *kwargs.values()):
            if isinstance(value, tuple) and len(value) != rank:
                raise ValueError(f"{value} does not have {rank} numbers")
        return getattr(nn, f"{name}{rank}d")(*args, **kwargs)  # type: ignore[no-any-return]

    return make


def conv(name: str) -> Callable[..., nn.Module]:
    make = ranked(name)
    return lambda x, claim, out, kernel, **k: make(x, claim or x[0], out, kernel, **k)


def pool(name: str, *renamed: tuple[str, str]) -> Callable[..., nn.Module]:
    make = ranked(name)
    names = dict(renamed)
    return lambda x, claim, **k: make(x, **{names.get(key, key): value for key, value in k.items()})


def plain(name: str, *renamed: tuple[str, str]) -> Callable[..., nn.Module]:
    names = dict(renamed)
    return lambda x, claim, **k: getattr(nn, name)(**{names.get(key, key): value for key, value in k.items()})


def batchnorm(x: Sizes, claim: Any, **options: Any) -> nn.Module:
    return getattr(nn, f"BatchNorm{max(1, len(x) - 1)}d")(x[0], **options)  # type: ignore[no-any-return]


def instancenorm(x: Sizes, claim: Any, **options: Any) -> nn.Module:
    return ranked("InstanceNorm")(x, x[0], **options)


def dropout_of_channels(x: Sizes, claim: Any, **options: Any) -> nn.Module:
    return ranked("Dropout")(x, **options)


def local_response_norm(x: Sizes, claim: Any, size: int, **options: Any) -> nn.Module:
    if len(x) == 1:
        raise ValueError("features have no neighbours in a map")
    return nn.LocalResponseNorm(size, **options)


def layernorm(x: Sizes, claim: Any, over: str, **options: Any) -> nn.Module:
    return nn.LayerNorm(x if over == "all" else x[-1], **options)


def softmax(name: str) -> Callable[..., nn.Module]:
    return lambda x, claim, axis="channels": getattr(nn, name)(dim=1)


PADS = {"zeros": "ZeroPad", "reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}


def pad(x: Sizes, claim: Any, amount: Any, mode: str = "zeros") -> nn.Module:
    rank = len(x) - 1
    if not 1 <= rank <= 3 or (isinstance(amount, tuple) and len(amount) != 2 * rank):
        raise ValueError("no such padding")
    return getattr(nn, f"{PADS[mode]}{rank}d")(amount)  # type: ignore[no-any-return]


def upsample(x: Sizes, claim: Any, **options: Any) -> nn.Module:
    if len(x) == 1:
        raise ValueError("features are no map")
    rank = len(x) - 1
    for name in ("size", "factor"):
        if isinstance(options.get(name), tuple) and len(options[name]) != rank:
            raise ValueError("not one number per axis")
    return nn.Upsample(options.get("size"), options.get("factor"), options.get("mode", "nearest"))


def of_image(name: str) -> Callable[..., nn.Module]:
    def make(x: Sizes, claim: Any, factor: int) -> nn.Module:
        if len(x) != 3:
            raise ValueError("an image has two axes")
        return getattr(nn, name)(factor)  # type: ignore[no-any-return]

    return make


def channel_shuffle(x: Sizes, claim: Any, groups: int) -> nn.Module:
    if len(x) == 1:
        raise ValueError("features are no channels")
    return nn.ChannelShuffle(groups)


def unflatten(x: Sizes, claim: Any, shape: Sizes) -> nn.Module:
    if len(x) != 1:
        raise ValueError("a map is folded already")
    return nn.Unflatten(1, shape)


MODULES: dict[str, Callable[..., nn.Module]] = {
    "conv": conv("Conv"),
    "conv_transpose": conv("ConvTranspose"),
    "linear": lambda x, claim, out, **k: nn.Linear(claim or x[-1], out, **k),
    "maxpool": pool("MaxPool", ("kernel", "kernel_size"), ("ceil", "ceil_mode")),
    "avgpool": pool("AvgPool", ("kernel", "kernel_size"), ("ceil", "ceil_mode")),
    "adaptive_avgpool": pool("AdaptiveAvgPool", ("size", "output_size")),
    "adaptive_maxpool": pool("AdaptiveMaxPool", ("size", "output_size")),
    "batchnorm": batchnorm,
    "instancenorm": instancenorm,
    "groupnorm": lambda x, claim, groups, **k: nn.GroupNorm(groups, x[0], **k),
    "layernorm": layernorm,
    "local_response_norm": local_response_norm,
    "flatten": plain("Flatten"),
    "unflatten": unflatten,
    "identity": plain("Identity"),
    "dropout": plain("Dropout"),
    "channel_dropout": dropout_of_channels,
    "relu": plain("ReLU"),
    "relu6": plain("ReLU6"),
    "leaky_relu": plain("LeakyReLU", ("slope", "negative_slope")),
    "prelu": plain("PReLU", ("count", "num_parameters")),
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
    "glu": lambda x, claim: nn.GLU(dim=1),
    "softmax": softmax("Softmax"),
    "log_softmax": softmax("LogSoftmax"),
    "pad": pad,
    "upsample": upsample,
    "pixel_shuffle": of_image("PixelShuffle"),
    "pixel_unshuffle": of_image("PixelUnshuffle"),
    "channel_shuffle": channel_shuffle,
}


# -------------------------------------------------------------------------------------------------- drawing a call


class Draw:
    """Draws layers for a shape. `wrong` is the chance that an argument is drawn without looking at the shape."""

    def __init__(self, rng: random.Random, wrong: float) -> None:
        self.rng, self.wrong = rng, wrong

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def axes(self, x: Sizes, numbers: list[int]) -> Any:
        """One number, or one per axis of the map; seldom too many."""
        rank = max(1, len(x) - 1)
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

    def claim(self, arriving: int) -> int | None:
        if self.chance(0.7):
            return None
        return arriving if not self.chance(self.wrong) else max(1, arriving + self.rng.choice([-1, 1, 4, arriving]))

    def kernel(self, x: Sizes) -> Any:
        fits = [k for k in (1, 2, 3, 3, 5, 7) if self.chance(self.wrong) or all(k <= size for size in x[1:])]
        return self.axes(x, fits or [1])

    def conv(self, x: Sizes) -> Call:
        out = self.rng.choice([1, 4, 6, 8, 12, 16])
        args: dict[str, Any] = {"out": out, "kernel": self.kernel(x)}
        if self.chance(0.5):
            args["padding"] = self.rng.choice(["same", "valid"]) if self.chance(0.2) else self.axes(x, [0, 1, 1, 2])
        if self.chance(0.3) and (args.get("padding") != "same" or self.chance(self.wrong)):
            args["stride"] = self.axes(x, [1, 2, 2, 3])
        if self.chance(0.15):
            args["dilation"] = self.axes(x, [1, 2])
        if self.chance(0.2):
            args["groups"] = self.divisor(x[0], out)
        if self.chance(0.2):
            args["bias"] = self.chance(0.5)
        if self.chance(0.1):
            args["padding_mode"] = self.rng.choice(["zeros", "reflect", "replicate", "circular"])
        return Call("conv", args, 2, self.claim(x[0]))

    def conv_transpose(self, x: Sizes) -> Call:
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

    def linear(self, x: Sizes) -> Call:
        args: dict[str, Any] = {"out": self.rng.choice([1, 2, 10, 32])}
        if self.chance(0.2):
            args["bias"] = self.chance(0.5)
        return Call("linear", args, 1, self.claim(x[-1]))

    def maxpool(self, x: Sizes) -> Call:
        call = self.pool("maxpool", x)
        if self.chance(0.1):
            call.args["dilation"] = self.axes(x, [1, 2])
        return call

    def avgpool(self, x: Sizes) -> Call:
        call = self.pool("avgpool", x)
        if self.chance(0.1):
            call.args["count_include_pad"] = self.chance(0.5)
        return call

    def pool(self, word: str, x: Sizes) -> Call:
        fits = [k for k in (2, 2, 3) if self.chance(self.wrong) or all(k <= size for size in x[1:])]
        args: dict[str, Any] = {"kernel": self.axes(x, fits or [1])}
        if self.chance(0.4):
            args["stride"] = self.axes(x, [1, 2, 2, 3])
        if self.chance(0.2):
            args["padding"] = self.rng.choice([1, 2]) if self.chance(self.wrong) else 1
        if self.chance(0.3):
            args["ceil"] = self.chance(0.7)
        return Call(word, args, 1 if self.chance(0.8) else 0)

    def adaptive_avgpool(self, x: Sizes) -> Call:
        return Call("adaptive_avgpool", {"size": self.axes(x, [1, 2, 3, 7])})

    def adaptive_maxpool(self, x: Sizes) -> Call:
        return Call("adaptive_maxpool", {"size": self.axes(x, [1, 2, 5])})

    def groupnorm(self, x: Sizes) -> Call:
        return Call("groupnorm", {"groups": self.divisor(x[0])})

    def layernorm(self, x: Sizes) -> Call:
        return Call("layernorm", {"over": self.rng.choice(["last", "all"])}, 0)

    def local_response_norm(self, x: Sizes) -> Call:
        return Call("local_response_norm", {"size": self.rng.choice([1, 2, 5])})

    def unflatten(self, x: Sizes) -> Call:
        factor = self.divisor(x[0])
        return Call("unflatten", {"shape": (factor, max(1, x[0] // factor))})

    def dropout(self, x: Sizes) -> Call:
        p = self.rng.choice([0.1, 0.5, 0, 1]) if not self.chance(self.wrong) else self.rng.choice([1.5, -0.5])
        return Call("dropout", {"p": p})

    def channel_dropout(self, x: Sizes) -> Call:
        return Call("channel_dropout", {"p": self.rng.choice([0.1, 0.5])})

    def prelu(self, x: Sizes) -> Call:
        return Call("prelu", {"count": self.rng.choice([1, x[0]]) if not self.chance(self.wrong) else x[0] + 1})

    def threshold(self, x: Sizes) -> Call:
        return Call("threshold", {"threshold": 0.1, "value": 20}, 2)

    def pad(self, x: Sizes) -> Call:
        args: dict[str, Any] = {"amount": self.rng.choice([1, 2])}
        if self.chance(0.3) and len(x) > 1:
            args["amount"] = tuple(self.rng.choice([0, 1, 2]) for _ in range(2 * len(x) - 2))
        if self.chance(0.6):
            args["mode"] = self.rng.choice(list(PADS))
        return Call("pad", args)

    def upsample(self, x: Sizes) -> Call:
        args: dict[str, Any] = {self.rng.choice(["factor", "size"]): self.axes(x, [1, 2, 3])}
        if self.chance(0.4):
            args["mode"] = self.rng.choice(["nearest", "linear", "bilinear", "bicubic", "trilinear"])
        return Call("upsample", args, 0)

    def pixel_shuffle(self, x: Sizes) -> Call:
        return Call("pixel_shuffle", {"factor": self.rng.choice([1, 2, 2, 3])})

    def pixel_unshuffle(self, x: Sizes) -> Call:
        return Call("pixel_unshuffle", {"factor": self.rng.choice([1, 2, 2, 3])})

    def channel_shuffle(self, x: Sizes) -> Call:
        return Call("channel_shuffle", {"groups": self.divisor(x[0])})

    def call(self, word: str, x: Sizes) -> Call:
        return getattr(self, word)(x) if hasattr(self, word) else Call(word, {})


ON_MAPS = {
    "conv": 12, "conv_transpose": 2, "maxpool": 4, "avgpool": 2, "adaptive_avgpool": 1, "adaptive_maxpool": 1,
    "channel_dropout": 1, "local_response_norm": 1, "instancenorm": 1, "pad": 1, "upsample": 1, "pixel_shuffle": 0.7,
    "pixel_unshuffle": 0.7, "channel_shuffle": 1, "flatten": 2, "glu": 0.4, "layernorm": 0.7,
}  # fmt: skip
ON_FEATURES = {"linear": 10, "unflatten": 1.5, "layernorm": 1}
ANYWHERE = {"batchnorm": 2, "groupnorm": 1.5, "relu": 2, "dropout": 1}


# ------------------------------------------------------------------------------------------------- drawing a spec


class Writer:
    """Draws one spec and runs it on the way, until torch refuses or it is long enough."""

    def __init__(self, seed: int, wrong: float = 0.12) -> None:
        self.rng = random.Random(seed)
        self.draw = Draw(self.rng, wrong)
        rank = self.rng.choice([0, 1, 1, 2, 2, 2, 2, 3])
        sizes = {0: [1, 4, 20, 64], 1: [8, 20, 33, 64], 2: [6, 8, 13, 28, 32], 3: [4, 6, 8]}[rank]
        channels = self.rng.choice([1, 3, 4, 8]) if rank else self.rng.choice(sizes)
        side = self.rng.choice(sizes)
        spatial = tuple(side if self.rng.random() < 0.7 else self.rng.choice(sizes) for _ in range(rank))
        self.spec = Spec(seed, (channels, *spatial))
        self.x = torch.empty(BATCH, *self.spec.input, device="meta")
        self.blocks: list[tuple[list[Call], str]] = []

    @property
    def shape(self) -> Sizes:
        return tuple(self.x.shape[1:])

    def write(self) -> Spec:
        body = self.body("", self.rng.randint(2, 9), depth=0)
        shape = "x".join(map(str, self.spec.input))
        blocks = "".join(f"block {name} {{\n{lines}}}\n\n" for calls, name, lines in self.written_blocks())
        self.spec.text = f"{blocks}model M {{\n  input {shape}\n{body}}}\n"
        return self.spec

    def written_blocks(self) -> list[tuple[list[Call], str, str]]:
        return [(calls, name, "  " + ", ".join(c.text() for c in calls) + "\n") for calls, name in self.blocks]

    def body(self, path: str, steps: int, depth: int) -> str:
        """Lines of a module, while torch accepts them."""
        indent, lines, position = "  " * (depth + 1), [], 0
        for _ in range(steps):
            if self.spec.refusal:
                break
            label = self.rng.choice(["stem", "head", "body", "a1"]) + str(position) if self.rng.random() < 0.2 else ""
            key = label or str(position)
            at, start = (f"{path}.{key}" if path else key), f"{indent}{label}: " if label else indent
            kind = self.rng.random()
            if kind < 0.12 and depth < 3:
                lines.append(f"{start}{{\n{self.body(at, self.rng.randint(1, 4), depth + 1)}{indent}}}\n")
            elif kind < 0.22:
                lines.append(start + self.block(at) + "\n")
            else:
                call = self.layer(at)
                follow = f", {self.layer(self.beside(at, position + 1)).text()}" if self.chain() else ""
                position += bool(follow)
                lines.append(start + call.text() + follow + self.prediction() + "\n")
            position += 1
        return "".join(lines)

    def chain(self) -> bool:
        return self.spec.refusal is None and self.rng.random() < 0.3

    def beside(self, path: str, position: int) -> str:
        parent = path.rpartition(".")[0]
        return f"{parent}.{position}" if parent else str(position)

    def prediction(self) -> str:
        if self.spec.refusal or self.rng.random() > 0.15:
            return ""
        sizes = list(self.shape)
        if self.rng.random() < self.draw.wrong / 2:
            at = self.rng.randrange(len(sizes))
            sizes[at] += 1
            self.spec.refusal = "prediction"
        shown = [str(size) if self.rng.random() < 0.9 else "?" for size in sizes]
        if self.spec.refusal:
            shown = [str(size) for size in sizes]
        return f"  -> {'x'.join(shown)}" if len(sizes) > 1 or shown != ["?"] else ""

    def block(self, path: str) -> str:
        """A use of a block: one drawn before, or a new one of layers that suit the shape."""
        if self.blocks and self.rng.random() < 0.4:
            calls, name = self.rng.choice(self.blocks)
        else:
            calls, name = [], f"Block{len(self.blocks)}"
            self.blocks.append((calls, name))
            for at in range(self.rng.randint(1, 3)):
                if self.spec.refusal is None:
                    calls.append(self.layer(f"{path}.{at}"))
            return name
        for at, call in enumerate(calls):
            if self.spec.refusal is None:
                self.run(call, f"{path}.{at}")
        return name

    def layer(self, path: str) -> Call:
        call = self.draw.call(self.word(), self.shape)
        self.run(call, path)
        return call

    def word(self) -> str:
        suits = ON_FEATURES if len(self.shape) == 1 else ON_MAPS
        if self.rng.random() < self.draw.wrong / 3:
            suits = ON_MAPS | ON_FEATURES
        others = {word: 0.25 for word in MODULES if word not in ON_MAPS | ON_FEATURES | ANYWHERE}
        weights = {**suits, **ANYWHERE, **others}
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def run(self, call: Call, path: str) -> None:
        """Let torch judge the layer where it stands."""
        self.spec.words.append(call.word)
        try:
            with torch.device("meta"):
                module = MODULES[call.word](self.shape, call.claim, **call.args)
                if self.x.ndim > 5:
                    raise ValueError("more axes than any map has")
                output = module(self.x)
            module.eval()(self.x[:1])
            if self.x.numel() + output.numel() + sum(p.numel() for p in module.parameters()) < REAL:
                module.to_empty(device="cpu")(torch.zeros(1, *self.shape))
            self.x = output
        except (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError) as error:
            self.spec.refusal = f"{call.text()} on {self.shape}: {type(error).__name__}: {error}"
            return
        self.spec.outputs.append(self.shape)
        self.spec.state |= {f"{path}.{name}": tuple(t.shape) for name, t in module.state_dict().items()}
        self.spec.parameters += sum(p.numel() for p in module.parameters())
