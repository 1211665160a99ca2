"""From the grammar to the parser's tables, by lark. Used when the grammar has changed, never in a plain check."""

from __future__ import annotations

from typing import Any

import lark
from lark.lexer import PatternStr, TerminalDef
from lark.parsers.lalr_analysis import Shift

from cnnspec.syntax.tables import COLLECT, PASS, Rows, Rule, Tables


def generate(grammar: str) -> Tables:
    """Raises `lark.exceptions.GrammarError` where the grammar is wrong or not LALR(1)."""
    parser = lark.Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True)
    analysis = parser.parser.parser._parse_table
    rules = sorted(parser.rules, key=repr)
    numbers = {rule: number for number, rule in enumerate(rules)}
    order = _numbered(analysis.states, analysis.start_states["start"])
    names = {terminal.name: terminal for terminal in parser.terminals}
    return Tables(
        patterns=_patterns(names),
        words={t.pattern.value: t.name for t in names.values() if isinstance(t.pattern, PatternStr)},
        rules=tuple(_rule(rule) for rule in rules),
        rows=Rows([_row(analysis.states[state], order, numbers) for state in order]),
        end=order[analysis.end_states["start"]],
    )


def _patterns(terminals: dict[str, TerminalDef]) -> tuple[tuple[str, str], ...]:
    """In the order lark tries them. Anonymous ones are blanks, which the lexer skips by itself."""
    kept = [t for t in terminals.values() if not isinstance(t.pattern, PatternStr) and not t.name.startswith("__")]
    kept.sort(key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name))
    return tuple((t.name, t.pattern.value.replace("\n", r"\n").replace("\r", r"\r")) for t in kept)


def _numbered(states: dict[int, Any], start: int) -> dict[int, int]:
    """States in the order a search from the start meets them: lark's own numbers vary from run to run."""
    order = {start: 0}
    queue = [start]
    for state in queue:
        for _, (action, target) in sorted(states[state].items()):
            if action is Shift and target not in order:
                order[target] = len(order)
                queue.append(target)
    return order


def _row(row: dict[str, tuple[Any, Any]], order: dict[int, int], numbers: dict[Any, int]) -> str:
    return " ".join(
        f"{symbol} {order[target] + 1 if action is Shift else -numbers[target] - 1}"
        for symbol, (action, target) in sorted(row.items())
    )


def _rule(rule: Any) -> Rule:
    plan: list[int | None] = []
    spliced: set[int] = set()
    empty = rule.options.empty_indices or (False,) * len(rule.expansion)
    at = 0
    for absent in empty:
        if absent:
            plan.append(None)
            continue
        symbol = rule.expansion[at]
        if not (symbol.is_term and symbol.filter_out):
            plan.append(at)
            if not symbol.is_term and symbol.name.startswith("_"):
                spliced.add(at)
        at += 1
    repeats = rule.expansion[:1] == [rule.origin] and 0 in spliced
    return Rule(rule.origin.name, len(rule.expansion), _action(rule, plan), tuple(plan), frozenset(spliced), repeats)


def _action(rule: Any, plan: list[int | None]) -> str:
    if rule.origin.name.startswith("_"):
        return COLLECT
    if rule.options.expand1 and not rule.alias and len(plan) == 1:
        return PASS
    return rule.alias or str(rule.origin.name)
