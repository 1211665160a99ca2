"""The blanks between two words of a line."""

from __future__ import annotations

from cnnspec.syntax.form.words import COMMENT, Word

OPERANDS = frozenset({"NAME", "INT", "FLOAT", "DIMS", "STRING", "TRUE", "FALSE", "RPAR", "RSQB"})
"""What a value may end with: behind it `-` subtracts and a bracket takes an item."""


def gap(before: Word | None, one: Word, other: Word) -> int:
    """Blanks between `one` and `other`; `before` is the word in front of `one`."""
    if other.kind == COMMENT:
        return 2
    if other.kind == "ARROW":
        return 1 if other.in_bracket else 2
    if one.kind == "LBRACE" and other.kind == "RBRACE":
        return 0
    return 0 if _touch(before, one, other) else 1


def _touch(before: Word | None, one: Word, other: Word) -> bool:
    if one.kind in ("LPAR", "LSQB", "DOT") or other.kind in ("RPAR", "RSQB", "DOT", "COMMA", "COLON"):
        return True
    if "COLON" in (one.kind, other.kind):
        return one.inside is not None and one.inside.kind == "LSQB"
    if "EQUAL" in (one.kind, other.kind):
        return other.in_bracket
    if one.kind == "MINUS":
        return before is None or before.kind not in OPERANDS
    return (other.kind == "LPAR" and one.kind == "NAME") or (other.kind == "LSQB" and one.kind in OPERANDS)
