"""The difference of two networks as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap

from cnnspec.analysis.field import Field
from cnnspec.report.diff import Difference
from cnnspec.report.diff.changes import Change
from cnnspec.report.diff.rows import Row, rows
from cnnspec.report.diff.totals import Total, millions, totals
from cnnspec.report.diff.words import words
from cnnspec.report.summary_text import size
from cnnspec.report.table import Column, aligned, markdown

WIDTH = 118
LEAST = {"where": 18, "what": 24, "shape": 16}
"""How wide columns at least stay that may be broken into lines."""

SIGNS = {"added": "+", "removed": "-", "moved": ">", "receives": ".", "": ""}
CHANGED = "~"
LEGEND = {
    "+": "added",
    "-": "removed",
    "~": "changed",
    ">": "moved",
    ".": "the same layer, but something else arrives",
}
STYLES = {"+": "32", "-": "31", "~": "36", ">": "36"}

COLUMNS = (
    Column(""),
    Column("where", shrink=True),
    Column("what", shrink=True),
    Column("shape", shrink=True),
    Column("parameters", numbers=True),
    Column("MACs", numbers=True),
    Column("sees"),
    Column("activation", numbers=True),
)
TOTALS = (
    Column("total"),
    Column("before", numbers=True),
    Column("after", numbers=True),
    Column("change", numbers=True),
)
PLACELESS = ("grouped", "ungrouped", "renamed", "block")
"""Kinds that do nothing to a shape or a field."""

TIMES = 10
"""From here on it is told how many times as much something is."""

Cells = tuple[str, ...]


def as_text(difference: Difference, *, color: bool = False) -> str:
    return "\n".join(_text(difference, color))


def _text(difference: Difference, color: bool) -> Iterator[str]:
    yield from (_painted(title(difference), "1", color), "")
    for sentence in words(difference):
        yield from wrap(sentence, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    if difference.equal:
        return
    if listed := rows(difference):
        yield ""
        yield from _table(listed, color)
        yield from ("", *wrap(legend(listed), WIDTH))
    if difference.settings:
        yield ""
        yield from (f"{each.name}: {each.before} -> {each.after}" for each in difference.settings)
    yield from ("", *aligned(TOTALS, [_total(each) for each in totals(difference)], WIDTH))


def _table(listed: Sequence[Row], color: bool) -> Iterator[str]:
    columns, cells = _filled(COLUMNS, [_cells(row) for row in listed])
    broken = _broken(columns, cells)
    head, rule, *lines = aligned(columns, [line for row in broken for line in row], WIDTH)
    yield from (_painted(head, "1", color), rule)
    at = 0
    for row, parts in zip(listed, broken, strict=True):
        for line in lines[at : at + len(parts)]:
            yield _painted(line, STYLES.get(sign(row), ""), color)
        at += len(parts)


def as_markdown(difference: Difference) -> str:
    return "\n".join(_markdown(difference))


def _markdown(difference: Difference) -> Iterator[str]:
    yield from (f"### {title(difference)}", "")
    yield from (f"- {sentence}" for sentence in words(difference))
    if difference.equal:
        return
    if listed := rows(difference):
        columns, cells = _filled(COLUMNS, [_cells(row, code=True) for row in listed])
        yield from ("", *markdown(columns, cells), "", legend(listed))
    if difference.settings:
        yield ""
        yield from (f"- `{each.name}`: `{each.before}` -> `{each.after}`" for each in difference.settings)
    yield from ("", *markdown(TOTALS, [_total(each) for each in totals(difference)]))


def title(difference: Difference) -> str:
    one, other = difference.before.network, difference.after.network
    shapes = f"{other.input} -> {other.output}"
    return f"{one.name} -> {other.name} ({shapes})" if one.name != other.name else f"{one.name} ({shapes})"


def sign(row: Row) -> str:
    return SIGNS.get(row.kind, CHANGED)


def legend(listed: Sequence[Row]) -> str:
    signs = set(map(sign, listed))
    told = [f"{each} {LEGEND[each]}" for each in LEGEND if each in signs]
    return "; ".join([*told, "sees: the receptive field of a value; activation: of one sample in float32"])


def _painted(text: str, style: str, color: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if color and style else text


# ------------------------------------------------------------------------------------------------------------- table


def _filled(columns: Sequence[Column], cells: Sequence[Cells]) -> tuple[list[Column], list[Cells]]:
    """Without the columns in which nothing stands."""
    kept = [at for at in range(len(columns)) if any(row[at] for row in cells)]
    return [columns[at] for at in kept], [tuple(row[at] for at in kept) for row in cells]


def _broken(columns: Sequence[Column], cells: Sequence[Cells]) -> list[list[Cells]]:
    """The lines of each row: what would be too wide is broken into several."""
    widths = [max(len(row[at]) for row in [*cells, [column.title for column in columns]]) for at in range(len(columns))]
    excess = sum(widths) + 2 * (len(widths) - 1) - WIDTH
    shrinking = [at for at, column in enumerate(columns) if column.shrink]
    while excess > 0 and any(widths[at] > LEAST[columns[at].title] for at in shrinking):
        widest = max(shrinking, key=lambda at: widths[at] - LEAST[columns[at].title])
        widths[widest], excess = widths[widest] - 1, excess - 1
    return [_lines([_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]) for row in cells]


def _wrapped(cell: str, width: int) -> list[str]:
    """At spaces, and behind the points of names."""
    if len(cell) <= width:
        return [cell]
    loose = re.sub(r"(?<=\w)\.(?=[A-Za-z_])", ". ", cell)
    lines = wrap(loose, width, subsequent_indent="  ", break_on_hyphens=False)
    return [re.sub(r"(?<=\w)\. (?=[A-Za-z_])", ".", line) for line in lines]


def _lines(cells: list[list[str]]) -> list[Cells]:
    height = max(map(len, cells))
    return [tuple(lines[at] if at < len(lines) else "" for lines in cells) for at in range(height)]


def _cells(row: Row, *, code: bool = False) -> Cells:
    mark: Callable[[str], str] = (lambda text: f"`{text}`" if text else "") if code else str
    costs = row.costs
    return (
        mark(sign(row)),
        mark(row.where),
        row.text,
        _one(_shape(change) for change in row.changes),
        _signed(costs.parameters, "{:,}".format),
        _signed(costs.macs, millions),
        _one(_field(change) for change in row.changes),
        _signed(costs.activation, size),
    )


def _one(found: Iterator[str]) -> str:
    """What is the same in all changes of a row."""
    different = set(found)
    return different.pop() if len(different) == 1 else ""


def _signed(number: int, show: Callable[[int], str]) -> str:
    return f"{'-' if number < 0 else '+'}{show(abs(number))}" if number else ""


def _shape(change: Change) -> str:
    """What arrives and what comes out where layers have come or gone, else what came out before and does now."""
    if change.kind in PLACELESS:
        return ""
    if change.kind in ("added", "removed", "moved"):
        return _arrow(str(change.parts[0].input), str(change.parts[-1].output))
    return _arrow(str(change.before[0].output), str(change.after[0].output))


def _arrow(before: str, after: str) -> str:
    return after if before == after else f"{before} -> {after}"


def _field(change: Change) -> str:
    """In front of it and behind it where layers have come or gone, else behind it before and now."""
    if change.kind in PLACELESS:
        return ""
    bare = change.kind in ("added", "removed")
    fields = (change.parts[0].before, change.parts[-1].field)
    before, after = fields if bare else (change.before[-1].field, change.after[-1].field)
    return _arrow(_seen(before), _seen(after)) if _seen(before) != _seen(after) else ""


def _seen(field: Field) -> str:
    sizes = ["all" if axis.whole else str(axis.width) for axis in field.axes]
    return "x".join(sizes if len(set(sizes)) > 1 else sizes[:1]) or "all"


def _total(total: Total) -> Cells:
    if not isinstance(total.before, int) or not isinstance(total.after, int):
        return total.name, f"{total.before}", f"{total.after}", ""
    show: Callable[[int], str] = size if total.unit == "bytes" else "{:,}".format
    change = total.after - total.before
    return total.name, show(total.before), show(total.after), _signed(change, show) + _part(total.before, total.after)


def _part(before: int, after: int) -> str:
    """By how much, or how many times as much where that is easier to grasp; nothing where it is next to nothing."""
    if not before or f"{after / before - 1:+.1%}"[1:] == "0.0%":
        return ""
    return f" ({after / before:,.0f} x)" if after > TIMES * before else f" ({after / before - 1:+.1%})"
