"""Values and how Python writes them: as literals, or in terms of a constructor's arguments.

A place in a class (an argument of one of its layers) has one value for every use of the class. Where these agree the
place is a literal; where they differ it is an expression that gives the right value in every use.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from cnnspec.record import Record
from cnnspec.words import Symbol

Values = tuple[Any, ...]
"""What one place, or one argument, is in each use of its class."""

Scope = Mapping[str, Values]
"""What an expression may be made of: arguments, or other expressions, with their values."""

NO_VALUE = (ArithmeticError, LookupError, NameError, TypeError, ValueError)
"""What an expression without a value raises."""


def round_to(value: float, divisor: int) -> int:
    """The nearest multiple of the divisor; the next one where that loses over 10 %."""
    near = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return near if near >= 0.9 * value else near + divisor


FUNCTIONS: dict[str, Any] = {
    function.__name__: function for function in (enumerate, len, max, min, range, round, round_to, sum, tuple, zip)
}
"""The functions that expressions may call."""

MOST_PAIRED = 6
"""So many names are tried two by two."""


class Maker(Record):
    """A module to be made, as a value: a class, or one with some of its arguments bound."""

    head: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        texts = [*map(literal, self.args), *(f"{name}={literal(value)}" for name, value in self.kwargs)]
        return f"partial({', '.join((self.head, *texts))})" if texts else self.head


def plain(value: Any) -> Any:
    """A value of the language as Python has it: fractions become numbers, and names that a kind knows texts."""
    match value:
        case Fraction():
            return value.numerator if value.denominator == 1 else float(value)
        case Symbol():
            return value.name
        case tuple():
            return tuple(map(plain, value))
    return value


def literal(value: Any) -> str:
    match value:
        case str():
            return quoted(value)
        case float():
            return repr(value).replace("e-0", "e-").replace("e+", "e")
        case tuple():
            return bracketed(map(literal, value))
        case Maker():
            return str(value)
    return repr(value)


def bracketed(texts: Iterable[str]) -> str:
    """A tuple."""
    listed = list(texts)
    return f"({', '.join(listed)}{',' * (len(listed) == 1)})"


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
            return bracketed(known)
    return None


def holds(text: str, values: Values, scope: Scope) -> bool:
    """Whether Python's expression has these values, and no floats where they are whole."""
    found = computed(text, {name: scope[name] for name in words(text) if name in scope}, len(values))
    if found is None:
        return False
    fractions = any(isinstance(value, float) for value in values)
    return same(found, values) and not any(
        isinstance(a, float) and isinstance(b, int) and not fractions for a, b in zip(found, values, strict=True)
    )


def computed(text: str, scope: Scope, runs: int) -> Values | None:
    """The values of an expression; None where it has none."""
    code = compile(text, "<place>", "eval")
    try:
        return tuple(
            eval(code, {"__builtins__": FUNCTIONS, **{name: each[run] for name, each in scope.items()}})
            for run in range(runs)
        )
    except NO_VALUE:
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
    whole = [(text, found) for text, found in scope.items() if _whole(values) and _whole(found)][:MOST_PAIRED]
    for (one, left), (other, right) in combinations(whole, 2):
        yield f"{atom(one)} * {atom(other)}", tuple(a * b for a, b in zip(left, right, strict=True))


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


WORD = re.compile(r"""("(?:\\.|[^"\\])*")|([A-Za-z_]\w*)""")
"""A text as `literal` writes it, or a name or keyword."""

TEXT = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
"""A text, in quotes of either kind."""


def words(text: str) -> set[str]:
    """The names an expression mentions, and keywords."""
    return {match[2] for match in WORD.finditer(text) if match[2]}


def put_in(text: str, given: Mapping[str, str]) -> str:
    """An expression with others in the place of its names."""
    return tidy(WORD.sub(lambda match: f"({given[match[2]]})" if match[2] in given else match[0], text))


def tidy(text: str) -> str:
    """The expression with as few parentheses as it needs, and with what is known already computed."""
    shown = ast.unparse(_Known().visit(ast.parse(text, mode="eval")))
    return TEXT.sub(lambda match: quoted(ast.literal_eval(match[0])), shown)


class _Known(ast.NodeTransformer):
    """Puts numbers in the place of sums of numbers, and one side in the place of a settled choice."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult | ast.FloorDiv) and ast.unparse(node.right) == "1":
            return node.left
        if isinstance(node.op, ast.Mult) and "1.0" in (ast.unparse(node.left), ast.unparse(node.right)):
            return node.left if ast.unparse(node.right) == "1.0" else node.right
        numbers = isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant)
        value = _computed(node) if numbers else None
        return ast.Constant(value) if type(value) is int and value >= 0 else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        value = _computed(node)
        return ast.Constant(value) if type(value) is int and value >= 0 else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        condition = _computed(node.test)
        if condition is None:
            self.generic_visit(node)
            return node
        taken: ast.expr = self.visit(node.body if condition else node.orelse)
        return taken


def _computed(node: ast.expr) -> Any:
    """The value of an expression without names; None for one with names, or without a value."""
    try:
        return eval(ast.unparse(node), {"__builtins__": FUNCTIONS})
    except NO_VALUE:
        return None


def atom(text: str) -> str:
    """An expression as an operand."""
    return text if re.fullmatch(r"\w+(\[\w+\])?", text) else f"({text})"


def _whole(values: Values) -> bool:
    return all(type(value) is int and value > 0 for value in values)


def annotation(values: Values) -> str:
    """The type of an argument that takes these values."""
    names = sorted(set(map(_type, values)), key=lambda name: (name == "None", name))
    if len(names) > 1 and all(name.startswith("tuple") for name in names):
        return "tuple"
    return "float" if names == ["float", "int"] else " | ".join(names)


def _type(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, Maker):
        return "Callable[..., nn.Module]"
    if isinstance(value, tuple):
        return "tuple[int, ...]" if all(type(item) is int for item in value) else "tuple"
    return type(value).__name__
