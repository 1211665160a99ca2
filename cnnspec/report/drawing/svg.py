"""A drawing as SVG: from top to bottom, black on white, with the shapes beside the arrows."""

from __future__ import annotations

from html import escape

from cnnspec.layers.base import Shape
from cnnspec.record import Record
from cnnspec.report.drawing import SIGNS, Box, Chain, Drawing, Element, Fork, Frame, told

LETTER, BOLD, LINE = 6.3, 7.0, 14.0
"""How wide a letter is, and a bold one, and how high a line: more than most programs take."""

PAD, ARROW, BETWEEN, MARGIN = 8.0, 24.0, 18.0, 12.0
"""Around text; from box to box; between branches; around the whole."""

ROUND = 9.0
"""The radius of a join."""

INK, PAPER, SOFT = "#111", "#fff", "#666"
FILLS = {"weights": "#dce6f2", "pool": "#eee6d6", "plain": PAPER, "group": PAPER}
DARK = {INK: "#eee", PAPER: "#1b1b1b", SOFT: "#aaa", "#dce6f2": "#2c3f57", "#eee6d6": "#4a4232"}
"""What becomes of the colours where a reader prefers light on dark."""


class Piece(Record):
    """What was put on paper: its size, and the SVG of it with its middle at x = 0 and its top at y = 0."""

    width: float
    height: float
    svg: str
    left: float = 0.0
    """How much of the width lies left of the way through."""


def as_svg(drawing: Drawing, *, adapts: bool = True) -> str:
    """`adapts` makes it light on dark where a reader prefers that; print is always black on white."""
    top = _box(Box("plain", "", ("input",), drawing.input))
    body = _stacked(drawing.chain, top, drawing.input)
    width, height = body.width + 2 * MARGIN, body.height + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cnn-net" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" font-family="Helvetica,Arial,sans-serif" font-size="11">'
        f"<title>{escape(drawing.title)}</title>{_style() if adapts else ''}"
        '<defs><marker id="cnn-tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{INK}"/></marker></defs>'
        f'<rect width="100%" height="100%" fill="{PAPER}"/>'
        f"{_moved(body.svg, body.left + MARGIN, MARGIN)}</svg>\n"
    )


def _style() -> str:
    rules = (
        f".cnn-net [{attribute}='{light}']{{{attribute}:{dark}}}"
        for attribute in ("fill", "stroke")
        for light, dark in DARK.items()
    )
    return f"<style>@media screen and (prefers-color-scheme:dark){{{''.join(rules)}}}</style>"


def _piece(element: Element) -> Piece:
    if isinstance(element, Box):
        return _box(element)
    return _frame(element) if isinstance(element, Frame) else _fork(element)


# ------------------------------------------------------------------------------------------------------------ pieces


def _box(box: Box) -> Piece:
    lines = [(box.name, "bold")] if box.name else []
    lines += [(line, "normal") for line in box.lines]
    lines = lines or [("", "normal")]
    times = f"× {box.times}" if box.times > 1 else ""
    width = max(len(text) * (BOLD if weight == "bold" else LETTER) for text, weight in lines) + 2 * PAD
    width = max(width, 60.0)
    height = len(lines) * LINE + PAD
    rounded, thick = (6, 1.6) if box.kind == "group" else (2, 1)
    shown = [
        f'<rect x="{-width / 2:.1f}" y="0" width="{width:.1f}" height="{height:.1f}" rx="{rounded}" '
        f'{_stroke()} stroke-width="{thick}" fill="{FILLS[box.kind]}"/>'
    ]
    if box.times > 1:
        back = (
            f'<rect x="{-width / 2 + 4:.1f}" y="4" width="{width:.1f}" height="{height:.1f}" rx="6" {_stroke()} '
            f'fill="{PAPER}"/>'
        )
        shown = [back, *shown, _text(width / 2 + 9, height / 2 + 4, times, "start", "bold")]
    shown += [_text(0, PAD / 2 + LINE * at + 11, text, "middle", weight) for at, (text, weight) in enumerate(lines)]
    right = width / 2 + (len(times) * LETTER + 14 if times else 0)
    return Piece(width / 2 + right, height + (4 if times else 0), "".join(shown), width / 2)


def _stroke(color: str = INK) -> str:
    return f'stroke="{color}"'


def _frame(frame: Frame) -> Piece:
    inside = _stacked(frame.inside)
    title = " ".join(filter(None, (frame.name, frame.text)))
    title += f" × {frame.times}" if frame.times > 1 else ""
    half = len(title) * BOLD / 2 + PAD
    left = max(inside.left + PAD, half)
    width = left + max(inside.width - inside.left + PAD, half)
    head = LINE + 2 * PAD if title else PAD
    height = head + inside.height + PAD
    border = (
        f'<rect x="{-left:.1f}" y="0" width="{width:.1f}" height="{height:.1f}" rx="6" fill="none" {_stroke(SOFT)} '
        f'stroke-dasharray="4 3"/>'
    )
    box = frame.inside and isinstance(frame.inside[0], Box)
    through = _line(0, 0, 0, head, tip=bool(box)) + _line(0, head + inside.height, 0, height)
    behind = f'<rect x="{-half + PAD / 2:.1f}" y="3" width="{2 * half - PAD:.1f}" height="{LINE}" fill="{PAPER}"/>'
    label = behind + _text(0, LINE, title, "middle", "bold") if title else ""
    return Piece(width, height, border + through + label + _moved(inside.svg, 0, head), left)


