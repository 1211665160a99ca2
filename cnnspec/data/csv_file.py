"""Tables as text: a row per sample, a column of labels, the other columns numbers."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnspec.data.arrays import Array, as_raw
from cnnspec.data.error import DataError
from cnnspec.data.facts import Column, Csv
from cnnspec.data.parts import Raw, Request
from cnnspec.data.pictures import reason
from cnnspec.data.room import require_memory

COPIES = 2
"""How many times its size a text takes at least while it is read."""

SEPARATOR = "\x1f"
"""Between cells once quotes are resolved: the ASCII unit separator, which no text holds."""


@dataclass(frozen=True)
class Table:
    """Rows of cells with one separator, without quotes and empty lines. `numbers` are the rows' lines in the file."""

    path: Path
    rows: list[str]
    numbers: list[int]
    separator: str
    width: int


def read_csv(dataset: Csv, request: Request) -> Raw:
    """Pixels are in the order of the input, CxHxW, row by row; a header is recognised."""
    parts = {"train": _samples(request.file(dataset.path), dataset.label)}
    if dataset.test is not None:
        path = request.file(dataset.test)
        parts["test"] = _samples(path, dataset.label)
        columns, expected = (parts[part][0].shape[1] + 1 for part in ("test", "train"))
        if columns != expected:
            message = f"{path} has {columns:,} columns, and {request.root / dataset.path} has {expected:,}"
            raise DataError(message, help=("a test file needs labels too; without one a part is kept for testing",))
    return as_raw(f'csv("{dataset.path}")', parts, request.shape)


def _samples(path: Path, label: Column) -> tuple[Array, Array]:
    """Numbers [N, columns] and labels [N], as text."""
    table = _table(path)
    column = _label_column(table, label)
    if isinstance(label, str) or _has_header(table, column):
        table = Table(path, table.rows[1:], table.numbers[1:], table.separator, table.width)
    if not table.rows:
        raise DataError(f"{path} has no rows below its header")
    labels = [row.split(table.separator, column + 1)[column].strip() for row in table.rows]
    others = [index for index in range(table.width) if index != column]
    try:
        # numpy's own reader: a fast one, which says of a bad cell only that there is one
        x = np.loadtxt(
            table.rows, np.float32, comments=None, delimiter=table.separator, usecols=others, ndmin=2, encoding=None
        )
    except ValueError as error:
        raise _bad_cell(table, column) or DataError(f"{path} cannot be read", (reason(error),)) from error
    return x, np.array(labels)


def _table(path: Path) -> Table:
    lines = _text(path).splitlines()
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise DataError(f"{path} is empty")
    separator = max(",;\t", key=first.count)
    numbered = list(enumerate(lines, 1))
    if any('"' in line for line in lines):
        numbered = list(_without_quotes(path, lines, separator))
        separator = SEPARATOR
    numbers = [number for number, line in numbered if line.strip()]
    rows = [line for _, line in numbered if line.strip()]
    width = rows[0].count(separator) + 1
    if width < 2:
        raise DataError(f"{path} has one column only: a label and numbers are needed")
    for row, number in zip(rows, numbers, strict=True):
        if row.count(separator) != width - 1:
            found = row.count(separator) + 1
            raise DataError(f"{path}, line {number}: {found:,} columns where the first line has {width:,}")
    return Table(path, rows, numbers, separator, width)


def _without_quotes(path: Path, lines: list[str], separator: str) -> Iterator[tuple[int, str]]:
    """Rows, each with the number of the line it begins in: in quotes, a cell may run over several."""
    reader = csv.reader(lines, delimiter=separator)
    begins = 1
    try:
        for cells in reader:
            yield begins, SEPARATOR.join(cells)
            begins = reader.line_num + 1
    except csv.Error as error:
        notes = ("a quote that is not closed makes one cell of all that follows", reason(error))
        raise DataError(f"{path}, line {begins}: this row cannot be read", notes) from error


def _text(path: Path) -> str:
    try:
        require_memory(COPIES * path.stat().st_size, str(path))
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a table", (reason(error),)) from error


def _label_column(table: Table, label: Column) -> int:
    names = [cell.strip() for cell in table.rows[0].split(table.separator)]
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    if isinstance(label, int):
        if label >= table.width:
            raise DataError(f"{table.path} has {table.width:,} columns, none of number {label} (the first is 0)")
        return label
    if label not in names:
        raise DataError(f'{table.path} has no column "{label}"', (f"its first line is {shown}",))
    return names.index(label)


def _has_header(table: Table, label: int) -> bool:
    """Names above the columns: mostly texts, or a text above labels that are numbers."""
    first, second = (row.split(table.separator) for row in (table.rows[0], table.rows[min(1, len(table.rows) - 1)]))
    texts = sum(not _number(cell) for index, cell in enumerate(first) if index != label)
    return 2 * texts > table.width - 1 or (not _number(first[label]) and _number(second[label]))


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _bad_cell(table: Table, label: int) -> DataError | None:
    for row, number in zip(table.rows, table.numbers, strict=True):
        for index, cell in enumerate(row.split(table.separator)):
            if index != label and not _number(cell):
                fault = f'"{cell.strip()}" is not a number' if cell.strip() else "it is empty"
                return DataError(f"{table.path}, line {number}, column {index} (the first is 0): {fault}")
    return None
