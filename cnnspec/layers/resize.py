"""Layers that make a map larger or smaller without weights."""

from __future__ import annotations

from math import floor, isclose
from typing import Any, ClassVar, Literal

from cnnspec.layers.axes import count_of, per_axis, ranked, require_map, times
from cnnspec.layers.base import Layer, Reach, Refused, Shape, TorchCall, Window
from cnnspec.layers.conv import require_padding_source
from cnnspec.words import KINDS, LARGEST, Kernel, Kind, Mismatch, Number, together

Sides = int | tuple[int, ...]


def _sides(value: Any) -> Sides:
    for number in value if isinstance(value, tuple) else (value,):
        if not isinstance(number, int) or isinstance(number, bool):
            raise Mismatch("it is neither")
    return value  # type: ignore[no-any-return]


KINDS["Sides"] = Kind("a whole number, or a list [left, right, top, bottom]; negative numbers crop", _sides)


CROPS_FIRST = ("zeros", "circular")
"""Modes in which torch crops one side before it pads the other, so that no more can be cropped than there is."""


class Pad(Layer):
    """Puts a border around a map, or with negative amounts crops it."""

    word = "pad"
    amount: Sides
    mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    value: Number = 0.0

    reach: ClassVar[Reach] = "window"
    example = "pad([1, 2, 1, 2], mode=reflect) @ 16x8x8"

    module: ClassVar[dict[str, str]] = {
        "zeros": "ZeroPad",
        "reflect": "ReflectionPad",
        "replicate": "ReplicationPad",
        "circular": "CircularPad",
    }

    def sides(self, x: Shape) -> list[tuple[int, int]]:
        """Before and after, for each axis in the order of the shape. Written amounts begin with the last axis."""
        if isinstance(self.amount, int):
            return [(self.amount, self.amount)] * x.rank
        if len(self.amount) != 2 * x.rank:
            order = ("left", "right", "top", "bottom", "front", "back")[: 2 * x.rank]
            raise Refused(
                "E302",
                f"pad has {len(self.amount)} amounts, but the map {x} has {2 * x.rank} sides",
                argument="amount",
                help=f"write one number for all sides, or [{', '.join(order)}]",
            )
        pairs = list(zip(self.amount[::2], self.amount[1::2], strict=True))
        return pairs[::-1]

    def output(self, x: Shape) -> Shape:
        require_map(self, x)
        if self.value and self.mode != "zeros":
            message = f"pad fills with a value of {self.value:g} and by {self.mode} at the same time"
            raise Refused("E307", message, argument="value", help="leave out the mode, or the value")
        sides = list(zip(x.spatial, self.sides(x), strict=True))
        for size, amounts in sides:
            cropped = sum(max(0, -amount) for amount in amounts)
            if size + sum(amounts) < 1 or (cropped > size and self.mode in CROPS_FIRST):
                message = f"pad crops away all of a size of {size}"
                raise Refused(
                    "E303",
                    message,
                    argument="amount",
                    why=f"{size} - {cropped} = {size - cropped}",
                    help=f"crop less than {size} in all",
                )
            for amount in amounts:
                require_padding_source(self.mode, size, amount, "amount")
        return Shape((x.channels, *(size + sum(amounts) for size, amounts in sides)))

    def window(self, x: Shape) -> Window:
        """One value wide, at another place."""
        here = (1,) * x.rank
        return Window(here, here, tuple(before for before, _ in self.sides(x)), here)

    def torch(self, x: Shape) -> TorchCall:
        if self.value:
            return ranked("ConstantPad", x, self.amount, self.value)
        return ranked(self.module[self.mode], x, self.amount)


Factor = float | tuple[float, ...]


def _factor(value: Any) -> Factor:
    if isinstance(value, tuple):
        if not value:
            raise Mismatch("the list is empty")
        return tuple(map(_one_factor, value))
    return _one_factor(value)


