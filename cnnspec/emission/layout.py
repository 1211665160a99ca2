"""Python text as `ruff format` leaves it: lines of at most 88 columns, one argument per line where they do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

WIDTH = 88
STEP = 4


@dataclass(frozen=True)
class Entry:
    """One line, or several: `prefix` (`self.conv1 = `, `conv1=`), a call or brackets with entries inside, a comment.
    With `loop` (`for _ in range(3)`) it stands for several of its kind."""

    head: str
    arguments: tuple[str, ...] = ()
    entries: tuple[Entry, ...] | None = None
    brackets: tuple[str, str] = ("(", ")")
    prefix: str = ""
    comment: str = ""
    loop: str = ""
    compact: bool = False
    """Whether entries may stand on one line."""

    @property
    def inline(self) -> str | None:
        """The text on one line; None where it is to be told line by line."""
        opening, closing = self.brackets
        if self.entries is None:
            text = f"{self.head}{opening}{', '.join(self.arguments)}{closing}"
        elif self.compact and None not in (inside := [entry.inline for entry in self.entries]):
            text = f"{self.head}{opening}{', '.join(map(str, inside))}{closing}"
        else:
            return None
        return self.prefix + (f"*({text} {self.loop})" if self.loop else text)

    @property
    def told(self) -> str:
        """The comment behind one line: that of the last entry where it holds some."""
        return self.comment or (self.entries[-1].told if self.entries else "")


def lines(entry: Entry, depth: int, end: str = "", width: int = WIDTH) -> list[str]:
    """The lines of an entry, indented by `depth` steps; `end` closes it (a comma between arguments)."""
    margin = " " * STEP * depth
    whole = entry.inline
    told = plain(entry.told) and entry.entries
    room = width - len(f"  # {entry.told}") if told else width
    if whole is not None and (len(margin + whole + end) <= room or not (entry.arguments or entry.entries)):
        return commented(f"{margin}{whole}{end}", entry.told, width)
    if entry.loop:
        inside = lines(replace(entry, loop="", prefix="", comment=""), depth + 1, "", width)
        return [f"{margin}{entry.prefix}*(", *inside, f"{margin}    {entry.loop}", f"{margin}){end}"]
    opening, closing = entry.brackets
    above = [f"{margin}# {entry.comment}"] if entry.comment.isascii() and plain(entry.comment) else []
    if entry.entries is None or entry.compact:
        parts = [each.inline for each in entry.entries] if entry.entries else list(entry.arguments)
        together = f"{margin}    {', '.join(map(str, parts))}"
        if None not in parts and len(together) <= width and (entry.entries is None or not entry.told):
            return [*above, f"{margin}{entry.prefix}{entry.head}{opening}", together, f"{margin}{closing}{end}"]
    if entry.entries is not None:
        alone = len(entry.entries) == 1
        inside = [line for inner in entry.entries for line in lines(inner, depth + 1, "" if alone else ",", width)]
        if alone and inside[-1].lstrip()[0] not in ")]}":
            inside = lines(entry.entries[0], depth + 1, ",", width)
        return [f"{margin}{entry.prefix}{entry.head}{opening}", *inside, f"{margin}{closing}{end}"]
    inner = margin + " " * STEP
    arguments = [f"{inner}{argument}," for argument in entry.arguments]
    return [*above, f"{margin}{entry.prefix}{entry.head}{opening}", *arguments, f"{margin}{closing}{end}"]


def plain(comment: str) -> bool:
    """Whether a comment gives a shape in numbers: such a one is worth a line of its own."""
    return bool(comment) and " x " not in comment


def commented(line: str, comment: str, width: int = WIDTH) -> list[str]:
    """The line with its comment behind it, or above it where both do not fit."""
    if not comment:
        return [line]
    whole = f"{line}  # {comment}"
    if len(whole) <= width:
        return [whole]
    if not plain(comment):
        return [line]
    return [f"{' ' * (len(line) - len(line.lstrip()))}# {comment}", line]


def signature(name: str, parameters: Sequence[str], depth: int, returns: str = "") -> list[str]:
    """`def name(self, ...):`"""
    margin, inner = " " * STEP * depth, " " * STEP * (depth + 1)
    line = f"{margin}def {name}({', '.join(('self', *parameters))}){returns}:"
    if len(line) <= WIDTH:
        return [line]
    together = f"{inner}{', '.join(('self', *parameters))}"
    if len(together) <= WIDTH:
        return [f"{margin}def {name}(", together, f"{margin}){returns}:"]
    return [f"{margin}def {name}(", *(f"{inner}{p}," for p in ("self", *parameters)), f"{margin}){returns}:"]


def docstring(text: Sequence[str], depth: int) -> list[str]:
    """On one line where it fits, otherwise its first line apart from the rest."""
    margin = " " * STEP * depth
    line = f'{margin}"""{" ".join(text)}"""'
    if len(line) <= WIDTH:
        return [line]
    rest = ["", *(margin + each for each in text[1:])] if len(text) > 1 else []
    return [f'{margin}"""{text[0]}', *rest, f'{margin}"""']


def indented(block: Sequence[str]) -> list[str]:
    return [" " * STEP + line for line in block]
