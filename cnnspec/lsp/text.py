"""Between offsets in a text, which the checker counts in characters, and positions, which editors count in the units of
an encoding."""

from __future__ import annotations

from collections.abc import Callable

from lsprotocol import types

from cnnspec.record import Record
from cnnspec.source import Source, Span

UNITS: dict[str, Callable[[str], int]] = {
    types.PositionEncodingKind.Utf8: lambda character: len(character.encode("utf-8", "surrogatepass")),
    types.PositionEncodingKind.Utf16: lambda character: 1 + (ord(character) > 0xFFFF),
    types.PositionEncodingKind.Utf32: lambda character: 1,
}
"""How many units a character takes."""


class Places(Record):
    """Positions in one source, in the units that client and server agreed on."""

    source: Source
    encoding: str = types.PositionEncodingKind.Utf16

    def position(self, offset: int) -> types.Position:
        line, column = self.source.position(offset)
        start = offset - column + 1
        before = self.source.text[start:offset]
        units = len(before) if before.isascii() else sum(map(UNITS[self.encoding], before))
        return types.Position(line - 1, units)

    def offset(self, position: types.Position) -> int:
        """The offset of a position; the nearest one where there is no such position."""
        if position.line >= len(self.source.starts):
            return len(self.source.text)
        text = self.source.line(position.line + 1)
        start = self.source.starts[position.line]
        if text.isascii():
            return start + min(position.character, len(text))
        units, measure = 0, UNITS[self.encoding]
        for at, character in enumerate(text):
            if units >= position.character:
                return start + at
            units += measure(character)
        return start + len(text)

    def range(self, span: Span) -> types.Range:
        return types.Range(self.position(span.start), self.position(span.end))

    @property
    def whole(self) -> types.Range:
        return types.Range(types.Position(0, 0), self.position(len(self.source.text)))