def _one_factor(value: Any) -> float:
    """Whole factors stay whole numbers, for the eye."""
    number = KINDS["Positive"].read(value)
    if number > LARGEST:
        raise Mismatch(f"{number:g} is more than {LARGEST}")
    return int(number) if number.is_integer() else number


KINDS["Factor"] = Kind("a number above 0, or one per axis ([2, 1.5])", _factor)


RANKS = {"nearest": (1, 2, 3), "linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,)}
"""The ranks of the maps that a mode can enlarge."""

SEES = {"nearest": 1, "bicubic": 4}
"""How many inputs an output is made from, along each axis; 2 where nothing is said."""


FINEST = 1024
"""Factors that are multiples of one part in so many are taken as they are written."""


def _resized(size: int, factor: float) -> int:
    """PyTorch rounds down, and so would sample beside the map: refuse what comes out between two sizes."""
    if type(factor) is int:
        return size * factor
    exact = size * factor
    below = floor(exact)
    rounded = factor.as_integer_ratio()[1] > FINEST  # a decimal such as 0.3, which no float is
    if below >= 1 and (exact == below or (rounded and isclose(exact, below, rel_tol=1e-9))):
        return below
    sizes = together((f"size={whole}" for whole in (below, below + 1) if whole), "or")
    raise Refused(
        "E307",
        f"upsample by a factor of {factor:g} makes no whole size of {size}",
        argument="factor",
        why=f"{size} * {factor:g} = {exact:g}",
        help=f"write the size that is to come out: {sizes}",
    )


class Upsample(Layer):
    """Makes a map larger or smaller, by a factor or to a size, by repeating values or drawing a line between them."""

    word = "upsample"
    factor: Factor | None = None
    size: Kernel | None = None
    mode: Literal["nearest", "linear", "bilinear", "bicubic", "trilinear"] = "nearest"
    align_corners: bool = False

    reach: ClassVar[Reach] = "window"
    example = "upsample(2) @ 16x8x8"

    def sizes(self, x: Shape) -> tuple[int, ...]:
        if self.factor is None:
            return per_axis(self, "size", x)
        factors = per_axis(self, "factor", x)
        return tuple(_resized(size, factor) for size, factor in zip(x.spatial, factors, strict=True))

    def output(self, x: Shape) -> Shape:
        require_map(self, x)
        if (self.factor is None) == (self.size is None):
            given = "neither a factor nor a size" if self.size is None else "a factor and a size"
            message = f"upsample is given {given}"
            raise Refused("E203" if self.size is None else "E205", message, help="give one of them")
        if x.rank not in RANKS[self.mode]:
            fitting = together((mode for mode, ranks in RANKS.items() if x.rank in ranks), "or")
            message = f"upsample has no mode {self.mode} for the map {x}, which has {count_of(x.rank, 'axis', 'axes')}"
            raise Refused("E302", message, argument="mode", help=f"here it can be {fitting}")
        if self.align_corners and self.mode == "nearest":
            message = "upsample cannot align corners in mode nearest, which repeats values"
            raise Refused("E307", message, argument="align_corners")
        return Shape((x.channels, *self.sizes(x)))

    def window(self, x: Shape) -> Window | None:
        """None where the size is no multiple of what arrives, or nothing is enlarged evenly."""
        factors = tuple(new // old for new, old in zip(self.sizes(x), x.spatial, strict=True))
        if self.align_corners or times(self.sizes(x)) != times(f * s for f, s in zip(factors, x.spatial, strict=True)):
            return None
        sees = SEES.get(self.mode, 2)
        kernel = tuple(f * sees if f > 1 else 1 for f in factors)
        padding = tuple((f * (sees - 1) + 1) // 2 if f > 1 else 0 for f in factors)
        return Window(kernel, factors, padding, (1,) * x.rank, upsamples=True)

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.Upsample", (), self.keywords("size", "mode", "align_corners", scale_factor="factor"))
