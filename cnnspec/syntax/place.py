"""Where the parser stopped, and what could stand there."""

from __future__ import annotations

from functools import cached_property

from cnnspec.source import Source, Span
from cnnspec.syntax.automaton import Automaton
from cnnspec.syntax.layout import OPENS
from cnnspec.syntax.lexer import NEWLINE, Token


class Place:
    """The token at `at` cannot follow what stands before it in its line, which begins at `begin`."""

    def __init__(self, source: Source, tokens: list[Token], begin: int, at: int, automaton: Automaton) -> None:
        self.source, self.tokens, self.begin, self.at, self.automaton = source, tokens, begin, at, automaton
        self.token = tokens[at]
        self.before = tokens[at - 1] if at > begin else None

    @cached_property
    def end(self) -> int:
        """The newline that ends the line."""
        return next(i for i in range(self.at, len(self.tokens)) if self.tokens[i].kind == NEWLINE)

    @property
    def after(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    @property
    def here(self) -> Span:
        """The token, or the last one of the line if it is its end."""
        return self.span(self.before if self.token.kind == NEWLINE and self.before else self.token)

    def span(self, token: Token) -> Span:
        return self.source.span(token.start, token.end)

    def between(self, first: Token | None, second: Token) -> Span:
        return self.source.span(first.end if first else second.start, second.start)

    def accepts(self, *kinds: str) -> bool:
        return self.automaton.accepted(kinds) == len(kinds)

    def begins(self, at: int) -> bool:
        """Whether the token begins a step: in a line, a branch, braces or behind a comma."""
        return at == self.begin or self.tokens[at - 1].kind in ("LBRACE", "VBAR", "COMMA", NEWLINE)

    def is_open(self, closing: str) -> bool:
        """Whether a bracket of this kind is open in the line, or a brace anywhere."""
        depth = 0
        kinds = (token.kind for token in self.tokens[0 if closing == "RBRACE" else self.begin : self.at])
        for kind in kinds:
            depth = max(0, depth + (OPENS.get(kind) == closing) - (kind == closing))
        return depth > 0

    @property
    def at_top(self) -> bool:
        """Whether a definition could begin here."""
        return self.accepts("MODEL", "NAME")

    @property
    def brace_follows(self) -> bool:
        """Whether the line ends where a brace belongs, which stands on the next one."""
        following = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        return (
            self.token.kind == NEWLINE
            and following is not None
            and following.kind == "LBRACE"
            and self.accepts("LBRACE")
        )

    def belongs(self) -> str:
        """What could stand here, in words and always in the same order."""
        words = [word for kind, word in self._kinds() if self.accepts(kind)]
        if "a value" in words and "a name" in words:
            words.remove("a name")
        return " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "nothing"

    def _kinds(self) -> list[tuple[str, str]]:
        layer = [("REPEAT", "a layer or statement")] if self.accepts("REPEAT") else []
        value = [] if layer else [("INT", "a value"), ("NAME", "a name"), ("STRING", "a text in quotes")]
        top = [("MODEL", "model, block, train, use or let")] if self.at_top else []
        return [*top, *layer, *value, *BELONGS]


BELONGS = [
    ("COMMA", "a comma"),
    ("LPAR", "("),
    ("RPAR", ")"),
    ("RSQB", "]"),
    ("COLON", ":"),
    ("EQUAL", "="),
    ("ARROW", "->"),
    ("IN", "in"),
    ("ELSE", "else"),
    ("VBAR", "|"),
    ("LBRACE", "{"),
    ("RBRACE", "}"),
    ("DOT", "."),
    (NEWLINE, "the end of the line"),
]


def shown(token: Token) -> str:
    return token.text if token.kind != NEWLINE else "the end of the line"
