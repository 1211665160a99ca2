"""A plan as a functional Keras model: channels last, sizes inferred, numbers of padding as a layer of their own."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from elsewhere.in_torch import rank
from elsewhere.plan import Group, Join, Part, Plan, Sizes, Unit


class Lacks(Exception):
    """Keras has no layer for it."""


class Refuses(Exception):
    def __init__(self, part: Unit | Join, named: str, wrong: Exception) -> None:
        super().__init__(str(wrong))
        self.part, self.named, self.wrong = part, named, wrong


ACTIVATIONS = ("relu", "relu6", "silu", "sigmoid", "tanh", "gelu", "mish", "softplus", "selu", "softsign")
NOTHING = ("identity", "scale", "stochastic_depth", "local_response_norm", "channels_last", "channels_first")
"""What leaves the sizes as they are, channels being last anyway."""


def last(sizes: Sizes) -> Sizes:
    return (*sizes[1:], sizes[0])


class Build:
    """Applies layer after layer; raises `Refuses`."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def model(self, plan: Plan) -> keras.Model:
        start = layers.Input(last(plan.input))
        return keras.Model(start, self.parts(plan.parts, start))

    def parts(self, parts: list[Part], x: Any) -> Any:
        for part in parts:
            x = self.part(part, x)
        return x

    def part(self, part: Part, x: Any) -> Any:
        if isinstance(part, Group):
            return self.parts(part.children, x)
        if isinstance(part, Join):
            return self.join(part, x)
        name, own = "", {}
        if part.label and part.label.isidentifier() and part.label not in self.names:
            own = {"name": part.label}
            self.names.add(part.label)
        try:
            for made in keras_layers(part, x, own):
                name = made.name
                x = made(x)
        except Lacks:
            raise
        except Exception as wrong:  # whatever a wrong layer raises
            raise Refuses(part, name, wrong) from wrong
        return x

    def join(self, join: Join, x: Any) -> Any:
        inputs = [x] * len(join.branches)
        name = ""
        try:
            if join.split:
                inputs = keras.ops.split(x, max(2, len(join.branches)), axis=-1)
        except Exception as wrong:
            raise Refuses(join, name, wrong) from wrong
        outputs = [self.parts(branch, each) for branch, each in zip(join.branches, inputs, strict=False)]
        if join.word == "residual":
            outputs.append(x)
        try:
            made = {"concat": layers.Concatenate, "multiply": layers.Multiply}.get(join.word, layers.Add)()
            name = made.name
            return made(outputs)
        except Exception as wrong:
            raise Refuses(join, name, wrong) from wrong


def keras_layers(unit: Unit, x: Any, own: dict[str, str]) -> list[Any]:
    """The layers that a person would have written for one of ours; `x` is what arrives."""
    axes = rank(unit, unit.arrived or ())
    get = unit.get

    def ranked(name: str) -> Any:
        return getattr(layers, f"{name}{axes}D")

    match unit.word:
        case "conv" | "maxpool" | "avgpool":
            return windowed(unit, axes, own)
        case "conv_transpose":
            return transposed(unit, axes, own)
        case "linear":
            return [layers.Dense(get("out"), use_bias=get("bias", True), **own)]
        case "adaptive_avgpool" | "adaptive_maxpool":
            kind = "Average" if "avg" in unit.word else "Max"
            if get("size") == 1:
                return [ranked(f"Global{kind}Pooling")(keepdims=True, **own)]
            return [ranked(f"Adaptive{kind}Pooling")(get("size"), **own)]
        case "batchnorm":
            return [layers.BatchNormalization(**own)]
        case "instancenorm":
            return [layers.GroupNormalization(groups=-1, **own)]
        case "groupnorm":
            return [layers.GroupNormalization(groups=get("groups"), **own)]
        case "layernorm":
            return [layers.LayerNormalization(**own)]
        case "dropout":
            return [layers.Dropout(get("p", 0.5), **own)]
        case "channel_dropout":
            return [ranked("SpatialDropout")(get("p", 0.5), **own)]
        case "leaky_relu":
            return [layers.LeakyReLU(get("slope", 0.01), **own)]
        case "elu":
            return [layers.ELU(get("alpha", 1.0), **own)]
        case "prelu":
            return [layers.PReLU(shared_axes=list(range(1, axes + 1)), **own)]
        case "softmax" | "log_softmax":
            return [layers.Activation(unit.word, **own)]
        case "hardswish" | "hardsigmoid":
            return [layers.Activation(unit.word.replace("hard", "hard_"), **own)]
        case "flatten":
            return [layers.Flatten(**own)]
        case "unflatten":
            return [layers.Reshape(last(get("shape")), **own)]
        case "channel_shuffle":
            return shuffled(x, get("groups"))
        case "upsample":
            return upsampled(unit, axes, own)
        case "pad":
            return padded(unit, axes, own)
    if unit.word in NOTHING:
        return [layers.Identity(**own)]
    if unit.word in ACTIVATIONS:
        return [layers.Activation(unit.word, **own)]
    raise Lacks(unit.word)


