"""What the author put below one another stays so: predictions, comments at the ends of lines, rows of a table.

Columns are as narrow as their contents allow; where they would make a line too long, they are given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from cnnspec.source import Source
from cnnspec.syntax.form.lines import WIDTH, Line
from cnnspec.syntax.form.words import COMMENT, Word

Row = list[list[Word]]
"""The cells of one line."""


def align(lines: list[Line], source: Source) -> None:
    _Columns(source).align(lines)


class _Columns:
    def __init__(self, source: Source) -> None:
        self.source = source

    def column(self, offset: int) -> int:
        return self.source.position(offset)[1]

    def align(self, lines: list[Line]) -> None:
        for table in _tables(lines):
            self.rows(table)
        self.marks(lines, _prediction)
        self.marks(lines, lambda line: line.comment if line.code else None)

    def marks(self, lines: list[Line], pick: Callable[[Line], Word | None]) -> None:
        marked = [(line, word) for line in lines if (word := pick(line))]
        for _, run in groupby(marked, key=lambda each: self.column(each[1].start)):
            self.mark(list(run))

    def mark(self, run: list[tuple[Line, Word]]) -> None:
        places = [dict(line.places())[word] for line, word in run]
        shifts = [max(places) - place for place in places]
        if all(
            word.kind == COMMENT or line.width() + by <= WIDTH for (line, word), by in zip(run, shifts, strict=True)
        ):
            for (_, word), by in zip(run, shifts, strict=True):
                word.pad = by

    # ------------------------------------------------------------------------------------------------------ tables

    def rows(self, table: list[Line]) -> None:
        """Widen the blanks in front of cells, column by column, up to the first whose cells were not aligned."""
        cells = [_cells(line) for line in table]
        for column in zip(*cells, strict=True):
            shifts = self.shifts(column, table)
            if shifts is None:
                break
            for cell, by in zip(column, shifts, strict=True):
                cell[0].pad = by
        if any(line.width() > WIDTH for line in table):
            for row in cells:
                for cell in row:
                    cell[0].pad = 0

    def shifts(self, column: Sequence[list[Word]], table: list[Line]) -> list[int] | None:
        places = [dict(line.places()) for line in table]
        starts = [place[cell[0]] for place, cell in zip(places, column, strict=True)]
        ends = [place[cell[-1]] + len(cell[-1].text) for place, cell in zip(places, column, strict=True)]
        if _same(self.column(cell[0].start) for cell in column):
            return [max(starts) - start for start in starts]
        if _same(self.column(cell[-1].end) for cell in column):
            return [max(ends) - end for end in ends]
        return None


def _same(values: Iterable[int]) -> bool:
    return len(set(values)) == 1


def _prediction(line: Line) -> Word | None:
    return next((word for word in line.words[1:] if word.kind == "ARROW" and not word.in_bracket), None)


def _tables(lines: list[Line]) -> Iterator[list[Line]]:
    """Runs of lines that are each a list of their own, in the same brackets and of the same length."""
    for key, run in groupby(lines, key=_table):
        if key:
            yield list(run)


def _table(line: Line) -> tuple[int, int] | None:
    first, code = line.words[0], line.code
    if (
        first.kind != "LSQB"
        or not first.in_bracket
        or first.mate not in code[-2:]
        or code[-1].kind not in ("COMMA", "RSQB")
    ):
        return None
    return id(first.inside), len(_cells(line))


def _cells(line: Line) -> Row:
    """What stands between the commas of the list that a line consists of."""
    row = line.words[0]
    cells: Row = [[]]
    for word in line.words[1 : line.words.index(row.mate)]:
        if word.kind == "COMMA" and word.inside is row:
            cells.append([])
        else:
            cells[-1].append(word)
    return [cell for cell in cells if cell]
