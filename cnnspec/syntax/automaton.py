"""The LALR(1) parser: stacks that can be copied, put back and asked what may follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnnspec.source import Source, Span
from cnnspec.syntax.actions import ACTIONS
from cnnspec.syntax.lexer import NEWLINE, Token
from cnnspec.syntax.tables import COLLECT, PASS, Rule, Tables


class Unexpected(Exception):
    """The token cannot stand here."""


class Snapshot:
    """The stacks behind a newline. Lists on the stack grow in place, so their lengths are kept with them."""

    __slots__ = ("end", "lengths", "starts", "states", "values")

    def __init__(self, parser: Automaton) -> None:
        self.states, self.values, self.starts = parser.states[:], parser.values[:], parser.starts[:]
        self.lengths = [len(value) if type(value) is list else 0 for value in parser.values]
        self.end = parser.end


class Automaton:
    """Feed it tokens, then `finish`."""

    def __init__(self, tables: Tables, source: Source) -> None:
        self.tables, self.source = tables, source
        self.states: list[int] = [0]
        self.values: list[Any] = []
        self.starts: list[int] = []
        self.end = 0

    def feed(self, token: Token) -> None:
        """Raises `Unexpected`, or `Mistake` from an action; then only `restore` helps."""
        states, values, starts = self.states, self.values, self.starts
        rows, passed, kind = self.tables.rows, self.tables.passed, token.kind
        while True:
            step = rows[states[-1]].get(kind)
            if step is None:
                raise Unexpected
            if step > 0:
                states.append(step - 1)
                values.append(token)
                starts.append(token.start)
                if kind != NEWLINE:
                    self.end = token.end
                return
            if step in passed:
                states[-1] = rows[states[-2]][passed[step]] - 1
            else:
                self._reduce(-step - 1)

    def _reduce(self, number: int) -> None:
        rule = self.tables.rules[number]
        states, values, starts = self.states, self.values, self.starts
        size, action, plan = rule.size, rule.action, rule.plan
        below = len(values) - size
        children = values[below:]
        start = starts[below] if size else self.end
        if action == PASS:
            value = children[plan[0] or 0]
        elif action == COLLECT:
            value = _collect(rule, children)
        else:
            value = ACTIONS[action](_pick(rule, children), Span(self.source, start, self.end))
        del states[below + 1 :], values[below:], starts[below:]
        states.append(self.tables.rows[states[-1]][rule.origin] - 1)
        values.append(value)
        starts.append(start)

    def finish(self) -> Any:
        """The value of the whole text; raises `Unexpected` where it may not end."""
        while self.states[-1] != self.tables.end:
            step = self.tables.rows[self.states[-1]].get("$END", 0)
            if step >= 0:
                raise Unexpected
            self._reduce(-step - 1)
        return self.values[-1]

    def snapshot(self) -> Snapshot:
        return Snapshot(self)

    def restore(self, snapshot: Snapshot) -> None:
        self.states, self.values, self.starts = snapshot.states[:], snapshot.values[:], snapshot.starts[:]
        self.end = snapshot.end
        for value, length in zip(self.values, snapshot.lengths, strict=True):
            if type(value) is list:
                del value[length:]

    def accepted(self, kinds: Iterable[str]) -> int:
        """Of tokens of these kinds, how many could be fed one after another."""
        states, count = self.states[:], 0
        for kind in kinds:
            if not self._shifts(states, kind):
                break
            count += 1
        return count

    def _shifts(self, states: list[int], kind: str) -> bool:
        while True:
            step = self.tables.rows[states[-1]].get(kind, 0)
            if step >= 0:
                states.append(step - 1)
                return step > 0
            rule = self.tables.rules[-step - 1]
            del states[len(states) - rule.size :]
            states.append(self.tables.rows[states[-1]][rule.origin] - 1)


def _pick(rule: Rule, children: list[Any]) -> list[Any]:
    if not rule.spliced:
        return [None if at is None else children[at] for at in rule.plan]
    picked: list[Any] = []
    for at in rule.plan:
        if at in rule.spliced:
            picked.extend(children[at])
        else:
            picked.append(None if at is None else children[at])
    return picked


def _collect(rule: Rule, children: list[Any]) -> list[Any]:
    """A rule that repeats begins with the list so far, which then grows in place."""
    if not rule.repeats:
        return _pick(rule, children)
    items: list[Any] = children[0]
    for at in rule.plan[1:]:
        assert at is not None
        if at in rule.spliced:
            items.extend(children[at])
        else:
            items.append(children[at])
    return items
