"""Between lexer and parser: newlines that mean something, brackets that close.

The grammar counts on it that newlines are dropped inside brackets, after a comma and before `else`. Brackets are
matched here, where the whole text is in view: braces never stand inside brackets, so a brace, a statement or a label
proves that a bracket was left open, and a definition in the first column that a brace was.
"""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Fix, Label
from cnnspec.source import Source, Span
from cnnspec.syntax.lexer import NEWLINE, Token

FAULTY = "FAULTY"
"""Stands where a fault was proven; the parser leaves the line out."""

MISSING = "MISSING"
"""Stands before braces that are added here; the parser reports it and goes on."""

PEEKED = 2
"""How far ahead of a token is looked."""

MOST_NESTED = 100
"""Bounds brackets and operators around each other, and so the depth of the tree: walks over it recurse."""

BRACE_WEIGHT = 3
"""A brace brings more nodes around each other than an operator does."""

OPENS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
CLOSING = {"(": ")", "[": "]", "{": "}"}
BRACKETS = {"RPAR": "LPAR", "RSQB": "LSQB"}
DEFINITIONS = frozenset({"MODEL", "BLOCK", "TRAIN", "USE"})
STATEMENTS = DEFINITIONS | {"LET", "INPUT", "REPEAT", "ASSERT"}
ENDS = frozenset({"LBRACE", "RBRACE", "VBAR", "END"})
NESTS = frozenset(
    "OR AND NOT PLUS MINUS STAR SLASH DSLASH PERCENT LT GT LE GE EQ NE IF ELSE LPAR LSQB LBRACE".split()  # noqa: SIM905
)


class Fault(Token):
    """A token that carries what is wrong; None if that was reported already."""

    __slots__ = ("diagnostic",)

    def __init__(self, kind: str, at: int, diagnostic: Diagnostic | None) -> None:
        super().__init__(kind, "", at, at)
        self.diagnostic = diagnostic


class Opened:
    """A bracket or brace that waits for its other half."""

    __slots__ = ("indent", "resume", "token", "weight")

    def __init__(self, token: Token, weight: int, indent: int) -> None:
        self.token, self.weight, self.indent = token, weight, indent
        self.resume: tuple[int, int] | None = None


def arrange(source: Source, tokens: list[Token]) -> list[Token]:
    """The tokens for the parser. Every line ends with a newline, also the last; every brace is closed."""
    return _Layout(source, tokens).run()


