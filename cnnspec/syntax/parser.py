"""From text to tree, with every syntax error of the text in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnspec.diagnostics import Diagnostic
from cnnspec.record import Record
from cnnspec.source import Source
from cnnspec.syntax import tables, tree
from cnnspec.syntax.actions import Mistake
from cnnspec.syntax.automaton import Automaton, Snapshot, Unexpected
from cnnspec.syntax.layout import MISSING, STATEMENTS, Fault, arrange
from cnnspec.syntax.lexer import NEWLINE, Token, lex

if TYPE_CHECKING:
    from cnnspec.syntax.place import Place

LONGEST_TEXT = 500_000
"""Characters in a spec; the longest of real networks have a hundredth of it."""

MOST_DIAGNOSTICS = 100

FAULT = "_FAULT"


class Parsed(Record):
    """`file` holds what could be read: a `Faulty` stands for a statement with a fault, and `diagnostics` tells of
    each."""

    file: tree.File
    diagnostics: tuple[Diagnostic, ...]


def parse(source: Source) -> Parsed:
    """Reads any text; never raises."""
    whole = source.span(0, len(source.text))
    if len(source.text) > LONGEST_TEXT:
        message = f"the text has {len(source.text):,} characters; a spec has at most {LONGEST_TEXT:,}"
        return Parsed(tree.File((), (), whole), (Diagnostic("E101", message, source.span(0, 0)),))
    known = tables.load()
    tokens, comments = lex(source, known)
    run = _Run(Automaton(known, source), source, arrange(source, tokens))
    file = tree.File(run.items(), tuple(comments), whole)
    return Parsed(file, tuple(run.diagnostics))


class _Run:
    """One pass over the tokens. Behind each newline the parser's stacks are kept; a faulty line puts them back."""

    def __init__(self, automaton: Automaton, source: Source, tokens: list[Token]) -> None:
        self.automaton, self.source, self.tokens = automaton, source, tokens
        self.diagnostics: list[Diagnostic] = []
        self.behind, self.resumed = 0, -1
        self.kept: Snapshot = automaton.snapshot()

    def items(self) -> tuple[tree.Item, ...]:
        at, tokens, feed = 0, self.tokens, self.automaton.feed
        while at < len(tokens):
            token = tokens[at]
            try:
                feed(token)
                at += 1
                if token.kind == NEWLINE:
                    self._keep(at)
            except Unexpected:
                at = self._unexpected(at)
            except Mistake as mistake:
                at = self._leave_out(at, mistake.diagnostic)
        return self._finish()

    def _keep(self, at: int) -> None:
        self.behind, self.kept = at, self.automaton.snapshot()

    def _finish(self) -> tuple[tree.Item, ...]:
        try:
            return tuple(self.automaton.finish())
        except Unexpected:
            return ()

    def _unexpected(self, at: int) -> int:
        """Report the token; where to go on."""
        token = self.tokens[at]
        if isinstance(token, Fault):
            if token.kind != MISSING:
                return self._leave_out(at, token.diagnostic)
            self._report(token.diagnostic)
            del self.tokens[at]
            return at
        if len(self.diagnostics) >= MOST_DIAGNOSTICS or self._astray(at):
            return self._leave_out(at, None)
        # What words the messages is not loaded for a spec that has no faults.
        from cnnspec.syntax.explain import brace_below, explain
        from cnnspec.syntax.place import Place

        self._feed_again(at)
        place = Place(self.source, self.tokens, self.behind, at, self.automaton)
        if not place.brace_follows:
            return self._leave_out(at, explain(place), place)
        self._report(brace_below(place))
        del self.tokens[at]
        return at

    def _feed_again(self, at: int) -> None:
        """Undo what the parser concluded from the token that turned out to be wrong."""
        self.automaton.restore(self.kept)
        for token in self.tokens[self.behind : at]:
            self.automaton.feed(token)

    def _report(self, diagnostic: Diagnostic | None) -> None:
        if diagnostic is not None and len(self.diagnostics) < MOST_DIAGNOSTICS:
            self.diagnostics.append(diagnostic)

    def _leave_out(self, at: int, diagnostic: Diagnostic | None, place: Place | None = None) -> int:
        """Go back to the beginning of the line and on behind it, with the braces that the line opens and closes."""
        tokens = self.tokens
        end = next(i for i in range(at, len(tokens)) if tokens[i].kind == NEWLINE)
        if place is not None and place.swallowed is not None:
            end = place.swallowed
        self.automaton.restore(self.kept)
        self._report(diagnostic)
        end = self._step_over(tokens[self.behind : end], end)
        self._keep(end + 1)
        self.resumed = end + 1
        return end + 1

    def _astray(self, at: int) -> bool:
        """Whether the line only follows from the one before: outside of all definitions, the rest of a body whose
        header was not understood."""
        if self.behind == at and self.tokens[at].kind == NEWLINE:
            return False
        first = self.tokens[self.behind]
        indented = first.start > 0 and self.source.text[first.start - 1] != "\n"
        before = self.kept.values[-2] if len(self.kept.values) > 1 else None
        follows = self.behind == self.resumed or isinstance(before, tree.Faulty)
        if not follows or first.kind in STATEMENTS or not (indented or first.kind == "RBRACE"):
            return False
        self.automaton.restore(self.kept)
        return self._accepts("MODEL", "NAME")

    def _step_over(self, line: list[Token], end: int) -> int:
        """Feed what keeps the braces in balance; the newline to go on behind."""
        closed, opened = _balance(line)
        for _ in range(closed):
            self._feed_if_accepted("RBRACE")
        if opened and not self._accepts(FAULT):
            self._feed_if_accepted(NEWLINE)
        if opened and not self._accepts(FAULT):
            return self._behind_group(end, len(opened))
        for at in opened:
            header = line[: at + 1]
            in_train = any(token.kind == "TRAIN" for token in header) and self._accepts(FAULT, "TRAIN")
            self._feed_if_accepted(FAULT)
            if in_train:
                self._feed_if_accepted("TRAIN")
            self._feed_if_accepted("LBRACE")
            if any(token.kind == "VBAR" for token in line[at:]):
                self._feed_if_accepted("VBAR")
        if line and line[0].kind == "VBAR":
            self._feed_if_accepted("VBAR")
        if not (closed or opened):
            self._feed_if_accepted(FAULT)
        if self._accepts(NEWLINE):
            self._feed_if_accepted(NEWLINE)
        return end

    def _behind_group(self, at: int, depth: int) -> int:
        """The end of braces that cannot be read, because none may stand there, or of their line."""
        tokens = self.tokens
        while depth and at + 1 < len(tokens):
            at += 1
            token = tokens[at]
            if token.kind == MISSING:
                assert isinstance(token, Fault)
                self._report(token.diagnostic)
            depth += (token.kind == "LBRACE") - (token.kind == "RBRACE")
        return at + 1 if at + 1 < len(tokens) and tokens[at + 1].kind == NEWLINE else at

    def _accepts(self, *kinds: str) -> bool:
        return self.automaton.accepted(kinds) == len(kinds)

    def _feed_if_accepted(self, kind: str) -> None:
        if self._accepts(kind):
            self.automaton.feed(Token(kind, "", self.automaton.end, self.automaton.end))


def _balance(line: list[Token]) -> tuple[int, list[int]]:
    """How many braces the line closes that others opened, and where it opens those that others close."""
    closed, opened = 0, list[int]()
    for at, token in enumerate(line):
        if token.kind == "LBRACE":
            opened.append(at)
        elif token.kind == "RBRACE" and opened:
            opened.pop()
        elif token.kind == "RBRACE":
            closed += 1
    return closed, opened