def each(value: Any, axes: int) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) * axes


def windowed(unit: Unit, axes: int, own: dict[str, str]) -> list[Any]:
    """A convolution or pool. Padding that keeps the size is `same`, other numbers are a layer before it."""
    get, conv = unit.get, unit.word == "conv"
    if get("ceil", False):
        raise Lacks("rounding up")
    if not conv and get("dilation", 1) != 1:
        raise Lacks("pools with gaps")
    padding, kernel = get("padding", 0), get("kernel")
    stride = get("stride", 1 if conv else None)
    keeps = isinstance(padding, int) and padding and isinstance(kernel, int) and kernel == 2 * padding + 1
    if keeps and stride == 1 and get("dilation", 1) == 1:
        padding = "same"
    before, word = [], padding if isinstance(padding, str) else "valid"
    if word == "valid" and not isinstance(padding, str) and any(each(padding, axes)):
        before = [getattr(layers, f"ZeroPadding{axes}D")(padding)]
    if not conv:
        kind = "MaxPooling" if unit.word == "maxpool" else "AveragePooling"
        return [*before, getattr(layers, f"{kind}{axes}D")(kernel, strides=stride, padding=word, **own)]
    options = {"strides": stride, "dilation_rate": get("dilation", 1), "groups": get("groups", 1)}
    if get("padding_mode", "zeros") != "zeros":
        raise Lacks("padding with anything but zeros")
    given = [] if kernel is None else [kernel]
    if len(unit.args) > 1 and "kernel" in unit.kwargs:
        options["kernel_size"] = unit.kwargs["kernel"]
    made = getattr(layers, f"Conv{axes}D")(
        get("out"), *given, padding=word, use_bias=get("bias", True), **options, **own
    )
    return [*before, made]


def transposed(unit: Unit, axes: int, own: dict[str, str]) -> list[Any]:
    """Without padding, and cropped by what PyTorch calls its padding."""
    get = unit.get
    if get("groups", 1) != 1:
        raise Lacks("transposed convolutions in groups")
    made = getattr(layers, f"Conv{axes}DTranspose")(
        get("out"),
        get("kernel"),
        strides=get("stride", 1),
        output_padding=get("output_padding") or None,
        use_bias=get("bias", True),
        **own,
    )
    padding = get("padding", 0)
    return [made, getattr(layers, f"Cropping{axes}D")(padding)] if any(each(padding, axes)) else [made]


def shuffled(x: Any, groups: int) -> list[Any]:
    *spatial, channels = x.shape[1:]
    axes = list(range(1, len(spatial) + 1))
    swap = [*axes, len(axes) + 2, len(axes) + 1]
    split = (*spatial, groups, channels // groups)
    return [layers.Reshape(split), layers.Permute(swap), layers.Reshape((*spatial, channels))]


def upsampled(unit: Unit, axes: int, own: dict[str, str]) -> list[Any]:
    factor, mode = unit.get("factor"), unit.get("mode", "nearest")
    if factor is None:
        size = unit.get("size")
        return [layers.Resizing(*each(size, 2), interpolation=mode, **own)] if size else [layers.UpSampling2D()]
    options = {"interpolation": mode} if axes == 2 else {}
    if axes != 2 and mode != "nearest":
        raise Lacks(f"{mode} upsampling of maps of rank {axes}")
    return [getattr(layers, f"UpSampling{axes}D")(factor, **options, **own)]


def padded(unit: Unit, axes: int, own: dict[str, str]) -> list[Any]:
    amount = unit.get("amount")
    if unit.get("mode", "zeros") != "zeros" or not isinstance(amount, int):
        raise Lacks("padding with anything but zeros")
    kind = "Cropping" if amount < 0 else "ZeroPadding"
    return [getattr(layers, f"{kind}{axes}D")(abs(amount), **own)]
