"""What the spec says at a place, as Python: `4 * width` rather than the number it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cnnspec.emission.express import bracketed, literal, tidy
from cnnspec.record import Record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse


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


def python(expression: tree.Expr, known: Mapping[str, str], slash: str = "//") -> str | None:
    """The expression in Python, with names as `known` has them; None where there is none.

    The language divides exactly and computes with decimal numbers, so what comes out is to be tried. `slash` is
    written for `/`.
    """
    try:
        return tidy(_python(expression, known, slash))
    except Untranslatable:
        return None


class Untranslatable(Exception):
    """Python has no such expression."""


def _python(expression: tree.Expr, known: Mapping[str, str], slash: str) -> str:
    def inner(part: tree.Expr) -> str:
        return f"({_python(part, known, slash)})"

    match expression:
        case tree.Name(text=name) if name in known:
            return known[name]
        case tree.Number(value=value) | tree.Boolean(value=value) | tree.String(text=value):
            return literal(value)
        case tree.Dims(sizes=sizes) if all(isinstance(size, int) for size in sizes):
            return literal(sizes)
        case tree.List(items=items):
            return bracketed(map(inner, items))
        case tree.Index(base=base, index=index):
            return f"{inner(base)}[{inner(index)}]"
        case tree.Unary(operator=operator, operand=operand):
            return f"{operator} {inner(operand)}"
        case tree.Binary(operator=operator, left=left, right=right):
            return f"{inner(left)} {slash if operator == '/' else operator} {inner(right)}"
        case tree.Conditional(value=value, condition=condition, other=other):
            return f"{inner(value)} if {inner(condition)} else {inner(other)}"
    raise Untranslatable
