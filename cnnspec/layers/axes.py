"""What the layers that work on maps have in common: axes, groups of channels, and windows that slide."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from cnnspec.layers.base import Layer, Reach, Refused, Shape, TorchCall, Window
from cnnspec.record import Record
from cnnspec.words import together

LARGEST_RANK = 3


def require_map(layer: Layer, x: Shape) -> None:
    """Refuse what is not CxL, CxHxW or CxDxHxW."""
    require_channels_first(layer, x)
    if x.rank == 0:
        raise Refused(
            "E302",
            f"{layer.word} needs a map, but {x.channels} features arrive",
            help=f"put {layer.word} before flatten, or give the features the shape of a map with unflatten",
        )
    if x.rank > LARGEST_RANK:
        raise Refused("E302", f"{layer.word} takes maps of one to three axes, but {x} has {x.rank}")


def require_channels_first(layer: Layer, x: Shape) -> None:
    if x.channels_last:
        raise Refused(
            "E307",
            f"{layer.word} needs the channels first, but {x} arrives",
            help=f"put channels_first before {layer.word}",
        )


def per_axis(layer: Layer, argument: str, x: Shape) -> tuple[int, ...]:
    """The value of an argument along each axis of the map; refuses a list that is longer or shorter."""
    value = getattr(layer, argument)
    if not isinstance(value, tuple):
        return (value,) * x.rank
    if len(value) == x.rank:
        return tuple(value)
    given, wanted = count_of(len(value), "number", "numbers"), count_of(x.rank, "axis", "axes")
    raise Refused(
        "E302",
        f"{argument} of {layer.word} has {given}, but the map {x} has {wanted}",
        argument=argument,
        help=f"write one number for all axes, or a list of {x.rank}",
    )


def count_of(count: int, one: str, more: str) -> str:
    """`1 axis`, `2 axes`"""
    return f"{count} {one if count == 1 else more}"


def require_groups(
    layer: Layer, count: int, groups: int, what: str, *, argument: str | None, help: Callable[[], str] | None = None
) -> None:
    """Refuse a number of channels that the groups do not share evenly. `what` are the channels, in words."""
    if count % groups:
        raise Refused(
            "E304",
            f"{layer.word} cannot divide {count} {what} into {groups} equal groups",
            argument=argument,
            why=f"{count} = {groups}*{count // groups} + {count % groups}",
            help=help or (lambda: f"make their number a multiple of {groups}: {_multiples(count, groups)}"),
        )


def _multiples(count: int, groups: int) -> str:
    """Those nearest to a number."""
    below = count - count % groups
    return f"{below} or {below + groups}" if below else str(groups)


def possible_groups(count: int) -> str:
    """Help for an argument `groups`: what divides a number of channels."""
    return f"groups can be {together((n for n in range(1, min(count, 64) + 1) if count % n == 0), 'or')} here"


def ranked(name: str, x: Shape, *args: Any, **kwargs: Any) -> TorchCall:
    """A call of the module of the map's rank: `Conv` becomes `nn.Conv2d` on CxHxW."""
    return TorchCall(f"nn.{name}{x.rank}d", args, kwargs)


def times(sizes: Iterable[object]) -> str:
    """Sizes as they are written: 3x5."""
    return "x".join(map(str, sizes))


class Slide(Record):
    """A window sliding along one axis, with the sums of the PyTorch documentation (`nn.Conv2d` and `nn.MaxPool2d`,
    under Shape). `before` and `after` are the padding on the two sides."""

    size: int
    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil: bool = False

    @property
    def extent(self) -> int:
        """What the window spans, its gaps included."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def room(self) -> int:
        """How far the window can move; negative where it does not fit."""
        return self.size + self.before + self.after - self.extent

    @property
    def places(self) -> int:
        """Where the window comes to rest: the size of the output along this axis, when it is 1 or more."""
        if not self.ceil:
            return self.room // self.stride + 1
        return self.rounded_up - self.drops_last

    @property
    def rounded_up(self) -> int:
        return -(-self.room // self.stride) + 1

    @property
    def drops_last(self) -> bool:
        """Whether rounding up added a window that begins beyond the input, which does not count."""
        return (self.rounded_up - 1) * self.stride >= self.size + self.before

    @property
    def formula(self) -> str:
        """The sum behind `places`, without the terms that change nothing."""
        if (self.kernel, self.stride, self.before, self.after) == (1, 1, 0, 0):
            return ""
        room = f"{self.size}{self._padding} - {self._extent}"
        if self.stride == 1:
            return f"{room} + 1 = {self.places}"
        if not self.ceil:
            return f"({room}) // {self.stride} + 1 = {self.places}"
        rounded = f"ceil(({room}) / {self.stride}) + 1 = {self.rounded_up}"
        return f"{rounded}, less 1 that begins beyond the input = {self.places}" if self.drops_last else rounded

    @property
    def _padding(self) -> str:
        if self.before != self.after:
            return f" + {self.before} + {self.after}"
        return f" + 2*{self.before}" if self.before else ""

    @property
    def _extent(self) -> str:
        return str(self.kernel) if self.dilation == 1 else f"({self.dilation}*({self.kernel} - 1) + 1)"


class Sliding(Layer):
    """Base of the layers that slide a window over a map: convolutions and pools."""

    reach: ClassVar[Reach] = "window"

    def slides(self, x: Shape) -> tuple[Slide, ...]:
        """The window along each axis of a map; refuses arguments with too many or too few numbers."""
        raise NotImplementedError

    def mending(self, slides: tuple[Slide, ...]) -> str:
        """What to do about a window that does not fit."""
        return f"leave out this {self.word} or an earlier one, or start with a larger input"

    def arithmetic(self, x: Shape) -> str:
        return formulas(self.slides(x))

    def window(self, x: Shape) -> Window:
        slides = self.slides(x)
        return Window(
            tuple(s.kernel for s in slides),
            tuple(s.stride for s in slides),
            tuple(s.before for s in slides),
            tuple(s.dilation for s in slides),
        )

    def slid(self, x: Shape) -> tuple[int, ...]:
        """The sizes of the output's map; refuses a window that fits nowhere."""
        slides = self.slides(x)
        if all(slide.places > 0 for slide in slides):
            return tuple(slide.places for slide in slides)
        padded = times(slide.size + slide.before + slide.after for slide in slides)
        with_padding = "" if padded == times(x.spatial) else f" ({padded} with its padding)"
        spans = "" if all(slide.dilation == 1 for slide in slides) else "dilated "
        raise Refused(
            "E303",
            f"{self.word} slides a {spans}{times(s.extent for s in slides)} window "
            f"over a map of only {times(x.spatial)}{with_padding}",
            argument="kernel",
            why=lambda: formulas(slide for slide in slides if slide.places < 1),
            help=lambda: self.mending(slides),
        )


def formulas(slides: Iterable[Slide]) -> str:
    return ", ".join(dict.fromkeys(slide.formula for slide in slides if slide.formula))
