"""Values of expressions, before any tensor exists.

Whole numbers stay whole, `/` gives exact fractions, and a literal with a point stands for its decimal text: `0.1 * 3`
is 3/10. What a value is good for is decided where it is used, by the kind of the argument.

Every evaluation ends soon and stays small: what makes values counts its steps in the `Budget` that a check has, a list
has at most `LONGEST` items and `MOST_VALUES` inside each other, and a number has at most `LONGEST` bits.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.network.operands import bad, bounded, defined, listed, number, truth, whole
from cnnspec.network.scope import Budget, Scope
from cnnspec.network.values import LONGEST, MOST_VALUES, canonical, has_meaning, meaning, weight
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words import Argument, CallValue, Faults, Symbol, describe

__all__ = [
    "Budget",
    "Scope",
    "arguments",
    "bad",
    "bind_target",
    "bounded",
    "called",
    "canonical",
    "evaluate",
    "items",
    "made",
    "number",
    "truth",
    "whole",
]


def evaluate(expr: tree.Expr, scope: Mapping[str, Any]) -> Any:
    """An int, float, Fraction, bool, str or tuple; None for a `?` inside a shape; a `Symbol` or `CallValue` for a
    name or call that only its user can interpret. Raises `Faults`; without diagnostics where an earlier fault hides
    what arrives."""
    return _EVALUATE[type(expr)](expr, scope if isinstance(scope, Scope) else Scope(scope))


def _evaluate(expr: tree.Expr, scope: Scope) -> Any:
    return _EVALUATE[type(expr)](expr, scope)


def _literal(expr: Any, scope: Scope) -> Any:
    return expr.value


def _dims(expr: tree.Dims, scope: Scope) -> Any:
    return tuple(_named(size, expr, scope) if isinstance(size, str) else size for size in expr.sizes)


def _named(size: str, expr: tree.Dims, scope: Scope) -> Any:
    """The size of an axis of the input that the model leaves open, by its name."""
    value = scope.look_up(size)
    if value is None:
        note = "input 3xHxW leaves the sizes H and W open, and gives them these names"
        raise Faults(Diagnostic("E206", f"{size} is no size here", expr.span, "not known", notes=(note,)))
    return value


def _string(expr: tree.String, scope: Scope) -> Any:
    if len(expr.text) > LONGEST:
        raise bad("the text is too long", expr.span)
    return expr.text


def _hole(expr: tree.Hole, scope: Scope) -> Any:
    message = "? asks for a number that is not inferred"
    note = "? can stand after -> at the end of a line, before -> in an argument, and inside a predicted shape"
    raise Faults(Diagnostic("E208", message, expr.span, "nothing answers this", notes=(note,)))


def _name(expr: tree.Name, scope: Scope) -> Any:
    return scope.look_up(expr.text) if expr.text in scope else Symbol(expr.text, expr.span, scope.names)


def _attribute(expr: tree.Attribute, scope: Scope) -> Any:
    if scope.flow is None:
        raise bad("x is what arrives at a layer; there is nothing here", expr.span)
    if scope.flow.shape is None:
        raise Faults()
    from cnnspec.network.functions import size

    return size(scope.flow.shape, expr)


# ---------------------------------------------------------------------------------------------------------- calls


def _call(expr: tree.Call, scope: Scope) -> Any:
    for argument in expr.arguments:
        if argument.incoming is not None:
            note = "incoming -> outgoing is written where a layer stands in the network"
            message = f"{expr.name.text} takes no arrow here"
            raise Faults(Diagnostic("E209", message, argument.span, "this claims an incoming size", notes=(note,)))
    name, given = expr.name.text, arguments(expr, scope)
    if name in FUNCTIONS:
        from cnnspec.network.functions import call

        return made(call(name, given, expr, scope), expr.span, scope)
    value = scope.look_up(name)
    if not isinstance(value, Symbol | CallValue):
        if name in scope and not has_meaning(name, scope.blocks):
            raise bad(f"{name} is {describe(value)} here, which cannot be called", expr.name.span)
        value = Symbol(name, expr.name.span)
    return made(called(value, given, expr.span, expr.name.span), expr.span, scope)


FUNCTIONS = ("min", "max", "sum", "len", "range", "zip", "enumerate", "ceil", "floor", "round", "round_to")


def arguments(call: tree.Call, scope: Mapping[str, Any]) -> tuple[Argument, ...]:
    """The arguments of a call, evaluated; raises `Faults` with what is wrong in all of them."""
    values: list[Argument] = []
    faults: list[Diagnostic] = []
    failed = False
    for argument in call.arguments:
        name = argument.name
        try:
            value = evaluate(argument.value, scope)
        except Faults as wrong:
            faults.extend(wrong.diagnostics)
            failed = True
            continue
        values.append(Argument(name.text if name else None, value, argument.value.span, name.span if name else None))
    if failed:
        raise Faults(*faults)
    return tuple(values)


def called(value: Symbol | CallValue, given: tuple[Argument, ...], span: Span, name_span: Span) -> CallValue:
    """A layer or block that is a value, called: `norm(momentum=0.01)` where `norm` is `batchnorm(eps=0.001)`. As with
    `functools.partial`, positional arguments follow those that are bound, and named ones replace them."""
    bound = value.arguments if isinstance(value, CallValue) else ()
    named = {argument.name for argument in given} - {None}
    kept = [argument for argument in bound if argument.name is not None and argument.name not in named]
    in_order = [argument for argument in bound if argument.name is None]
    return CallValue(value.name, (*in_order, *given, *kept) if bound else given, span, name_span)


# ---------------------------------------------------------------------------------------------------------- lists


def made(value: Any, span: Span, scope: Scope) -> Any:
    """A new value, if it is not too large, its size counted as steps."""
    if not isinstance(value, tuple | CallValue):
        scope.budget.spend(1 + (value.numerator.bit_length() + value.denominator.bit_length()) // 64, span)
        return value
    if isinstance(value, tuple) and len(value) > LONGEST:
        raise bad(f"the list would have more than {LONGEST:,} items", span)
    size = weight(value)
    if size > MOST_VALUES:
        raise bad(f"it holds more than {MOST_VALUES:,} values, or is nested too deep", span)
    scope.budget.spend(1 + size, span)
    return value


def _list(expr: tree.List, scope: Scope) -> Any:
    return made(tuple([_evaluate(item, scope) for item in expr.items]), expr.span, scope)


def _comprehension(expr: tree.Comprehension, scope: Scope) -> Any:
    inside = scope.inner()
    values: list[Any] = []
    for item in items(expr.items, scope):
        scope.budget.spend(1, expr.span)
        inside.update(bind_target(expr.target, item, expr.items.span))
        values.append(_evaluate(expr.item, inside))
    return made(tuple(values), expr.span, scope)


def items(expr: tree.Expr, scope: Scope) -> tuple[Any, ...]:
    """What a `for` goes through: the items of a list, or the numbers of `3x5`."""
    value = evaluate(expr, scope)
    if isinstance(value, tuple) and None not in value:
        return value
    if isinstance(value, Symbol):
        defined(value, expr.span, scope)
    fixes: tuple[Fix, ...] = ()
    if isinstance(value, int) and not isinstance(value, bool):
        counting = f"range({expr.span.text})"
        fixes = (Fix(f"{counting} counts from 0 to {max(value - 1, 0)}", (Edit(expr.span, counting),)),)
    message = f"{describe(value)} is not a list"
    raise Faults(Diagnostic("E208", message, expr.span, "for goes through a list", fixes=fixes))


def bind_target(target: tree.Target, value: Any, span: Span) -> dict[str, Any]:
    """The names a `for` binds to one item of its list, which stands at `span`."""
    names: dict[str, Any] = {}
    parts = target.names[0] if len(target.names) == 1 else target.names
    for name, item in _matched(parts, value, target, span):
        if name.text in names and name.text != "_":
            message = f"for binds {name.text} twice"
            raise Faults(Diagnostic("E207", message, name.span, "again here"))
        names[name.text] = item
    return names


Pattern = tree.Identifier | tuple[Any, ...]


def _matched(pattern: Pattern, value: Any, target: tree.Target, span: Span) -> Iterator[tuple[tree.Identifier, Any]]:
    if isinstance(pattern, tree.Identifier):
        yield pattern, value
        return
    if not isinstance(value, tuple) or len(value) != len(pattern):
        count = "1 name" if len(pattern) == 1 else f"{len(pattern)} names"
        label = Label(target.span, f"{count} to unpack into")
        what = f"a list of {len(value)}" if isinstance(value, tuple) else "not a list"
        message = f"an item of the list is {describe(value)}, which is {what} and no list of {len(pattern)}"
        fixes: tuple[Fix, ...] = ()
        if isinstance(value, tuple) and 0 < len(value) < len(pattern) and pattern is target.names:
            kept = ", ".join(name.text for name in pattern[: len(value)] if isinstance(name, tree.Identifier))
            fixes = (Fix(f"unpack into {kept}", (Edit(target.span, kept),)),)
        raise Faults(Diagnostic("E208", message, span, "cannot be unpacked", (label,), fixes=fixes))
    for part, item in zip(pattern, value, strict=True):
        yield from _matched(part, item, target, span)


def _index(expr: tree.Index, scope: Scope) -> Any:
    base = listed(_evaluate(expr.base, scope), expr.base.span, scope)
    index = whole(_evaluate(expr.index, scope), expr.index.span, "does not number an item of a list", scope)
    if not -len(base) <= index < len(base):
        last = f"{len(base) - 1}"
        fix = Fix(f"items are counted from 0: the last is {last}", (Edit(expr.index.span, last),))
        message = f"there is no item {index} in a list of {len(base)}"
        fixes = (fix,) if base and index >= 0 else ()
        raise Faults(Diagnostic("E208", message, expr.index.span, "cannot be evaluated", fixes=fixes))
    return base[index]


def _slice(expr: tree.Slice, scope: Scope) -> Any:
    base = listed(_evaluate(expr.base, scope), expr.base.span, scope)
    start, stop = (
        None if bound is None else whole(_evaluate(bound, scope), bound.span, "does not number an item", scope)
        for bound in (expr.start, expr.stop)
    )
    return made(base[start:stop], expr.span, scope)


# ------------------------------------------------------------------------------------------- arithmetic and logic


def _unary(expr: tree.Unary, scope: Scope) -> Any:
    value = _evaluate(expr.operand, scope)
    if expr.operator == "not":
        return not truth(value, expr.operand.span, scope)
    return bounded(-number(value, expr.operand.span, scope), expr.span)


def _binary(expr: tree.Binary, scope: Scope) -> Any:
    left = _evaluate(expr.left, scope)
    if expr.operator in ("and", "or"):
        known = truth(left, expr.left.span, scope)
        if known == (expr.operator == "or"):
            return known
        return truth(_evaluate(expr.right, scope), expr.right.span, scope)
    right = _evaluate(expr.right, scope)
    if expr.operator in ("==", "!="):
        return made(_equal(left, right, expr, scope) == (expr.operator == "=="), expr.span, scope)
    if isinstance(left, tuple) or isinstance(right, tuple):
        return _list_arithmetic(left, right, expr, scope)
    a = left if type(left) is int else number(left, expr.left.span, scope)
    b = right if type(right) is int else number(right, expr.right.span, scope)
    if type(a) is not int and hasattr(b, "lifted"):
        a = b.lifted(a)  # a size that is left open does the arithmetic
    if expr.operator in ("/", "//", "%") and b == 0:
        raise bad(f"{describe(left)} is divided by zero", expr.span)
    return made(bounded(_OPERATORS[expr.operator](a, b), expr.span), expr.span, scope)


def _equal(left: Any, right: Any, expr: tree.Binary, scope: Scope) -> bool:
    if type(left) is int and type(right) is int:
        return left == right
    for value, side in ((left, expr.left), (right, expr.right)):
        if isinstance(value, Symbol):
            defined(value, side.span, scope)
    return bool(meaning(left) == meaning(right))


def _list_arithmetic(left: Any, right: Any, expr: tree.Binary, scope: Scope) -> Any:
    """`[1, 2] + [3]` and `[0] * 3`, as in Python."""
    if expr.operator == "+" and isinstance(left, tuple) and isinstance(right, tuple):
        return made(left + right, expr.span, scope)
    items, times = (left, right) if isinstance(left, tuple) else (right, left)
    if expr.operator == "*" and isinstance(times, int) and not isinstance(times, bool):
        if len(items) * times > LONGEST:
            raise bad(f"the list would have more than {LONGEST:,} items", expr.span)
        return made(items * times, expr.span, scope)
    a, b = ("a list" if isinstance(value, tuple) else describe(value) for value in (left, right))
    raise bad(f"{a} {expr.operator} {b} means nothing", expr.span)


def _conditional(expr: tree.Conditional, scope: Scope) -> Any:
    chosen = truth(_evaluate(expr.condition, scope), expr.condition.span, scope)
    return _evaluate(expr.value if chosen else expr.other, scope)


def _divide(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        from fractions import Fraction

        return Fraction(a, b)
    return a / b


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
