"""The receptive field: what the values of a map see of the network's input.

Along each axis, a window of kernel k, dilation d, stride s and padding p changes a field of span r, step j and offset o
by the recurrence

    r += (k - 1) * d * j        o -= p * j        j *= s

(Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019,
doi:10.23915/distill.00021). Behind layers that enlarge a map, and behind adaptive pools, the places of a map see
differently much, with a period: so what is kept is the first and last value seen for each place of one period, and how
far a period further on moves them. For windows alone the period is 1, and this is the recurrence.

Where branches join, a value sees what it sees through any of them: from the first value to the last. Where a step in
the map means different steps in the input, branch by branch, what each place sees is listed.

Places run on beyond the edges of maps, as if padding were more of the input: that is what makes fields alike at all
places. `footprint` knows the edges. The mean and variance that norms take from a map, and the sums of softmax, do not
count as seeing.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, lcm
from typing import TYPE_CHECKING

from cnnspec.analysis.steps import joins
from cnnspec.analysis.taps import HERE, Taps, taps
from cnnspec.layers.base import Shape
from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, Network, nodes
from cnnspec.record import Record

if TYPE_CHECKING:
    from fractions import Fraction

Span = tuple[int, int]
"""The first and the last value of the input that are seen."""


class Axis(Record):
    """What the places of a map see along one axis of the input, which has `size` values.

    `spans` are those of the places of one period, None where nothing is seen; a period further on they lie `shift`
    values further. Without a shift they are those of all places. `apart` tells by how much the middles of what is seen
    through different branches differ, at the most."""

    spans: tuple[Span | None, ...]
    shift: int | None
    size: int
    apart: float = 0.0

    def at(self, place: int) -> Span | None:
        """What a place sees; negative numbers, and those from `size` on, are padding."""
        if self.shift is None:
            return self.spans[place] if 0 <= place < len(self.spans) else None
        periods, phase = divmod(place, len(self.spans))
        span = self.spans[phase]
        return span and (span[0] + periods * self.shift, span[1] + periods * self.shift)

    @property
    def width(self) -> int:
        """How many values a place sees from the first to the last, at the most."""
        return max((last - first + 1 for first, last in filter(None, self.spans)), default=0)

    @property
    def stride(self) -> int | Fraction | None:
        """How far the field of the next place is from this one, in the mean: a fraction behind layers that enlarge the
        map; None where it varies from place to place."""
        if self.shift is None or self.shift % len(self.spans) == 0:
            return self.shift and self.shift // len(self.spans)
        from fractions import Fraction

        return Fraction(self.shift, len(self.spans))

    @property
    def offset(self) -> int:
        """The first value that the first place sees, negative where that is padding."""
        span = self.at(0)
        return span[0] if span else 0

    @property
    def whole(self) -> bool:
        """Whether every place sees all there is, wherever it is."""
        return self.shift == 0 and all(span and span[0] <= 0 and span[1] >= self.size - 1 for span in self.spans)

    def off_centre(self, places: int) -> float:
        """How far the fields of a map of so many places, taken together, lie off the middle of the input: negative
        towards its beginning."""
        first, last = self.at(0), self.at(places - 1)
        return (first[0] + last[1] - self.size + 1) / 2 if first and last else 0.0


class Field(Record):
    """What the values of a map see, along each axis of the input. `whole` tells that each sees all of the input; there
    are no axes then, nor are there for an input without axes."""

    axes: tuple[Axis, ...]
    whole: bool = False

    @property
    def size(self) -> tuple[int, ...]:
        """How many values are seen along each axis, at the most: more than there are where the field reaches into
        padding."""
        return tuple(axis.width for axis in self.axes)

    @property
    def stride(self) -> tuple[int | Fraction | None, ...]:
        return tuple(axis.stride for axis in self.axes)

    @property
    def offset(self) -> tuple[int, ...]:
        return tuple(axis.offset for axis in self.axes)

    @property
    def apart(self) -> float:
        """By how many values of the input the middles of branches lie apart, at the most."""
        return max((axis.apart for axis in self.axes), default=0.0)

    def off_centre(self, output: Shape) -> tuple[float, ...]:
        return tuple(axis.off_centre(places) for axis, places in zip(self.axes, output.spatial, strict=True))


WHOLE = Field((), whole=True)


def start(x: Shape) -> Field:
    """The field of an input: every value sees itself."""
    return Field(tuple(Axis(((0, 0),), 1, size) for size in x.spatial))


def through(field: Field, node: LayerNode) -> Field:
    """The field behind a layer, given the one before it."""
    if field.whole or node.layer.reach == "point":
        return field
    along = taps(node.layer, node.input)
    if along is None:
        return WHOLE if node.input.rank or node.output.rank else field
    axes = zip(field.axes, along, node.output.spatial, strict=True)
    return _field(tuple(_slid(axis, each, places) for axis, each, places in axes))


def _field(axes: tuple[Axis, ...]) -> Field:
    return WHOLE if axes and all(axis.whole for axis in axes) else Field(axes)


def _slid(axis: Axis, along: Taps, places: int) -> Axis:
    """Behind a layer that sees these taps, and whose output has so many places."""
    if along is HERE:
        return axis
    count, shift = _period(axis, along, places)
    spans = (_hull([axis.at(each) for each in along.at(place)]) for place in range(count))
    return _axis(tuple(spans), shift, axis.size, axis.apart)


def _period(axis: Axis, along: Taps, places: int) -> tuple[int, int | None]:
    """How many places it takes until the same comes again, and how far on that is in the input."""
    if along.shift == 0 or axis.shift == 0:
        return len(along.sees), 0
    if axis.shift is None:
        return places, None
    periods = len(axis.spans) // gcd(len(axis.spans), along.shift)
    return periods * len(along.sees), periods * along.shift // len(axis.spans) * axis.shift


def _axis(spans: tuple[Span | None, ...], shift: int | None, size: int, apart: float) -> Axis:
    """With the shortest period; places that all see everything are all the same."""
    if shift is None and all(span and span[0] <= 0 and span[1] >= size - 1 for span in spans):
        return Axis(((0, size - 1),), 0, size, apart)
    if not shift and len(set(spans)) == 1:
        return Axis(spans[:1], 0, size, apart)
    return Axis(spans, shift, size, apart)


def _hull(spans: Sequence[Span | None]) -> Span | None:
    seen = [span for span in spans if span]
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None


# ---------------------------------------------------------------------------------------------------------- branches


def together(branches: Sequence[tuple[Field, Shape]], output: Shape) -> Field:
    """What is seen through any of several branches, each with the shape it ends in, which may be spread."""
    if any(field.whole for field, _ in branches):
        return WHOLE
    along = []
    for number, places in enumerate(output.spatial):
        axes = [_spread(field.axes[number], shape.spatial[number], places) for field, shape in branches]
        along.append(_joined(axes, places))
    return _field(tuple(along))


def _spread(axis: Axis, places: int, wanted: int) -> Axis:
    """Over a larger map, all places of which see what the only one did."""
    return axis.replace(spans=(axis.at(0),), shift=0) if places == 1 < wanted else axis


def _joined(axes: Sequence[Axis], places: int) -> Axis:
    first = axes[0]
    apart = max(axis.apart for axis in axes)
    if all(axis == first for axis in axes):
        return first
    count, shift = _common_period(axes, places)
    spans = [[axis.at(place) for axis in axes] for place in range(count)]
    apart = max(apart, *map(_apart, spans))
    return _axis(tuple(map(_hull, spans)), shift, first.size, apart)


def _common_period(axes: Sequence[Axis], places: int) -> tuple[int, int | None]:
    count = lcm(*(len(axis.spans) for axis in axes))
    shifts = {axis.shift if axis.shift is None else count // len(axis.spans) * axis.shift for axis in axes}
    return (places, None) if len(shifts) > 1 or None in shifts else (count, shifts.pop())


def _apart(spans: Sequence[Span | None]) -> float:
    """How far the middles lie apart."""
    middles = [first + last for first, last in filter(None, spans)]
    return (max(middles) - min(middles)) / 2 if middles else 0.0


# ------------------------------------------------------------------------------------------------------------ fold


class Fields(Record):
    """The fields of all outputs: `layers` are those of `network.layers`, `joins` those of the joins among its `steps`,
    each in the order they run."""

    layers: tuple[Field, ...]
    joins: tuple[Field, ...]


def fields(network: Network) -> Fields:
    found = _Found()
    found.behind(network.root.items, start(network.input))
    return Fields(tuple(found.layers), tuple(found.joins))


class _Found:
    def __init__(self) -> None:
        self.layers: list[Field] = []
        self.joins: list[Field] = []

    def behind(self, items: tuple[Item, ...], field: Field) -> Field:
        """The field behind steps that run one after another."""
        for node in nodes(items):
            if isinstance(node, LayerNode):
                field = through(field, node)
                self.layers.append(field)
            elif isinstance(node, GroupNode):
                field = self.behind(node.items, field)
            else:
                field = self.behind_branches(node, field)
        return field

    def behind_branches(self, node: CombineNode, field: Field) -> Field:
        ends = [(self.behind(branch, field), _output(branch, node.input)) for branch in node.branches]
        if not joins(node):
            return field if node.kind == "aux" else ends[0][0]
        if node.kind == "residual":
            ends.append((field, node.input))
        joined = together(ends, node.output)
        self.joins.append(joined)
        return joined


def _output(branch: tuple[Item, ...], input: Shape) -> Shape:
    output = input
    for node in nodes(branch):
        output = node.output
    return output
