"""Pooling: a map becomes smaller by taking the largest or the mean of what a window sees."""

from __future__ import annotations

from typing import ClassVar

from cnnspec.layers.axes import Slide, Sliding, per_axis, ranked, require_map, times
from cnnspec.layers.base import Layer, Reach, Refused, Shape, TorchCall, Window
from cnnspec.words import Amounts, Kernel, Positive, Sizes, like


class Pool(Sliding):
    """Base of the pools with a window of fixed size."""

    kernel: Kernel
    stride: Kernel = like("kernel")
    padding: Amounts = 0

    def output(self, x: Shape) -> Shape:
        require_map(self, x)
        for kernel, padding in zip(per_axis(self, "kernel", x), per_axis(self, "padding", x), strict=True):
            if padding > kernel // 2:
                raise Refused(
                    "E307",
                    f"{self.word} has a padding of {padding}, more than half of its kernel of {kernel}",
                    argument="padding",
                    why=f"{kernel} // 2 = {kernel // 2}",
                    help="some windows would see nothing but padding; use less padding or a larger kernel",
                )
        return Shape((x.channels, *self.slid(x)))


class MaxPool(Pool):
    """Keeps the largest value of each window; by default the windows lie side by side."""

    word = "maxpool"
    dilation: Kernel = 1
    ceil: bool = False

    example = "maxpool(2) @ 16x28x28"

    def slides(self, x: Shape) -> tuple[Slide, ...]:
        names = ("kernel", "stride", "padding", "dilation")
        return tuple(
            Slide(size, k, s, p, p, d, self.ceil)
            for size, k, s, p, d in zip(x.spatial, *(per_axis(self, name, x) for name in names), strict=True)
        )

    def torch(self, x: Shape) -> TorchCall:
        return ranked("MaxPool", x, self.kernel, **self.keywords("stride", "padding", "dilation", ceil_mode="ceil"))


class AvgPool(Pool):
    """Takes the mean of each window; by default the windows lie side by side."""

    word, keeps = "avgpool", "input"
    ceil: bool = False
    count_include_pad: bool = True

    example = "avgpool(2) @ 16x28x28"

    def slides(self, x: Shape) -> tuple[Slide, ...]:
        names = ("kernel", "stride", "padding")
        return tuple(
            Slide(size, k, s, p, p, ceil=self.ceil)
            for size, k, s, p in zip(x.spatial, *(per_axis(self, name, x) for name in names), strict=True)
        )

    def output(self, x: Shape) -> Shape:
        result = super().output(x)
        require_cube(self, x)
        return result

    def torch(self, x: Shape) -> TorchCall:
        options = self.keywords("stride", "padding", ceil_mode="ceil", count_include_pad="count_include_pad")
        return ranked("AvgPool", x, self.kernel, **options)


def require_cube(layer: Layer, x: Shape) -> None:
    """Refuse a mean over more than there is of CxDxHxW."""
    kernel = per_axis(layer, "kernel", x)
    if x.rank == 3 and any(k > size for k, size in zip(kernel, x.spatial, strict=True)):
        raise Refused(
            "E303",
            f"{layer.word} has a {times(kernel)} kernel for a map of only {times(x.spatial)}, before its padding",
            argument="kernel",
            help=f"on maps of three axes PyTorch wants the kernel of {layer.word} to fit without the padding",
        )


class LPPool(Sliding):
    """Takes the root of the sum of powers of each window: norm_type=1 gives the sum, 2 the length of the vector, and
    large numbers come near the largest value."""

    word = "lp_pool"
    norm_type: Positive
    kernel: Kernel
    stride: Kernel = like("kernel")
    ceil: bool = False

    example = "lp_pool(2, 2) @ 16x28x28"

    def slides(self, x: Shape) -> tuple[Slide, ...]:
        names = ("kernel", "stride")
        return tuple(
            Slide(size, k, s, ceil=self.ceil)
            for size, k, s in zip(x.spatial, *(per_axis(self, name, x) for name in names), strict=True)
        )

    def output(self, x: Shape) -> Shape:
        require_map(self, x)
        sizes = self.slid(x)
        require_cube(self, x)
        return Shape((x.channels, *sizes))

    def torch(self, x: Shape) -> TorchCall:
        # nn.LPPool1d is the pool that takes no kernel in a tuple.
        kernel = self.kernel[0] if isinstance(self.kernel, tuple) and len(self.kernel) == 1 else self.kernel
        return ranked("LPPool", x, self.norm_type, kernel, **self.keywords("stride", ceil_mode="ceil"))


class AdaptivePool(Layer):
    """Base of the pools that are told the size of their output and choose their windows themselves."""

    size: Sizes

    module: ClassVar[str]
    reach: ClassVar[Reach] = "window"

    def sizes(self, x: Shape) -> tuple[int, ...]:
        """The size of the output along each axis; `?` keeps what arrives."""
        return tuple(old if new is None else new for old, new in zip(x.spatial, per_axis(self, "size", x), strict=True))

    def output(self, x: Shape) -> Shape:
        require_map(self, x)
        return Shape((x.channels, *self.sizes(x)))

    def window(self, x: Shape) -> Window | None:
        """None where the windows differ in size, and where a single one sees everything."""
        sizes = self.sizes(x)
        kernel = tuple(old // new for old, new in zip(x.spatial, sizes, strict=True))
        alike = all(old == new * k for old, new, k in zip(x.spatial, sizes, kernel, strict=True))
        return Window(kernel, kernel, (0,) * x.rank, (1,) * x.rank) if alike and max(sizes) > 1 else None

    def torch(self, x: Shape) -> TorchCall:
        # nn.AdaptiveAvgPool1d is the one that does not take None.
        return ranked(self.module, x, x.spatial if self.size == (None,) else self.size)


class AdaptiveAvgPool(AdaptivePool):
    """Takes means over as many windows as the output has places; `adaptive_avgpool(1)` is the mean of the map."""

    word = "adaptive_avgpool"
    module = "AdaptiveAvgPool"
    example = "adaptive_avgpool(1) @ 512x7x7"


class AdaptiveMaxPool(AdaptivePool):
    """Keeps the largest value of as many windows as the output has places."""

    word = "adaptive_maxpool"
    module = "AdaptiveMaxPool"
    example = "adaptive_maxpool(1) @ 512x7x7"
