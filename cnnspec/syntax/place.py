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
        self.swallowed: int | None = None
        """The newline behind which to go on reading, where a hint knows of more lines that belong to the fault."""

    @cached_property
    def end(self) -> int:
        """The newline that ends the line."""
        return next(i for i in range(self.at, len(self.tokens)) if self.tokens[i].kind == NEWLINE)

    @property
    def rest(self) -> list[str]:
        """The kinds of what is left of the line."""
        return [token.kind for token in self.tokens[self.at : self.end + 1]]

    @property
    def after(self) -> Token:
        return self.peek(self.at + 1)

    def peek(self, at: int) -> Token:
        """The token there, or the last newline for all that is behind it."""
        return self.tokens[min(at, len(self.tokens) - 1)]

    @property
    def here(self) -> Span:
        """The token, or the last one of the line if it is its end."""
        return self.span(self.before if self.token.kind == NEWLINE and self.before else self.token)

    def previous(self, token: Token) -> Token:
        return self.tokens[max(0, self.tokens.index(token) - 1)]

    @property
    def start_of_after(self) -> int:
        """Where the next token begins, for an edit that takes the blanks before it along."""
        return self.after.start if self.after.kind != NEWLINE else self.token.end

    def around(self) -> tuple[Token | None, Token | None]:
        """The innermost bracket that is open here, and the one that closes it in this line."""
        opened: list[Token] = []
        for token in self.tokens[self.begin : self.at]:
            if token.kind in OPENS:
                opened.append(token)
            elif opened and token.kind == OPENS[opened[-1].kind]:
                opened.pop()
        if not opened:
            return None, None
        depth = 0
        for token in self.tokens[self.at : self.end]:
            depth += (token.kind in OPENS) - (token.kind in OPENS.values())
            if depth < 0:
                return opened[-1], token
        return opened[-1], None

    def phrase(self, token: Token) -> str:
        """The token in words; for a closing parenthesis the call that it ends."""
        if token.kind != "RPAR":
            return shown(token)
        depth = 0
        for at in range(self.tokens.index(token, self.begin), self.begin - 1, -1):
            depth += (self.tokens[at].kind == "RPAR") - (self.tokens[at].kind == "LPAR")
            if depth == 0:
                named = at > self.begin and self.tokens[at - 1].kind == "NAME"
                text = self.source.text[self.tokens[at - named].start : token.end]
                return text if len(text) <= LONGEST_PHRASE and "\n" not in text else shown(token)
        return shown(token)

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
    def settings(self) -> bool:
        """Whether the line stands among the settings of a `train`."""
        opened = [0]
        for at, token in enumerate(self.tokens[: self.begin]):
            if token.kind == "LBRACE":
                opened.append(at)
            elif token.kind == "RBRACE" and len(opened) > 1:
                opened.pop()
        return any(token.kind == "TRAIN" for token in self.tokens[max(0, opened[-1] - 2) : opened[-1]])

    @property
    def brace_follows(self) -> bool:
        """Whether the line ends where a brace belongs, which stands on the next one."""
        return self.token.kind == NEWLINE and self.after.kind == "LBRACE" and self.accepts("LBRACE")

    def belongs(self) -> str:
        """What could stand here, in words and always in the same order."""
        words = [word for kind, word in self._kinds() if self.accepts(kind)]
        if "a layer or statement" in words and '"{"' in words:
            words.remove('"{"')
        if "a value" in words:
            words = [word for word in words if word not in ("a name", "a text in quotes", '"("')]
        return " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "nothing"

    def _kinds(self) -> list[tuple[str, str]]:
        layer = [("REPEAT", "a layer or statement")] if self.accepts("REPEAT") else []
        value = [] if layer else [("INT", "a value"), ("NAME", "a name"), ("STRING", "a text in quotes")]
        top = [("MODEL", "model, block, train, use or let")] if self.at_top else []
        return [*top, *layer, *value, *BELONGS]


BELONGS = [
    ("COMMA", "a comma"),
    ("LPAR", '"("'),
    ("RPAR", '")"'),
    ("RSQB", '"]"'),
    ("COLON", "a colon"),
    ("EQUAL", '"="'),
    ("ARROW", '"->"'),
    ("IN", "in"),
    ("ELSE", "else"),
    ("VBAR", '"|"'),
    ("LBRACE", '"{"'),
    ("RBRACE", '"}"'),
    ("DOT", '"."'),
    (NEWLINE, "the end of the line"),
]

LONGEST_PHRASE = 40


def shown(token: Token) -> str:
    """As it is named in a message: words and numbers as they are, marks in quotes."""
    if token.kind == NEWLINE:
        return "the end of the line"
    return token.text if token.text[:1].isalnum() or token.text[:1] in ('"', "_", "?") else f'"{token.text}"'
