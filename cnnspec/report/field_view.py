"""What one place behind a layer sees of the input: in words, in characters and as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from html import escape
from itertools import groupby
from math import prod
from typing import Any

from cnnspec.analysis.field import Field
from cnnspec.analysis.footprint import Footprint
from cnnspec.layers.base import Shape
from cnnspec.network.model import Network
from cnnspec.record import Record
from cnnspec.report.summary import field_as_dict

PLACES = {1: ("places",), 2: ("rows", "columns"), 3: ("slices", "rows", "columns")}
WIDTH, HEIGHT = 72, 48
"""Characters that a drawing takes at the most."""

INSIDE, SEEN, PARTLY, PADDING = "·", "█", "▓", "░"


class View(Record):
    """One place (`at`) of the map behind `layer`, what it sees, and the field that all places of the map have. `str`
    gives what `cnnspec field` prints."""

    network: Network
    layer: str
    output: Shape
    at: tuple[int, ...]
    field: Field
    footprint: Footprint

    @cached_property
    def hull(self) -> tuple[tuple[int, int], ...]:
        """From where to where it reaches along each axis, padding included: negative numbers, and those behind the end
        of the input, are padding. Empty where nothing is seen, or all that there is."""
        spans = [axis.at(place) for axis, place in zip(self.field.axes, self.at, strict=False)]
        return tuple(filter(None, spans)) if all(spans) else ()

    @property
    def in_padding(self) -> float:
        """The part of the field that lies outside the input."""
        if not self.hull:
            return 0.0
        sizes = self.network.input.spatial
        inside = (max(0, min(b, n - 1) - max(a, 0) + 1) for (a, b), n in zip(self.hull, sizes, strict=True))
        return 1 - prod(inside) / prod(b - a + 1 for a, b in self.hull)

    def __str__(self) -> str:
        lines = [title(self), *(f"  {sentence}" for sentence in words(self))]
        return "\n".join([*lines, "", *drawing(self), "", LEGEND] if self.drawable else lines)

    @property
    def drawable(self) -> bool:
        """Whether the input has one axis or two."""
        return self.network.input.rank in (1, 2)

    def _repr_svg_(self) -> str | None:
        """What a notebook shows."""
        return svg(self) if self.drawable else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON. `seen` is from where to where along each axis, edges included."""
        return {
            "model": self.network.name,
            "input": list(self.network.input.sizes),
            "layer": self.layer,
            "output": list(self.output.sizes),
            "at": list(self.at),
            "receptive_field": field_as_dict(self.field),
            "offset": list(self.field.offset),
            "off_centre": list(self.field.off_centre(self.output)) if self.field.axes else [],
            "branches_apart": self.field.apart,
            "seen": [list(span) for span in self.footprint.hull],
            "seen_places": self.footprint.count,
            "in_padding": round(self.in_padding, 6),
        }


# ------------------------------------------------------------------------------------------------------------- words


def words(view: View) -> Iterator[str]:
    """Sentences about the field."""
    yield _seen(view)
    field = view.field
    if field.whole or not field.axes:
        return
    yield f"size {_by(field.size)}: {_steps(view)}; the first field starts at {', '.join(map(str, field.offset))}"
    if view.in_padding:
        yield f"{view.in_padding:.0%} of this field lies in the padding around the input"
    yield _centre(view)
    if field.apart:
        yield f"branches that join see places whose middles lie up to {_number(field.apart)} apart"


def _seen(view: View) -> str:
    spatial = view.network.input.spatial
    if not spatial:
        return "the input is a vector, of which all is seen"
    if not view.footprint.boxes:
        return "sees nothing of the input"
    everywhere = prod(spatial)
    hull, count = view.footprint.hull, view.footprint.count
    if count == everywhere:
        return f"sees all of the input, {_by(spatial)}"
    names = PLACES.get(len(spatial), ("",) * len(spatial))
    ranges = ", ".join(f"{name} {first} to {last}" for name, (first, last) in zip(names, hull, strict=True))
    within = prod(last - first + 1 for first, last in hull)
    gaps = f", {count:,} of {within:,} values there" if count < within else ""
    return f"sees {ranges} of {_by(spatial)}{gaps}: {count / everywhere:.1%} of the input"


def _steps(view: View) -> str:
    strides = view.field.stride
    if None in strides:
        return "how far the next field is away varies from place to place"
    if all(axis.whole for axis in view.field.axes):
        return "the same at every place"
    return f"the next field is {_by(strides if len(set(strides)) > 1 else strides[:1])} further"


SIDES = (("towards the beginning", "towards the end"), ("up", "down"), ("to the left", "to the right"))


def _centre(view: View) -> str:
    """Whether the fields of a map lie about the middle of the input."""
    off = view.field.off_centre(view.output)
    if not any(off):
        return "centred: the fields of this map lie evenly about the middle of the input"
    sides = SIDES[:1] if len(off) == 1 else SIDES[-len(off) :]
    moved = [f"{_number(abs(by))} {way[by > 0]}" for by, way in zip(off, sides, strict=True) if by]
    return f"not centred: the fields of this map, taken together, lie {' and '.join(moved)} off the middle of the input"


def _by(numbers: Any) -> str:
    return "x".join(map(str, numbers))


def _number(value: float) -> str:
    return f"{value:g}"


# ---------------------------------------------------------------------------------------------------------- drawing


class Frame(Record):
    """What a drawing shows: the input, and what of the field lies outside it. `corner` is the place of its upper left
    corner."""

    corner: tuple[int, int]
    height: int
    width: int


