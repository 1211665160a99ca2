"""From text to tokens."""

from __future__ import annotations

from cnnspec.source import Source
from cnnspec.syntax.tables import Tables
from cnnspec.syntax.tree import Comment

NEWLINE = "_NL"
STRAY = "STRAY"
RESERVED = "RESERVED"

RESERVED_WORDS = frozenset({"save", "from"})
"""Kept free for later versions of the language."""


class Token:
    """A word of the text; `kind` is a terminal of the grammar, or one of the kinds above, which no rule takes."""

    __slots__ = ("end", "kind", "start", "text")

    def __init__(self, kind: str, text: str, start: int, end: int) -> None:
        self.kind, self.text, self.start, self.end = kind, text, start, end

    def __repr__(self) -> str:
        return f"{self.kind}({self.text!r})"


def lex(source: Source, tables: Tables) -> tuple[list[Token], list[Comment]]:
    """All tokens, with one newline between the lines that have any, and the comments apart. Whatever
    the text is, all of it is in one of them."""
    tokens: list[Token] = []
    comments: list[Comment] = []
    words = tables.words
    end_of_words = len(source.text.rstrip(" \t\r\f"))
    for match in tables.pattern.finditer(source.text, _after_mark(source.text), end_of_words):
        kind = match.lastgroup
        assert kind is not None
        text = match[kind]
        end = match.end()
        if kind == "NAME":
            kind = words.get(text, kind) if text not in RESERVED_WORDS else RESERVED
        elif kind == "WORD":
            kind = words[text]
        elif kind == "COMMENT":
            comments.append(Comment(text, source.span(end - len(text), end)))
            continue
        elif kind == NEWLINE and (not tokens or tokens[-1].kind == NEWLINE):
            continue
        tokens.append(Token(kind, text, end - len(text), end))
    return tokens, comments


def _after_mark(text: str) -> int:
    """Where reading begins: behind a byte order mark."""
    return 1 if text.startswith("\ufeff") else 0
