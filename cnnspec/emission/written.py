"""What the spec says at a place, as Python: `4 * width` rather than the number it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cnnspec.record import Record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

STRENGTH = {"+": 1, "-": 1, "*": 2, "//": 2, "%": 2}
"""The operators that mean the same in Python, and how strongly they bind."""


def arguments(call: Span, parameters: Sequence[str]) -> dict[str, tree.Expr]:
    """The expressions of a call in the spec, by the parameter each is for; defaults are left out."""
    written = _calls(call.source)[call.start].arguments
    return {
        argument.name.text if argument.name else parameters[position]: argument.value
        for position, argument in enumerate(written)
    }


@lru_cache(maxsize=4)
def _calls(source: Source) -> dict[int, tree.Call]:
    return {node.span.start: node for node in walk(parse(source).file.items) if isinstance(node, tree.Call)}


def walk(node: Any) -> Iterator[tree.Node]:
    """A node of the syntax tree and all below it; a tuple stands for its members."""
    if isinstance(node, tuple):
        for each in node:
            yield from walk(each)
    elif isinstance(node, Record) and not isinstance(node, Span):
        if isinstance(node, tree.Node):
            yield node
        yield from walk(tuple(node.__dict__.values()))


def names(expression: tree.Expr) -> set[str]:
    """The names an expression mentions."""
    return {node.text for node in walk(expression) if isinstance(node, tree.Name)}


def python(expression: tree.Expr, known: Mapping[str, str]) -> str | None:
    """The expression in Python, with names as `known` has them; None where Python would compute something else."""
    match expression:
        case tree.Name(text=name):
            return known.get(name)
        case tree.Number(value=int() as value):
            return str(value)
        case tree.Binary(operator=operator, left=left, right=right) if operator in STRENGTH:
            strength = STRENGTH[operator]
            before = _operand(left, known, strength)
            after = _operand(right, known, strength + 1)
            return f"{before} {operator} {after}" if before and after else None
    return None


def _operand(expression: tree.Expr, known: Mapping[str, str], least: int) -> str | None:
    text = python(expression, known)
    weaker = isinstance(expression, tree.Binary) and STRENGTH.get(expression.operator, 0) < least
    return f"({text})" if text and weaker else text