class _Layout:
    def __init__(self, source: Source, tokens: list[Token]) -> None:
        end = len(source.text)
        self.source = source
        self.tokens = [*tokens, Token(NEWLINE, "", end, end), *[Token("END", "", end, end)] * PEEKED]
        self.out: list[Token] = []
        self.brackets: list[Opened] = []
        self.braces: list[Opened] = []
        self.weight = 0
        self.indent = 0
        self.inner: int | None = None
        self.suspect: Opened | None = None

    def run(self) -> list[Token]:
        out, tokens = self.out, self.tokens
        handlers = {
            NEWLINE: self._newline,
            "COMMA": self._comma,
            "LPAR": self._open_bracket,
            "LSQB": self._open_bracket,
            "RPAR": self._close_bracket,
            "RSQB": self._close_bracket,
            "LBRACE": self._open_brace,
            "RBRACE": self._close_brace,
        }
        at, first = 0, True
        while at < len(tokens) - PEEKED + 1:
            token = tokens[at]
            if first:
                resume = self._line(at)
                if resume is not None:
                    at = resume
                    continue
            first = token.kind == NEWLINE
            if token.kind in NESTS:
                self.weight += BRACE_WEIGHT if token.kind == "LBRACE" else 1
                if self.weight > MOST_NESTED:
                    return self._too_deep(token)
            handler = handlers.get(token.kind)
            if handler is None:
                out.append(token)
                at += 1
            else:
                at = handler(at, token)
        out.pop()
        return out

    # ------------------------------------------------------------------------------------------------- newlines

    def _newline(self, at: int, token: Token) -> int:
        out = self.out
        following = self.tokens[at + 1].kind
        if self.brackets:
            self._note_resume(at)
            return at + 1
        self.weight = self.braces[-1].weight if self.braces else 0
        if not out or out[-1].kind == NEWLINE or following == "ELSE":
            return at + 1
        if out[-1].kind == "COMMA" and not self._ends_statement(at + 1):
            return at + 1
        out.append(token)
        return at + 1

    def _note_resume(self, at: int) -> None:
        """Remember where the line of the outermost open bracket ends, in case that it is never closed."""
        opened, out = self.brackets[0], self.out
        if opened.resume is not None:
            return
        open_end = out[-1].kind in ("COMMA", "LPAR", "LSQB")
        if self.tokens[at + 2].kind == "COLON" if open_end else self._begins_statement(at + 1):
            opened.resume = (at, len(out))

    def _line(self, at: int) -> int | None:
        """Judge the first token of a line; the place to go on from if it proves something."""
        token = self.tokens[at]
        if token.kind == NEWLINE:
            return None
        column = self._column(token)
        if self.brackets and self._ends_statement(at):
            return self._unclosed_bracket(at)
        self.indent = column
        if len(self.braces) == 1 and self.inner is None and token.kind != "RBRACE":
            self.inner = column
        if self.braces and self._is_definition(at, column):
            self._unclosed_braces(token)
        return None

    def _column(self, token: Token) -> int:
        return token.start - self.source.text.rfind("\n", 0, token.start) - 1

    def _is_definition(self, at: int, column: int) -> bool:
        kind = self.tokens[at].kind
        if kind == "END":
            return True
        if column > 0 or self.tokens[at + 1].kind == "COLON":
            return False
        return kind in DEFINITIONS or (kind == "LET" and bool(self.inner))

    def _ends_statement(self, at: int) -> bool:
        """Whether the token at the beginning of a line cannot go on what stands before it."""
        kind = self.tokens[at].kind
        if kind in ENDS:
            return kind != "LBRACE" or bool(self.brackets)
        following = self.tokens[at + 1].kind
        if kind in STATEMENTS and following not in ("COLON", "EQUAL"):
            return True
        return bool(self.brackets) and following == "COLON" and self._is_label(kind)

    def _is_label(self, kind: str) -> bool:
        """In parentheses `name: value` after a comma is more likely an argument with a colon for the equals sign."""
        if kind not in ("NAME", "STRING") and kind not in STATEMENTS:
            return False
        before = self.out[-1].kind
        if self.brackets[-1].token.kind == "LPAR":
            return before not in ("LPAR", "COMMA")
        return before != "LSQB"

    def _begins_statement(self, at: int) -> bool:
        kind = self.tokens[at].kind
        if kind == "STRING":
            return self.tokens[at + 1].kind == "COLON"
        return kind == "NAME" or kind in STATEMENTS or kind in ENDS

    # ------------------------------------------------------------------------------------------------- brackets

    def _comma(self, at: int, token: Token) -> int:
        inside = self.brackets or self.braces
        self.weight = inside[-1].weight if inside else 0
        self.out.append(token)
        return at + 1

    def _open_bracket(self, at: int, token: Token) -> int:
        self.brackets.append(Opened(token, self.weight, self.indent))
        self.out.append(token)
        return at + 1

    def _close_bracket(self, at: int, token: Token) -> int:
        wanted = BRACKETS[token.kind]
        if self.brackets and self.brackets[-1].token.kind != wanted:
            self.out.append(Fault(FAULTY, token.start, self._mismatch(self.brackets[-1].token, token)))
            if any(opened.token.kind == wanted for opened in self.brackets):
                while self.brackets[-1].token.kind != wanted:
                    self.brackets.pop()
        if self.brackets:
            self.brackets.pop()
        self.out.append(token)
        return at + 1

    def _mismatch(self, opened: Token, closed: Token) -> Diagnostic:
        message = f'"{opened.text}" is closed by "{closed.text}"'
        label = Label(self._span(opened), "opened here")
        return Diagnostic("E102", message, self._span(closed), "closed here", (label,))

    def _unclosed_bracket(self, at: int) -> int:
        """Report the outermost open bracket, and go on behind its line."""
        opened = self.brackets[0]
        self.brackets.clear()
        self.weight = self.braces[-1].weight if self.braces else 0
        if opened.resume is not None:
            at, length = opened.resume
            del self.out[length:]
        token = self.tokens[at]
        self.out.append(Fault(FAULTY, token.start, self._unclosed(opened.token)))
        if self.tokens[at].kind != NEWLINE and self.tokens[at - 1].kind == NEWLINE:
            return at - 1
        return at

    def _unclosed(self, opened: Token, labels: tuple[Label, ...] = ()) -> Diagnostic:
        from cnnspec.syntax.bodies import unclosed

        closing = CLOSING[opened.text]
        fix = Fix(f"close it with {closing}", (unclosed(self.source, self._span(opened), closing),))
        return Diagnostic(
            "E102", f'"{opened.text}" is never closed', self._span(opened), "opened here", labels, fixes=(fix,)
        )

    # --------------------------------------------------------------------------------------------------- braces

    def _open_brace(self, at: int, token: Token) -> int:
        if self.brackets:
            return self._unclosed_bracket(at)
        self.braces.append(Opened(token, self.weight, self.indent))
        if len(self.braces) == 1:
            self.inner, self.suspect = None, None
        self.out.append(token)
        return at + 1

    def _close_brace(self, at: int, token: Token) -> int:
        if self.brackets:
            return self._unclosed_bracket(at)
        if self.braces:
            opened = self.braces.pop()
            if self.suspect is None and self.indent < opened.indent and self.out[-1].kind == NEWLINE:
                self.suspect = opened
        self.out.append(token)
        return at + 1

    def _unclosed_braces(self, token: Token) -> None:
        opened = self.suspect or self.braces[-1]
        labels = () if token.kind == "END" else (Label(self._span(token), "this begins something new"),)
        self.out.append(Fault(MISSING, token.start, self._unclosed(opened.token, labels)))
        self._close_all(token)

    def _close_all(self, token: Token) -> None:
        self.out.extend(Token("RBRACE", "", token.start, token.start) for _ in self.braces)
        if self.braces:
            self.out.append(Token(NEWLINE, "", token.start, token.start))
        self.braces.clear()
        self.weight = 0

    def _too_deep(self, token: Token) -> list[Token]:
        """Nothing behind this is read: whatever it is, it is no network."""
        message = "too many brackets, braces and operators stand inside each other"
        self.out.append(Fault(FAULTY, token.start, Diagnostic("E101", message, self._span(token), "nested too deeply")))
        self.out.append(Token(NEWLINE, "", token.start, token.start))
        self._close_all(token)
        return self.out

    def _span(self, token: Token) -> Span:
        return self.source.span(token.start, token.end)
