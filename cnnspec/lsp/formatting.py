"""Formatting: the canonical form of a text."""

from __future__ import annotations

from lsprotocol import types

from cnnspec.lsp.document import Document
from cnnspec.syntax.form import formatted
from cnnspec.syntax.parser import parse


def formatting(document: Document) -> list[types.TextEdit] | None:
    """Nothing for a text with syntax errors: what could not be read would be lost."""
    parsed = parse(document.source)
    if parsed.diagnostics:
        return None
    text = formatted(parsed)
    return [] if text == document.source.text else [types.TextEdit(document.places.whole, text)]
