"""A network as a drawing: a box for each shape on its way, as tall as the map and as wide as its channels are many."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import log2

from cnnspec.layers.base import Shape
from cnnspec.network.model import CombineNode, Item, LayerNode, Network, nodes
from cnnspec.record import Record

MOST_BOXES = 24
TALLEST, WIDEST, SMALLEST = 120.0, 60.0, 6.0
GAP, MIDDLE, HEIGHT = 26.0, 90.0, 214.0
LINE = 13.0
MOST_NAMES = 3

FILL = {"map": "#9ecae1", "features": "#fdd0a2"}
"""Maps, and vectors of features."""


class Box(Record):
    """A shape, and what made it: layers that leave the shape as it is stand with the one before them."""

    shape: Shape
    made_by: tuple[str, ...]


def picture(network: Network) -> str:
    """The drawing as SVG."""
    boxes = _shortened([Box(network.input, ("input",)), *_boxes(network)])
    parts: list[str] = []
    left = GAP
    for box in boxes:
        width = max(_width(box), 7.0 * max(map(len, [str(box.shape), *_names(box)]))) if box else 2 * GAP
        parts += _drawn(box, left + width / 2) if box else [_text(left + width / 2, MIDDLE, "…")]
        left += width + GAP
    about = escape(f"{network.name}: {network.input} to {network.output}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left:.0f}" height="{HEIGHT:.0f}" role="img" '
        f'font-family="sans-serif" font-size="11" text-anchor="middle" fill="currentColor">'
        f"<title>{about}</title>{''.join(parts)}</svg>"
    )


def _boxes(network: Network) -> list[Box]:
    found: list[Box] = []
    shape = network.input
    for name, output in _steps(network.root.items):
        if output != shape or not found:
            found.append(Box(output, (name,)))
        else:
            last = found.pop()
            found.append(Box(last.shape, (*last.made_by, name)))
        shape = output
    return found


def _steps(items: tuple[Item, ...]) -> Iterator[tuple[str, Shape]]:
    """Layers in the order they run; branches with what joins them are one step."""
    for node in nodes(items):
        if isinstance(node, LayerNode):
            yield node.layer.word, node.output
        elif isinstance(node, CombineNode):
            if node.kind != "aux":
                yield node.kind, node.output
        else:
            yield from _steps(node.items)


def _shortened(boxes: list[Box]) -> list[Box | None]:
    """None stands for those that are left out."""
    if len(boxes) <= MOST_BOXES:
        return [*boxes]
    half = MOST_BOXES // 2
    return [*boxes[:half], None, *boxes[-half:]]


def _names(box: Box) -> list[str]:
    """What made a box, line by line."""
    counted = {name: box.made_by.count(name) for name in box.made_by}
    different = [name if count == 1 else f"{count} × {name}" for name, count in counted.items()]
    more = len(different) - MOST_NAMES
    return [*different[:MOST_NAMES], f"+ {more}"] if more > 0 else different


def _width(box: Box) -> float:
    return min(WIDEST, SMALLEST + 5 * log2(box.shape.channels)) if box.shape.rank else 2 * SMALLEST


def _height(box: Box) -> float:
    side = max(box.shape.spatial) if box.shape.rank else box.shape.channels
    return min(TALLEST, SMALLEST + 14 * log2(side))


def _drawn(box: Box, middle: float) -> Iterator[str]:
    width, height = _width(box), _height(box)
    fill = FILL["map" if box.shape.rank else "features"]
    yield (
        f'<rect x="{middle - width / 2:.1f}" y="{MIDDLE - height / 2:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" fill="{fill}" stroke="#555"/>'
    )
    yield _text(middle, MIDDLE + TALLEST / 2 + LINE, str(box.shape), "bold")
    for at, name in enumerate(_names(box), 2):
        yield _text(middle, MIDDLE + TALLEST / 2 + at * LINE, name)


def _text(x: float, y: float, text: str, weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}">{escape(text)}</text>'
