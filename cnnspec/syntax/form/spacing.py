"""The blanks between two words of a line."""

from __future__ import annotations

from cnnspec.syntax.form.words import COMMENT, OPERANDS, Word


def gap(one: Word, other: Word) -> int:
    """Blanks between two words."""
    if other.kind == COMMENT:
        return 2
    if other.kind == "ARROW":
        return 1 if other.in_bracket else 2
    if one.kind == "LBRACE" and other.kind == "RBRACE":
        return 0
    return 0 if _touch(one, other) else 1


def _touch(one: Word, other: Word) -> bool:
    if one.kind in ("LPAR", "LSQB", "DOT") or other.kind in ("RPAR", "RSQB", "DOT", "COMMA", "COLON"):
        return True
    if "COLON" in (one.kind, other.kind):
        return one.inside is not None and one.inside.kind == "LSQB"
    if "EQUAL" in (one.kind, other.kind):
        return other.in_bracket
    if one.sign:
        return True
    return (other.kind == "LPAR" and one.kind == "NAME") or (other.kind == "LSQB" and one.kind in OPERANDS)
