"""Where in a text the cursor stands, judged by the words before it: what is asked for is mostly not yet written, so the
text need not follow the grammar."""

from __future__ import annotations

from typing import Literal

from cnnspec.record import Record
from cnnspec.syntax.lexer import NEWLINE, Token

Kind = Literal["top", "step", "setting", "value", "argument", "attribute", "model", "text", "nothing"]

OPENING = {"LPAR", "LSQB", "LBRACE"}
DEFINITIONS = {"MODEL", "BLOCK", "TRAIN", "USE"}
"""What begins a definition, and proves that all before it is closed."""

EXPRESSIONS = {"INPUT", "REPEAT", "IF", "ASSERT"}
"""Statements that go on with a value."""


class Call(Record):
    """A call whose parentheses are open. `given` are the names of its arguments so far, the one at the cursor left
    out; `index` counts the arguments before it, `named` is its name. `fresh`: nothing is written of it yet."""

    name: str
    given: tuple[str, ...]
    index: int
    named: str | None
    fresh: bool


class Context(Record):
    """What belongs at a place. `calls` are the calls around it, the innermost last; `setting` is the setting of
    `train { }` it stands in, empty for a setting that has no name yet. `starts` tells whether a statement may begin."""

    kind: Kind
    calls: tuple[Call, ...] = ()
    setting: str | None = None
    starts: bool = False

    @property
    def call(self) -> Call | None:
        return self.calls[-1] if self.calls else None


class _Opened:
    """A bracket that is open, with the words in it since the last comma or line."""

    def __init__(self, kind: str, name: str = "", settings: bool = False) -> None:
        self.kind, self.name, self.settings = kind, name, settings
        self.words: list[Token] = []
        self.given: list[str] = []
        self.index = 0
        self.after = NEWLINE

    def next(self, after: str) -> None:
        if len(self.words) > 1 and self.words[1].kind == "EQUAL":
            self.given.append(self.words[0].text)
        self.index += 1
        self.words, self.after = [], after

    @property
    def call(self) -> Call:
        named = self.words[0].text if len(self.words) > 1 and self.words[1].kind == "EQUAL" else None
        return Call(self.name, tuple(self.given), self.index, named, not self.words)


def context(tokens: list[Token], text: str, offset: int) -> Context:
    """What belongs at `offset`. The word that ends there is taken as one that is being typed."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    inside_text = line.count('"') % 2 == 1
    before = [token for token in tokens if token.end <= offset and token.kind != "STRAY"]
    if not inside_text and "#" in line and not any(t.kind == "STRING" and "#" in t.text for t in before[-20:]):
        return Context("nothing")
    if before and before[-1].end == offset and before[-1].text[:1].isidentifier():
        before.pop()
    stack = _opened(before)
    calls = tuple(opened.call for opened in stack if opened.name)
    braces = next((opened for opened in reversed(stack) if opened.kind == "LBRACE"), None)
    setting = _setting(braces) if braces and braces.settings else None
    kind = "text" if inside_text else _kind(stack[-1], before)
    innermost = stack[-1]
    starts = innermost.kind in ("TOP", "LBRACE") and innermost.after != "COMMA" and not innermost.words
    return Context(kind, calls, setting, starts)


def _opened(tokens: list[Token]) -> list[_Opened]:
    """The brackets that are open behind the tokens, the whole text first."""
    stack = [_Opened("TOP")]
    for at, token in enumerate(tokens):
        top, kind = stack[-1], token.kind
        if kind in DEFINITIONS and (at == 0 or tokens[at - 1].kind in (NEWLINE, "RBRACE")):
            stack = [_Opened("TOP")]
            stack[0].words = [token]
        elif kind in OPENING:
            if kind == "LBRACE":
                while top.kind in ("LPAR", "LSQB"):
                    stack.pop()
                    top = stack[-1]
            named = kind == "LPAR" and at > 0 and tokens[at - 1].kind == "NAME" and not _defines(top)
            settings = kind == "LBRACE" and bool(top.words) and top.words[0].kind == "TRAIN"
            top.words.append(token)
            stack.append(_Opened(kind, tokens[at - 1].text if named else "", settings))
        elif kind in ("RPAR", "RSQB", "RBRACE"):
            while len(stack) > 1 and stack.pop().kind != _opening(kind):
                pass
            stack[-1].words.append(token)
        elif kind == "COMMA" or (kind in (NEWLINE, "VBAR") and top.kind in ("LBRACE", "TOP")):
            if kind != NEWLINE or top.after != "COMMA" or top.words:
                top.next(kind)
        elif kind != NEWLINE:
            top.words.append(token)
    return stack


def _opening(closing: str) -> str:
    return {"RPAR": "LPAR", "RSQB": "LSQB", "RBRACE": "LBRACE"}[closing]


def _defines(top: _Opened) -> bool:
    """Whether parentheses hold the parameters of a definition."""
    return len(top.words) == 2 and top.words[0].kind in ("BLOCK", "MODEL")


def _setting(braces: _Opened) -> str:
    named = len(braces.words) > 1 and braces.words[1].kind == "COLON"
    return braces.words[0].text if named else ""


def _kind(top: _Opened, before: list[Token]) -> Kind:
    kinds = [token.kind for token in before[-2:]]
    if kinds[-2:] == ["X", "DOT"]:
        return "attribute"
    if top.kind == "LPAR":
        return "argument" if top.name else "value"
    if top.kind == "LSQB":
        return "value"
    words = [token.kind for token in top.words]
    if top.settings:
        return "setting" if not words else "value" if "COLON" in words else "nothing"
    return _statement(words, "top" if top.kind == "TOP" else "step")


def _statement(words: list[str], beginning: Kind) -> Kind:
    if not words:
        return beginning
    if beginning == "top" and (words == ["TRAIN"] or words == ["MODEL", "NAME", "EQUAL"]):
        return "model"
    if words[0] == "LET":
        return "value" if "EQUAL" in words else "nothing"
    if words[0] == "FOR":
        return "value" if "IN" in words else "nothing"
    if words[0] in EXPRESSIONS or "ARROW" in words:
        return "value"
    return "step" if words[-1] == "COLON" else "nothing"