def frame(view: View) -> Frame:
    """The field is followed into the padding by up to half the size of the input on each side."""
    hull = view.hull if len(view.hull) == view.network.input.rank else ()
    spans = []
    for axis, size in enumerate(view.network.input.spatial):
        first, last = hull[axis] if hull else (0, size - 1)
        spans.append((max(min(first, 0), -(size // 2)), min(max(last, size - 1), size + size // 2)))
    rows, columns = spans if len(spans) == 2 else [(0, 0), *spans]
    return Frame((rows[0], columns[0]), rows[1] - rows[0] + 1, columns[1] - columns[0] + 1)


def drawing(view: View) -> list[str]:
    """The input in characters, each pair of which stands for a square of as many values as it must; for an input of one
    axis each character for a stretch of them."""
    shown, rows = frame(view), list(view.footprint.rows())
    one = view.network.input.rank == 1
    side = -(-shown.width // WIDTH) if one else max(-(-2 * shown.width // WIDTH), -(-shown.height // HEIGHT))
    lines = (
        "".join(_character(view, rows, shown, (top, left), side) * (2 - one) for left in range(0, shown.width, side))
        for top in range(0, shown.height, side)
    )
    return [line.rstrip() for line in lines]


def _character(view: View, rows: list[int], shown: Frame, place: tuple[int, int], side: int) -> str:
    top, left = place[0] + shown.corner[0], place[1] + shown.corner[1]
    height, width = len(rows), view.network.input.spatial[-1]
    ys = range(max(top, 0), min(top + side, height))
    xs = range(max(left, 0), min(left + side, width))
    if not ys or not xs:
        return PADDING if _in_hull(view, top, left, side) else " "
    mask = (1 << xs.stop) - (1 << xs.start)
    seen = sum((rows[y] & mask).bit_count() for y in ys)
    return SEEN if seen == len(ys) * len(xs) else PARTLY if seen else INSIDE


def _in_hull(view: View, top: int, left: int, side: int) -> bool:
    spans = view.hull if len(view.hull) == 2 else ((0, 0), *view.hull)
    return len(spans) == 2 and all(
        start <= last and start + side > first for (first, last), start in zip(spans, (top, left), strict=True)
    )


LEGEND = f"{SEEN} seen   {PARTLY} partly   {INSIDE} not seen   {PADDING} padding"


# --------------------------------------------------------------------------------------------------------------- svg

SIDE = 480.0
LINES_UP_TO = 64
"""An input of more values along a side is drawn without lines between them."""

MARGIN, LINE = 24.0, 17.0


def svg(view: View) -> str:
    """The input with what is seen of it, the padding around it, and the words below."""
    shown = frame(view)
    scale = SIDE / max(shown.height, shown.width)
    width, height = shown.width * scale + 2 * MARGIN, shown.height * scale + 2 * MARGIN
    texts = [title(view), *words(view)]
    wide = max(width, 6.4 * max(map(len, texts)) + 2 * MARGIN)
    below = height + LINE * len(texts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {below:.0f}" width="{wide:.0f}" '
        f'height="{below:.0f}" font-family="sans-serif" font-size="12">'
        f"<title>{escape(title(view))}</title>"
        f'<rect width="100%" height="100%" fill="white"/>'
        f'<g transform="translate({MARGIN:g},{MARGIN:g}) scale({scale:.6g}) '
        f'translate({-shown.corner[1]},{-shown.corner[0]})">{"".join(_shapes(view, scale))}</g>'
        f"{''.join(_lines_of_text(texts, height))}</svg>\n"
    )


def title(view: View) -> str:
    where = f" at {', '.join(map(str, view.at))}" if view.at else ""
    return f"{view.network.name}: what {view.layer} ({view.output}) sees{where}"


def _lines_of_text(texts: list[str], top: float) -> Iterator[str]:
    for number, text in enumerate(texts):
        weight = ' font-weight="bold"' if number == 0 else ""
        yield f'<text x="{MARGIN:g}" y="{top + LINE * number + 6:.0f}"{weight}>{escape(text)}</text>'


def _shapes(view: View, scale: float) -> Iterator[str]:
    """In units of the input's values."""
    spatial = view.network.input.spatial
    height, width = (spatial[0] if len(spatial) == 2 else 1), spatial[-1]
    thin = 1 / scale
    spans = view.hull if len(view.hull) == 2 else ((0, 0), *view.hull)
    if len(spans) == 2:
        (top, bottom), (left, right) = spans
        yield _rect(
            left, top, right - left + 1, bottom - top + 1, f'fill="#fdd0a2" stroke="#e6550d" stroke-width="{thin:.4g}"'
        )
    yield _rect(0, 0, width, height, 'fill="#f0f0f0"')
    top = 0
    for bits, alike in groupby(view.footprint.rows()):
        tall = len(list(alike))
        for first, wide in _runs(bits):
            yield _rect(first, top, wide, tall, 'fill="#3182bd"')
        top += tall
    if max(height, width) <= LINES_UP_TO:
        lines = [f"M{x} 0V{height}" for x in range(1, width)] + [f"M0 {y}H{width}" for y in range(1, height)]
        yield f'<path d="{"".join(lines)}" fill="none" stroke="white" stroke-width="{thin:.4g}"/>'
    yield _rect(0, 0, width, height, f'fill="none" stroke="#333" stroke-width="{1.5 * thin:.4g}"')


def _rect(x: float, y: float, width: float, height: float, style: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" {style}/>'


def _runs(bits: int) -> Iterator[tuple[int, int]]:
    """Where something is seen without a gap, and how far."""
    while bits:
        first = (bits & -bits).bit_length() - 1
        run = (~(bits >> first) & ((bits >> first) + 1)).bit_length() - 1
        yield first, run
        bits &= ~(((1 << run) - 1) << first)
