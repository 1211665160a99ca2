"""Convolutions."""

from __future__ import annotations

from math import gcd
from typing import ClassVar, Literal

from cnnspec.layers.axes import Slide, Sliding, per_axis, possible_groups, ranked, require_groups, require_map
from cnnspec.layers.base import Layer, Reach, Refused, Shape, TorchCall, Weights, Window
from cnnspec.words import Amounts, Count, Kernel, Padding

SPARED = {"reflect": 1, "circular": 0}
"""By how much padding that is filled from the map must stay below the size of the map."""

OPTIONS = ("stride", "padding", "dilation", "groups", "bias")


def require_conv_groups(layer: Layer, groups: int, out: int, x: Shape) -> None:
    def possible() -> str:
        return possible_groups(gcd(x.channels, out))

    require_groups(layer, x.channels, groups, "incoming channels", argument="groups", help=possible)
    require_groups(layer, out, groups, "outgoing channels", argument="out")


def conv_weights(kernels: tuple[int, ...], out: int, bias: bool) -> Weights:
    return Weights({"weight": kernels, "bias": (out,)} if bias else {"weight": kernels})


def require_padding_source(mode: str, size: int, padding: int, argument: str) -> None:
    """Refuse padding that is filled from the map and asks for more of it than there is."""
    if mode in SPARED and padding > size - SPARED[mode]:
        raise Refused(
            "E307",
            f"{mode} padding of {padding} is filled from the map, which has only a size of {size}",
            argument=argument,
            help=f"at most {size - SPARED[mode]} fits here",
        )


class Conv(Sliding):
    """Slides a window with learned weights over a map: every output channel is a weighted sum of what it sees."""

    word = "conv"
    out: Count
    kernel: Kernel
    stride: Kernel = 1
    padding: Padding = 0
    dilation: Kernel = 1
    groups: Count = 1
    bias: bool = True
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"

    claims = "out"
    multiplies_at = "output"
    example = "conv(16, 3, padding=1) @ 3x32x32"

    def slides(self, x: Shape) -> tuple[Slide, ...]:
        kernel, stride, dilation = (per_axis(self, name, x) for name in ("kernel", "stride", "dilation"))
        sides = self._sides(x, kernel, dilation)
        return tuple(
            Slide(size, k, s, *side, d)
            for size, k, s, side, d in zip(x.spatial, kernel, stride, sides, dilation, strict=True)
        )

    def _sides(self, x: Shape, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> list[tuple[int, int]]:
        """Padding before and after, along each axis. An even kernel has the longer side of `same` at the end."""
        if self.padding == "valid":
            return [(0, 0)] * x.rank
        if self.padding == "same":
            totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
            return [(total // 2, total - total // 2) for total in totals]
        return [(p, p) for p in per_axis(self, "padding", x)]

    def output(self, x: Shape) -> Shape:
        require_map(self, x)
        require_conv_groups(self, self.groups, self.out, x)
        if self.padding == "same" and any(s > 1 for s in per_axis(self, "stride", x)):
            raise Refused(
                "E307",
                "conv keeps the size with padding=same only at stride 1",
                argument="stride",
                help="write the padding as a number: half of the kernel, rounded down",
            )
        for slide in self.slides(x):
            require_padding_source(self.padding_mode, slide.size, max(slide.before, slide.after), "padding")
        return Shape((self.out, *self.slid(x)))

    def mending(self, slides: tuple[Slide, ...]) -> str:
        kernel = min((slide.size + slide.before + slide.after - 1) // slide.dilation + 1 for slide in slides)
        missing = max((1 - slide.room) // 2 + slide.before for slide in slides)
        return f"a kernel of at most {kernel} fits, or padding={missing}; or let the map shrink less before this conv"

    def weights(self, x: Shape) -> Weights:
        return conv_weights((self.out, x.channels // self.groups, *per_axis(self, "kernel", x)), self.out, self.bias)

    def torch(self, x: Shape) -> TorchCall:
        return ranked("Conv", x, x.channels, self.out, self.kernel, **self.keywords(*OPTIONS, "padding_mode"))


class ConvTranspose(Layer):
    """The reverse of a strided conv: every input spreads over a window of the output, so the map grows."""

    word = "conv_transpose"
    out: Count
    kernel: Kernel
    stride: Kernel = 1
    padding: Amounts = 0
    output_padding: Amounts = 0
    groups: Count = 1
    bias: bool = True
    dilation: Kernel = 1

    claims = "out"
    reach: ClassVar[Reach] = "window"
    multiplies_at = "input"
    example = "conv_transpose(16, 2, stride=2) @ 32x8x8"

    def _axes(self, x: Shape) -> list[tuple[int, ...]]:
        """Size, kernel, stride, padding, output_padding and dilation along each axis."""
        names = ("kernel", "stride", "padding", "output_padding", "dilation")
        return list(zip(x.spatial, *(per_axis(self, name, x) for name in names), strict=True))

    def output(self, x: Shape) -> Shape:
        require_map(self, x)
        require_conv_groups(self, self.groups, self.out, x)
        axes = self._axes(x)
        for _, _, stride, _, extra, dilation in axes:
            if extra >= max(stride, dilation):
                raise Refused(
                    "E307",
                    f"output_padding of conv_transpose is {extra}, not smaller than its stride {stride}"
                    + (f" or its dilation {dilation}" if dilation > 1 else ""),
                    argument="output_padding",
                    help="output_padding chooses between the sizes that one stride can give: at most stride - 1",
                )
        sizes = tuple(transposed_size(*axis) for axis in axes)
        if any(size < 1 for size in sizes):
            raise Refused(
                "E303",
                f"conv_transpose leaves nothing of the map {x}: its padding takes away more than there is",
                argument="padding",
                why=self.arithmetic(x),
                help="padding makes the output of conv_transpose smaller: use less of it",
            )
        return Shape((self.out, *sizes))

    def arithmetic(self, x: Shape) -> str:
        return ", ".join(dict.fromkeys(transposed_formula(*axis) for axis in self._axes(x)))

    def weights(self, x: Shape) -> Weights:
        return conv_weights((x.channels, self.out // self.groups, *per_axis(self, "kernel", x)), self.out, self.bias)

    def window(self, x: Shape) -> Window:
        kernel, stride, padding, dilation = (
            per_axis(self, name, x) for name in ("kernel", "stride", "padding", "dilation")
        )
        return Window(kernel, stride, padding, dilation, upsamples=True)

    def torch(self, x: Shape) -> TorchCall:
        return ranked(
            "ConvTranspose", x, x.channels, self.out, self.kernel, **self.keywords(*OPTIONS, "output_padding")
        )


def transposed_size(size: int, kernel: int, stride: int, padding: int, extra: int, dilation: int) -> int:
    """The sum of the PyTorch documentation (`nn.ConvTranspose2d`, under Shape)."""
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1


def transposed_formula(size: int, kernel: int, stride: int, padding: int, extra: int, dilation: int) -> str:
    spread = str(kernel) if dilation == 1 else f"({dilation}*({kernel} - 1) + 1)"
    start = f"({size} - 1)*{stride}" if stride > 1 else f"{size} - 1"
    terms = [f"{start} + {spread}", f" - 2*{padding}" if padding else "", f" + {extra}" if extra else ""]
    return f"{''.join(terms)} = {transposed_size(size, kernel, stride, padding, extra, dilation)}"
