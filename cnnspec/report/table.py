"""Tables of text: aligned for a terminal, or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from cnnspec.record import Record

GAP = "  "
ELLIPSIS = "..."


class Column(Record):
    """`numbers` stand right; a column that may `shrink` is cut where the table would be too wide, the last first."""

    title: str
    numbers: bool = False
    shrink: bool = False


def aligned(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The lines of a table: titles, a rule, the rows."""
    titles = [column.title for column in columns]
    widths = _widths(columns, [titles, *rows], width)
    rule = "-" * (sum(widths) + len(GAP) * (len(widths) - 1))
    return [_line(columns, titles, widths), rule, *(_line(columns, row, widths) for row in rows)]


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(columns))]
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    for at, column in reversed(list(enumerate(columns))):
        if column.shrink and excess > 0:
            cut = min(excess, widths[at] - max(len(column.title), 16))
            if cut > 0:
                widths[at] -= cut
                excess -= cut
    return widths


def _line(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = (
        f"{_cut(cell, width):{'>' if column.numbers else '<'}{width}}"
        for column, cell, width in zip(columns, cells, widths, strict=True)
    )
    return GAP.join(shown).rstrip()


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[: width - len(ELLIPSIS)] + ELLIPSIS


def markdown(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    rules = ["---:" if column.numbers else "---" for column in columns]
    return [_row([column.title for column in columns]), _row(rules), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
