"""Texts with a mark where the cursor stands."""

from __future__ import annotations

from cnnspec.lsp.names import Names
from cnnspec.source import Source
from cnnspec.syntax.parser import parse

MARK = "§"


def unmarked(text: str) -> tuple[str, int]:
    """The text without its mark, and where that was."""
    offset = text.index(MARK)
    return text[:offset] + text[offset + len(MARK) :], offset


def names(text: str) -> Names:
    return Names(parse(Source("test.cnn", text)).file)
