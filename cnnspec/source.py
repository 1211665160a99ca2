"""Text and places in it."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import Self

from cnnspec.record import Record


class Source(Record):
    """The text of one spec and the name it is shown under (a path, `<stdin>`, `<string>`). `model` is the one model of
    the text that is meant, where one is (`zoo:resnet50`)."""

    name: str
    text: str
    model: str | None = None

    def __repr__(self) -> str:
        return f"<Source {self.name}, {len(self.text)} characters>"

    @cached_property
    def starts(self) -> list[int]:
        """Offset at which each line begins."""
        starts, at = [0], self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1, the column in characters."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        start = self.starts[number - 1]
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def span(self, start: int, end: int) -> Span:
        return Span(self, start, end)


class Span(Record):
    """A stretch of a source, as character offsets: `start` counts in, `end` does not."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def first_word(self) -> Span:
        """The keyword that a statement or item begins with."""
        length = next((at for at, character in enumerate(self.text) if not character.isalnum()), len(self.text))
        return Span(self.source, self.start, self.start + length)

    def to(self, other: Span) -> Self:
        """From the start of this one to the end of the other."""
        return type(self)(self.source, self.start, other.end)

    def __repr__(self) -> str:
        return f"<{self.source.name}:{self.line}:{self.column} {self.text!r}>"
