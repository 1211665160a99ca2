"""Layers that rearrange values and compute nothing."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from cnnspec.layers.axes import possible_groups, require_groups, require_map, times
from cnnspec.layers.base import Layer, Reach, Refused, Shape, TorchCall, Window
from cnnspec.words import Count, Dims


def product(sizes: tuple[int, ...]) -> str:
    return f"{' * '.join(map(str, sizes))} = {prod(sizes)}"


class Flatten(Layer):
    """Lays all values of a map in one row of features."""

    word = "flatten"
    reach: ClassVar[Reach] = "all"
    example = "flatten @ 128x4x4"

    def output(self, x: Shape) -> Shape:
        return Shape((x.elements,))

    def arithmetic(self, x: Shape) -> str:
        return product(x.sizes) if x.rank else ""

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.Flatten")


class Unflatten(Layer):
    """Folds features into a map of the given shape, channels first."""

    word = "unflatten"
    shape: Dims

    reach: ClassVar[Reach] = "all"
    example = "unflatten(128x4x4) @ 2048"

    def output(self, x: Shape) -> Shape:
        if x.rank:
            raise Refused("E302", f"unflatten takes features, but {x} is a map", help="put flatten before it")
        if prod(self.shape) != x.channels:
            raise Refused(
                "E307",
                f"unflatten makes {prod(self.shape)} values into {times(self.shape)}, but {x.channels} arrive",
                argument="shape",
                why=product(self.shape),
                help=f"let the layer before it give {prod(self.shape)}",
            )
        return Shape(self.shape)

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.Unflatten", (1, self.shape))


class Identity(Layer):
    """Passes on what it is given."""

    word = "identity"
    example = "identity @ 16x8x8"

    def output(self, x: Shape) -> Shape:
        return x

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.Identity")


class ChannelsLast(Layer):
    """Moves the channels behind the axes of the map, CxHxW to HxWxC, for layers that act on the last axis.

    The axes really change places, as with `permute`; PyTorch's memory format of the same name keeps their order."""

    word = "channels_last"
    example = "channels_last @ 96x56x56"

    def output(self, x: Shape) -> Shape:
        require_other_layout(self, x, already=x.channels_last)
        return Shape((*x.spatial, x.channels), channels_last=True)

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("Permute", ((0, *range(2, x.rank + 2), 1),))


class ChannelsFirst(Layer):
    """Moves the channels back before the axes of the map, HxWxC to CxHxW, where PyTorch's other layers expect them."""

    word = "channels_first"
    example = "channels_last, channels_first @ 96x56x56"

    def output(self, x: Shape) -> Shape:
        require_other_layout(self, x, already=not x.channels_last)
        return Shape((x.channels, *x.spatial))

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("Permute", ((0, x.rank + 1, *range(1, x.rank + 1)),))


def require_other_layout(layer: Layer, x: Shape, *, already: bool) -> None:
    if x.rank == 0:
        raise Refused(
            "E302",
            f"{layer.word} needs a map, but {x.channels} features arrive",
            help="features have no axes to change places with: leave it out",
        )
    if already:
        where = "last" if x.channels_last else "first"
        raise Refused("E307", f"the channels of {x} already stand {where}", help=f"leave out {layer.word}")


class ChannelShuffle(Layer):
    """Deals the channels out anew, so that what follows in groups sees channels of every group."""

    word = "channel_shuffle"
    groups: Count

    example = "channel_shuffle(2) @ 64x8x8"

    def output(self, x: Shape) -> Shape:
        require_map(self, x)

        def possible() -> str:
            return possible_groups(x.channels)

        require_groups(self, x.channels, self.groups, "channels", argument="groups", help=possible)
        return x

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.ChannelShuffle", (self.groups,))


class PixelShuffle(Layer):
    """Turns channels into pixels: every factor x factor channels become one channel of a larger map."""

    word = "pixel_shuffle"
    factor: Count

    reach: ClassVar[Reach] = "window"
    example = "pixel_shuffle(2) @ 64x8x8"

    def output(self, x: Shape) -> Shape:
        require_image(self, x)
        require_groups(self, x.channels, self.factor**2, "channels", argument="factor")
        return Shape((x.channels // self.factor**2, *(size * self.factor for size in x.spatial)))

    def window(self, x: Shape) -> Window:
        return Window((self.factor,) * 2, (self.factor,) * 2, (0, 0), (1, 1), upsamples=True)

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.PixelShuffle", (self.factor,))


class PixelUnshuffle(Layer):
    """Turns pixels into channels: every factor x factor pixels become one pixel with that many more channels."""

    word = "pixel_unshuffle"
    factor: Count

    reach: ClassVar[Reach] = "window"
    example = "pixel_unshuffle(2) @ 16x8x8"

    def output(self, x: Shape) -> Shape:
        require_image(self, x)
        for size in x.spatial:
            if size % self.factor:
                raise Refused(
                    "E307",
                    f"pixel_unshuffle cannot divide a size of {size} by {self.factor}",
                    argument="factor",
                    why=f"{size} = {self.factor}*{size // self.factor} + {size % self.factor}",
                )
        return Shape((x.channels * self.factor**2, *(size // self.factor for size in x.spatial)))

    def window(self, x: Shape) -> Window:
        return Window((self.factor,) * 2, (self.factor,) * 2, (0, 0), (1, 1))

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.PixelUnshuffle", (self.factor,))


def require_image(layer: Layer, x: Shape) -> None:
    require_map(layer, x)
    if x.rank != 2:
        raise Refused("E302", f"{layer.word} takes maps of two axes (CxHxW), but {x} has {x.rank}")
