"""Values of expressions, before any tensor exists.

Whole numbers stay whole, `/` gives exact fractions, and a literal with a point stands for its decimal text: `0.1 * 3`
is 3/10. What a value is good for is decided where it is used, by the kind of the argument.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from cnnspec.diagnostics import Diagnostic
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words import Argument, CallValue, Faults, Symbol, describe, unknown_name

Scope = Mapping[str, Any]

LONGEST = 10_000
"""The longest list, and the largest size in bits a number may reach."""


def evaluate(expr: tree.Expr, scope: Scope) -> Any:
    """An int, float, Fraction, bool, str or tuple; None for a `?` inside a shape; a `Symbol` or `CallValue` for a
    name or call that only its user can interpret. Raises `Faults`."""
    return _EVALUATE[type(expr)](expr, scope)


def unsupported(what: str, span: Span) -> Faults:
    return Faults(Diagnostic("E106", f"{what} not supported yet", span, "this version cannot evaluate it"))


def _literal(expr: Any, scope: Scope) -> Any:
    return expr.value


def _dims(expr: tree.Dims, scope: Scope) -> Any:
    for size in expr.sizes:
        if isinstance(size, str):
            raise unsupported(f"the open size {size} is", expr.span)
    return expr.sizes


def _string(expr: tree.String, scope: Scope) -> Any:
    return expr.text


def _hole(expr: tree.Hole, scope: Scope) -> Any:
    message = "? asks for a number that is not inferred"
    note = "? can stand after -> at the end of a line, before -> in an argument, and inside a predicted shape"
    raise Faults(Diagnostic("E208", message, expr.span, "nothing answers this", notes=(note,)))


def _name(expr: tree.Name, scope: Scope) -> Any:
    return scope[expr.text] if expr.text in scope else Symbol(expr.text, expr.span, tuple(scope))


def _attribute(expr: tree.Attribute, scope: Scope) -> Any:
    raise unsupported(f"{expr.base}.{expr.name} is", expr.span)


def _call(expr: tree.Call, scope: Scope) -> Any:
    if expr.name.text in FUNCTIONS:
        raise unsupported(f"the function {expr.name.text} is", expr.span)
    return CallValue(expr.name.text, arguments(expr, scope), expr.span, expr.name.span)


FUNCTIONS = ("min", "max", "sum", "len", "range", "zip", "enumerate", "ceil", "floor", "round", "round_to")


def arguments(call: tree.Call, scope: Scope) -> tuple[Argument, ...]:
    """The arguments of a call, evaluated; raises `Faults` with what is wrong in all of them."""
    values: list[Argument] = []
    faults: list[Diagnostic] = []
    for argument in call.arguments:
        name = argument.name
        try:
            value = evaluate(argument.value, scope)
        except Faults as wrong:
            faults.extend(wrong.diagnostics)
            continue
        values.append(Argument(name.text if name else None, value, argument.value.span, name.span if name else None))
    if faults:
        raise Faults(*faults)
    return tuple(values)


def _list(expr: tree.List, scope: Scope) -> Any:
    return tuple(evaluate(item, scope) for item in expr.items)


def _comprehension(expr: tree.Comprehension, scope: Scope) -> Any:
    raise unsupported("a list made by for is", expr.span)


def _index(expr: tree.Index, scope: Scope) -> Any:
    items, index = evaluate(expr.base, scope), evaluate(expr.index, scope)
    if not isinstance(items, tuple):
        raise bad(f"{describe(items)} is not a list", expr.base.span)
    if not isinstance(index, int) or isinstance(index, bool):
        raise bad(f"{describe(index)} does not number an item of a list", expr.index.span)
    if not -len(items) <= index < len(items):
        raise bad(f"there is no item {index} in a list of {len(items)}", expr.index.span)
    return items[index]


def _slice(expr: tree.Slice, scope: Scope) -> Any:
    raise unsupported("a slice of a list is", expr.span)


def _unary(expr: tree.Unary, scope: Scope) -> Any:
    value = evaluate(expr.operand, scope)
    if expr.operator == "not":
        return not truth(value, expr.operand.span)
    return -number(value, expr.operand.span)


def _binary(expr: tree.Binary, scope: Scope) -> Any:
    left = evaluate(expr.left, scope)
    if expr.operator in ("and", "or"):
        known = truth(left, expr.left.span)
        return known if known == (expr.operator == "or") else truth(evaluate(expr.right, scope), expr.right.span)
    right = evaluate(expr.right, scope)
    if expr.operator in ("==", "!="):
        _defined(left, expr.left.span)
        _defined(right, expr.right.span)
        return (_exact(left) == _exact(right)) == (expr.operator == "==")
    a, b = number(left, expr.left.span), number(right, expr.right.span)
    if expr.operator in ("/", "//", "%") and b == 0:
        raise bad(f"{describe(left)} is divided by zero", expr.span)
    return _bounded(_OPERATORS[expr.operator](a, b), expr.span)


def _conditional(expr: tree.Conditional, scope: Scope) -> Any:
    chosen = truth(evaluate(expr.condition, scope), expr.condition.span)
    return evaluate(expr.value if chosen else expr.other, scope)


def _exact(value: Any) -> Any:
    """A float as the decimal number that was written."""
    if isinstance(value, float):
        from fractions import Fraction

        return Fraction(repr(value))
    return value


def _divide(a: Any, b: Any) -> Any:
    from fractions import Fraction

    return Fraction(a) / Fraction(b)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "//": operator.floordiv,
    "%": operator.mod,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def number(value: Any, span: Span) -> Any:
    """The value as an exact number, int or Fraction; raises `Faults` where it is none."""
    _defined(value, span)
    exact = _exact(value)
    if isinstance(exact, bool) or not hasattr(exact, "numerator"):
        raise bad(f"{describe(value)} is not a number", span)
    return exact


def truth(value: Any, span: Span) -> bool:
    """The value as true or false; raises `Faults` where it is neither."""
    _defined(value, span)
    if not isinstance(value, bool):
        raise bad(f"{describe(value)} is neither true nor false", span)
    return value


def _defined(value: Any, span: Span) -> None:
    if isinstance(value, Symbol):
        raise Faults(unknown_name(value))


def _bounded(value: Any, span: Span) -> Any:
    """A result of arithmetic: a fraction that is whole becomes whole, and nothing grows without end."""
    if getattr(value, "denominator", 0) == 1 and not isinstance(value, bool):
        value = int(value)
    if isinstance(value, int) and value.bit_length() > LONGEST:
        raise bad("the number is too large", span)
    return value


def bad(message: str, span: Span) -> Faults:
    """An expression without a value, for a stated reason."""
    return Faults(Diagnostic("E208", message, span, "cannot be evaluated"))


_EVALUATE: dict[type, Callable[[Any, Scope], Any]] = {
    tree.Number: _literal,
    tree.Boolean: _literal,
    tree.Dims: _dims,
    tree.String: _string,
    tree.Hole: _hole,
    tree.Name: _name,
    tree.Attribute: _attribute,
    tree.Call: _call,
    tree.List: _list,
    tree.Comprehension: _comprehension,
    tree.Index: _index,
    tree.Slice: _slice,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Conditional: _conditional,
}
