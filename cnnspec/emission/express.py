"""Values and how Python writes them: as literals, or in terms of a constructor's arguments.

A place in a class (an argument of one of its layers) has one value for every use of the class. Where these agree the
place is a literal; where they differ it is an expression that gives the right value in every use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

Values = tuple[Any, ...]
"""What one place, or one argument, is in each use of its class."""

Scope = Mapping[str, Values]
"""What an expression may be made of: arguments, or other expressions, with their values."""


def plain(value: Any) -> Any:
    """A value of the language as Python has it: fractions become numbers."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value


def literal(value: Any) -> str:
    match value:
        case str():
            return quoted(value)
        case float():
            return repr(value).replace("e-0", "e-").replace("e+", "e")
        case tuple():
            return "(" + ", ".join(map(literal, value)) + (",)" if len(value) == 1 else ")")
    return repr(value)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def same(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Equal one by one, where `True` is not 1."""
    return all(
        a == b and isinstance(a, bool) == isinstance(b, bool) for a, b in zip(map(plain, left), right, strict=True)
    )


def constant(values: Values) -> bool:
    return same(values[:1] * len(values), values)


def explain(values: Values, scope: Scope) -> str | None:
    """The simplest expression that has these values: a literal, one of the scope, one of them multiplied or divided
    by a whole number, or a tuple of such."""
    if constant(values):
        return literal(plain(values[0]))
    for text, found in _candidates(values, scope):
        if same(found, values):
            return text
    if all(isinstance(value, tuple) and len(value) == len(values[0]) for value in values):
        parts = [explain(part, scope) for part in zip(*values, strict=True)]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            return f"({', '.join(known)})" if len(known) > 1 else f"({known[0]},)"
    return None


def _candidates(values: Values, scope: Scope) -> Iterator[tuple[str, Values]]:
    yield from scope.items()
    for text, found in scope.items():
        if not (_whole(values) and _whole(found)):
            continue
        if factor := values[0] // found[0]:
            yield times(factor, text), tuple(factor * value for value in found)
        if divisor := found[0] // values[0]:
            yield over(text, divisor), tuple(value // divisor for value in found)


SCALED = re.compile(r"(\d+) \* (\w+)")


def times(factor: int, text: str) -> str:
    """The product, with factors gathered: twice `2 * width` is `4 * width`."""
    scaled = SCALED.fullmatch(text)
    return f"{factor * int(scaled[1])} * {scaled[2]}" if scaled else f"{factor} * {atom(text)}"


def over(text: str, divisor: int) -> str:
    """The quotient, with factors gathered: half of `4 * width` is `2 * width`."""
    scaled = SCALED.fullmatch(text)
    if scaled and int(scaled[1]) % divisor == 0:
        factor = int(scaled[1]) // divisor
        return scaled[2] if factor == 1 else f"{factor} * {scaled[2]}"
    return f"{atom(text)} // {divisor}"


def put_in(text: str, given: Mapping[str, str]) -> str:
    """An expression with others in the place of its names."""
    scaled = SCALED.fullmatch(text)
    if scaled:
        return times(int(scaled[1]), given[scaled[2]])
    if text in given:
        return given[text]
    return re.sub(r"[A-Za-z_]\w*", lambda match: atom(given[match[0]]), text)


def atom(text: str) -> str:
    """An expression as an operand."""
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def _whole(values: Values) -> bool:
    return all(type(value) is int and value > 0 for value in values)


def annotation(values: Values) -> str:
    """The type of an argument that takes these values."""
    names = sorted({"tuple[int, ...]" if type(value) is tuple else type(value).__name__ for value in values})
    if names == ["float", "int"]:
        return "float"
    return " | ".join(names)
