"""The same spec written by someone else: other blanks, breaks and comments, from a seed."""

from __future__ import annotations

import random

from cnnspec.source import Source
from cnnspec.syntax import tables
from cnnspec.syntax.lexer import NEWLINE, Token, lex

COMMENTS = ["# short", "#! marked {", "# a [bracket, and a comma", '#"', "#" + " very long" * 15]
OPENS, CLOSES = {"LPAR", "LSQB"}, {"RPAR", "RSQB"}


def scattered(text: str, seed: int) -> str:
    """The tokens of the text with other things between them; what the grammar needs stays."""
    return _Writer(seed).write(text)


class _Writer:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.brackets = self.braces = 0

    def often(self, share: float) -> bool:
        return self.random.random() < share

    def write(self, text: str) -> str:
        tokens, _ = lex(Source("random", text), tables.load())
        end = Token(NEWLINE, "\n", 0, 0)
        out = self.lines(0.3)
        for one, other, third in zip(tokens, [*tokens[1:], end], [*tokens[2:], end, end], strict=False):
            self.brackets += (one.kind in OPENS) - (one.kind in CLOSES)
            self.braces += (one.kind == "LBRACE") - (one.kind == "RBRACE")
            new_line = one.kind == NEWLINE
            out += self.lines(0.3, least=True) if new_line else one.text + self.between(one, other, third)
        return out

    def between(self, one: Token, other: Token, third: Token) -> str:
        if other.kind == NEWLINE:
            return self.blanks(0) + (self.comment() if self.often(0.15) else "")
        may_break = one.kind in ("COMMA", "LBRACE", "VBAR") or other.kind in ("RBRACE", "VBAR")
        if self.brackets:  # what looks like a label there would say that a bracket was left open
            may_break = third.kind != "COLON"
        if may_break and self.often(0.1):
            return self.lines(0.3, least=True)
        return self.blanks(0 if not (one.text[-1].isalnum() or other.text[0].isalnum()) else 1)

    def lines(self, share: float, *, least: bool = False) -> str:
        """Comments, newlines and blanks; at least one newline where one is needed."""
        text = "\n" if least else ""
        while self.often(share):
            text += self.blanks(0) + self.random.choice(["\n", self.comment() + "\n"])
        return text + (self.blanks(1) if self.braces else "")

    def blanks(self, least: int) -> str:
        return self.random.choice([" " * least] * 4 + ["  ", "\t ", " " * 9])

    def comment(self) -> str:
        return self.random.choice(COMMENTS)