def _stacked(chain: Chain, first: Piece | None = None, shape: Shape | None = None) -> Piece:
    """One below the other with arrows between; the shape of what an arrow carries where it is a new one. `first` stands
    above all, and gives `shape`."""
    pieces = [*([first] if first else []), *map(_piece, chain)]
    carried = [*([shape] if shape else []), *(each.output for each in chain)]
    known = [*([False] if shape else []), *map(told, chain)]
    forward = [*([True] if shape else []), *(isinstance(each, Box) for each in chain)]
    shown, y, left, right = "", 0.0, 0.0, 0.0
    before: Shape | None = None
    for at, piece in enumerate(pieces):
        if at:
            shown += _line(0, y, 0, y + ARROW, tip=forward[at])
            if carried[at - 1] != before and not known[at - 1]:
                words = carried[at - 1].written
                shown += _text(6, y + 15, words, "start", color=SOFT)
                right = max(right, 6 + len(words) * LETTER)
            before = carried[at - 1]
            y += ARROW
        shown += _moved(piece.svg, 0, y)
        y += piece.height
        left, right = max(left, piece.left), max(right, piece.width - piece.left)
    return Piece(left + right, y, shown, left)


def _fork(fork: Fork) -> Piece:
    return _aside(fork) if fork.aside else _joined(fork)


def _joined(fork: Fork) -> Piece:
    """Branches side by side; the first one that holds something, or the one in the middle, goes straight down."""
    branches = [_stacked(branch) for branch in fork.branches]
    branches = [piece if piece.height else Piece(16.0, 0.0, "", 8.0) for piece in branches]
    tall = max(piece.height for piece in branches)
    width = sum(piece.width for piece in branches) + BETWEEN * (len(branches) - 1)
    straight = branches.index(max(branches, key=lambda piece: piece.width)) if len(branches) < 3 else -1
    middles, x = [], 0.0
    for piece in branches:
        middles.append(x + piece.left)
        x += piece.width + BETWEEN
    way = middles[straight] if straight >= 0 else width / 2
    top, bottom = ARROW / 2, tall + 1.5 * ARROW + ROUND
    shown = _line(0, 0, 0, top)
    for piece, middle, shape in zip(branches, middles, fork.branches, strict=True):
        shown += _branch(piece, middle - way, top, tall, bottom, bool(shape))
    sign = SIGNS[fork.kind]
    reach = ROUND if len(sign) == 1 else len(sign) * LETTER / 2 + 6
    shown += (
        f'<rect x="{-reach:.1f}" y="{bottom - ROUND:.1f}" width="{2 * reach:.1f}" height="{2 * ROUND}" rx="{ROUND}" '
        f'{_stroke()} fill="{PAPER}"/>' + _text(0, bottom + 4, sign, "middle", "bold")
    )
    return Piece(max(width, way + reach), bottom + ROUND, shown, max(way, reach))


def _branch(piece: Piece, x: float, top: float, tall: float, bottom: float, filled: bool) -> str:
    """From the fork down through a branch and into the join."""
    end = top + ARROW / 2 + piece.height
    down = f"M0 {top:.1f}H{x:.1f}V{top + ARROW / 2:.1f}" if filled else f"M0 {top:.1f}H{x:.1f}V{bottom:.1f}H0"
    shown = _path(down, tip=filled)
    if filled:
        shown += _moved(piece.svg, x, top + ARROW / 2) + _path(f"M{x:.1f} {end:.1f}V{bottom:.1f}H0")
    return shown


def _aside(fork: Fork) -> Piece:
    """A side output leaves the way, which goes on."""
    branch = _stacked(fork.branches[0])
    x = branch.left + 30
    shown = _line(0, 0, 0, branch.height + ARROW) + _path(
        f"M0 {ARROW / 2:.1f}H{x:.1f}V{ARROW:.1f}", tip=True, dashed=True
    )
    shown += _text(6, ARROW / 2 - 3, "aux", "start", color=SOFT) + _moved(branch.svg, x, ARROW)
    return Piece(8 + x + branch.width - branch.left, branch.height + ARROW, shown, 8.0)


# ------------------------------------------------------------------------------------------------------------- marks


def _moved(svg: str, x: float, y: float) -> str:
    return f'<g transform="translate({x:.1f} {y:.1f})">{svg}</g>' if svg else ""


def _line(x: float, y: float, to_x: float, to_y: float, *, tip: bool = False) -> str:
    return _path(f"M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}", tip=tip)


def _path(path: str, *, tip: bool = False, dashed: bool = False) -> str:
    more = (' marker-end="url(#cnn-tip)"' if tip else "") + (' stroke-dasharray="3 3"' if dashed else "")
    return f'<path d="{path}" fill="none" {_stroke()}{more}/>'


def _text(x: float, y: float, text: str, anchor: str, weight: str = "normal", color: str = INK) -> str:
    bold = ' font-weight="bold"' if weight == "bold" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{bold} fill="{color}">{escape(text)}</text>'
