"""What joins branches: how each of them gets its input, and what comes of their outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cnnspec.layers.base import Refused, Shape
from cnnspec.words import NonNegative, Word, by_name


class Combinator(Word):
    """A word with branches in braces. It makes no submodule: what stands in the branches belongs to the module around
    it."""

    bars: ClassVar[bool] = True
    """Whether the branches begin with `|`; without bars there is one."""

    example: ClassVar[str] = ""
    """A use and a shape it accepts; shown in the docs and tried by the tests."""

    def inputs(self, x: Shape, branches: int) -> tuple[Shape, ...]:
        """What each branch receives."""
        return (x,) * branches

    def output(self, x: Shape, outputs: Sequence[Shape]) -> Shape:
        """What comes out, given the outputs of the branches; raises `Refused` where they do not fit together."""
        raise NotImplementedError


class Add(Combinator):
    """The sum of its branches, value by value."""

    word = "add"
    example = "add { | conv(16, 3, padding=1) | identity } @ 16x8x8"

    def output(self, x: Shape, outputs: Sequence[Shape]) -> Shape:
        return broadcast(self, outputs)


class Multiply(Combinator):
    """The product of its branches, value by value: a gate of Cx1x1 weighs the channels of CxHxW.

    With split=true each branch receives an equal share of the channels, the first branch the first ones."""

    word = "multiply"
    split: bool = False

    example = "multiply { | identity | adaptive_avgpool(1), conv(16, 1), sigmoid } @ 16x8x8"

    def inputs(self, x: Shape, branches: int) -> tuple[Shape, ...]:
        return shares(self, x, branches) if self.split else super().inputs(x, branches)

    def output(self, x: Shape, outputs: Sequence[Shape]) -> Shape:
        return broadcast(self, outputs)


class Concat(Combinator):
    """The channels of all branches, one after another.

    With split=true each branch receives an equal share of the channels, the first branch the first ones."""

    word = "concat"
    split: bool = False

    example = "concat { | identity | conv(8, 3, padding=1) } @ 16x8x8"

    def inputs(self, x: Shape, branches: int) -> tuple[Shape, ...]:
        return shares(self, x, branches) if self.split else super().inputs(x, branches)

    def output(self, x: Shape, outputs: Sequence[Shape]) -> Shape:
        first = outputs[0]
        _same_axes(self, outputs)
        if any(shape.spatial != first.spatial for shape in outputs):
            raise Refused("E401", f"concat joins maps of one {'height and width' if first.rank == 2 else 'size'}")
        return first.with_channels(sum(shape.channels for shape in outputs))


class Residual(Combinator):
    """Adds what comes in to what its body makes of it; with when=false the body stands alone."""

    word = "residual"
    when: bool = True

    bars = False
    example = "residual { conv(16, 3, padding=1), batchnorm, relu } @ 16x8x8"

    def output(self, x: Shape, outputs: Sequence[Shape]) -> Shape:
        return broadcast(self, (outputs[0], x)) if self.when else outputs[0]


class Aux(Combinator):
    """A side output for training: its loss counts with the given weight, and the input passes on unchanged.

    In training the module returns a tuple: its output, then the side outputs, the deepest first."""

    word = "aux"
    weight: NonNegative = 0.3

    bars = False
    example = "aux { adaptive_avgpool(1), flatten, linear(10) } @ 16x8x8"

    def output(self, x: Shape, outputs: Sequence[Shape]) -> Shape:
        return x


COMBINATORS: dict[str, type[Combinator]] = by_name(Add, Multiply, Concat, Residual, Aux)
"""Every combinator, by its word."""


def shares(word: Combinator, x: Shape, branches: int) -> tuple[Shape, ...]:
    """Equal parts of the channels."""
    if x.channels % branches:
        raise Refused(
            "E304",
            f"{word.word} cannot split {x.channels} channels into {branches} equal parts",
            why=f"{x.channels} = {branches}*{x.channels // branches} + {x.channels % branches}",
            help=f"make their number a multiple of {branches}",
        )
    return (x.with_channels(x.channels // branches),) * branches


def broadcast(word: Combinator, outputs: Sequence[Shape]) -> Shape:
    """The shape of a sum or product: sizes agree, or are 1."""
    _same_axes(word, outputs)
    sizes = tuple(_stretched(word, along) for along in zip(*(shape.sizes for shape in outputs), strict=True))
    return outputs[0].replace(sizes=sizes)


def _stretched(word: Combinator, along: Sequence[int]) -> int:
    """The one size besides 1. Sizes that are left open are compared as seldom as can be: each may be 1 too."""
    found, *others = [size for size in along if type(size) is not int or size != 1] or [1]
    for size in others:
        if size != found and size != 1:
            if found != 1:
                raise Refused("E401", f"{word.word} joins equal shapes")
            found = size
    return found


def _same_axes(word: Combinator, outputs: Sequence[Shape]) -> None:
    if any(shape.replace(sizes=()) != outputs[0].replace(sizes=()) for shape in outputs):
        raise Refused("E401", f"{word.word} joins maps of one layout")
    if any(shape.rank != outputs[0].rank for shape in outputs):
        raise Refused("E401", f"{word.word} joins shapes with the same number of axes")
