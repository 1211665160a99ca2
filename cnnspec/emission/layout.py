"""Python text as `ruff format` leaves it: lines of at most 88 columns, one argument per line where they do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 88
STEP = 4


@dataclass(frozen=True)
class Entry:
    """One line, or several: `prefix` (`self.conv1 = `, `conv1=`), a call or brackets with entries inside, a comment."""

    head: str
    arguments: tuple[str, ...] = ()
    entries: tuple[Entry, ...] | None = None
    brackets: tuple[str, str] = ("(", ")")
    prefix: str = ""
    comment: str = ""


def lines(entry: Entry, depth: int, end: str = "") -> list[str]:
    """The lines of an entry, indented by `depth` steps; `end` closes it (a comma between arguments)."""
    margin = " " * STEP * depth
    opening, closing = entry.brackets
    if entry.entries is not None:
        inside = [line for inner in entry.entries for line in lines(inner, depth + 1, _comma(entry.entries))]
        return [f"{margin}{entry.prefix}{entry.head}{opening}", *inside, f"{margin}{closing}{end}"]
    line = f"{margin}{entry.prefix}{entry.head}{opening}{', '.join(entry.arguments)}{closing}{end}"
    if len(line) <= WIDTH or not entry.arguments:
        return commented(line, entry.comment)
    inner = margin + " " * STEP
    above = [f"{margin}# {entry.comment}"] if entry.comment else []
    arguments = [f"{inner}{argument}," for argument in entry.arguments]
    return [*above, f"{margin}{entry.prefix}{entry.head}{opening}", *arguments, f"{margin}{closing}{end}"]


def _comma(entries: Sequence[Entry]) -> str:
    """Brackets around brackets alone have no comma inside."""
    alone = len(entries) == 1 and entries[0].entries is not None
    return "" if alone else ","


def commented(line: str, comment: str) -> list[str]:
    """The line with its comment behind it, or above it where both do not fit."""
    if not comment:
        return [line]
    whole = f"{line}  # {comment}"
    if len(whole) <= WIDTH:
        return [whole]
    return [f"{' ' * (len(line) - len(line.lstrip()))}# {comment}", line]


def signature(name: str, parameters: Sequence[str], depth: int, returns: str = "") -> list[str]:
    """`def name(self, ...):`"""
    margin, inner = " " * STEP * depth, " " * STEP * (depth + 1)
    line = f"{margin}def {name}({', '.join(('self', *parameters))}){returns}:"
    if len(line) <= WIDTH:
        return [line]
    return [f"{margin}def {name}(", *(f"{inner}{p}," for p in ("self", *parameters)), f"{margin}){returns}:"]


def docstring(text: Sequence[str], depth: int) -> list[str]:
    """On one line where it fits, otherwise its first line apart from the rest."""
    margin = " " * STEP * depth
    line = f'{margin}"""{" ".join(text)}"""'
    if len(line) <= WIDTH:
        return [line]
    rest = ["", *(margin + each for each in text[1:])] if len(text) > 1 else []
    return [f'{margin}"""{text[0]}', *rest, f'{margin}"""']
