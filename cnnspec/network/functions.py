"""The functions of the language, and the sizes of what arrives. Loaded where a spec uses one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.layers.base import Shape
from cnnspec.network.operands import bad, bounded, listed, number, whole
from cnnspec.network.scope import Scope
from cnnspec.network.values import LONGEST
from cnnspec.syntax import tree
from cnnspec.words import Argument, Faults, together

# ---------------------------------------------------------------------------------------------------- what arrives

ATTRIBUTES = {
    0: ("features",),
    1: ("channels", "length"),
    2: ("channels", "height", "width"),
    3: ("channels", "depth", "height", "width"),
}
"""The names of the sizes, by the rank of the shape; those of a map in the order channels, spatial axes."""

MEANT = {
    (0, "channels"): "features",
    (0, "length"): "features",
    (1, "features"): "channels",
    (2, "features"): "channels",
    (3, "features"): "channels",
    (1, "width"): "length",
    (1, "height"): "length",
}
"""Which size comes closest to one that a shape does not have."""


def size(shape: Shape, expr: tree.Attribute) -> int:
    """`x.channels` and the like."""
    names = ATTRIBUTES[shape.rank]
    if expr.name in names:
        return (shape.channels, *shape.spatial)[names.index(expr.name)]
    what = f"a {shape.sizes[0]}-feature vector" if shape.rank == 0 else f"a {shape} map"
    has = together(f"x.{name}" for name in names)
    known = any(expr.name in each for each in ATTRIBUTES.values())
    close = MEANT.get((shape.rank, expr.name)) if known else _closest(expr.name, names)
    fixes: tuple[Fix, ...] = (Fix(f"write x.{close}", (Edit(expr.span, f"x.{close}"),)),) if close else ()
    fixes = fixes or _indexed(shape, expr) or (Fix(f"it has {has}"),)
    message = f"{what} has no {expr.name}"
    raise Faults(Diagnostic("E208", message, expr.span, f"{shape} arrives here", notes=(f"it has {has}",), fixes=fixes))


def _indexed(shape: Shape, expr: tree.Attribute) -> tuple[Fix, ...]:
    """`x.shape[2]` and `x.size(2)`, which count the batch as the first axis."""
    import re

    index = re.match(r"\s*[\[(]\s*(-?[0-9])\s*[\])]", expr.span.source.text[expr.span.end : expr.span.end + 20])
    names = ATTRIBUTES[shape.rank]
    if expr.name not in ("shape", "size") or not index or not -len(names) <= int(index[1]) <= len(names):
        return ()
    number = int(index[1])
    name = f"x.{names[number - 1 if number > 0 else number]}" if number else ""
    span = expr.span.source.span(expr.span.start, expr.span.end + index.end())
    return (Fix(f"write {name}", (Edit(span, name),)),) if name else ()


def _closest(name: str, names: tuple[str, ...]) -> str | None:
    from cnnspec.words import closest

    return next(iter(closest(name, names)), None)


# ------------------------------------------------------------------------------------------------------- functions


def call(name: str, given: tuple[Argument, ...], expr: tree.Call, scope: Scope) -> Any:
    least, most, function, shown = FUNCTIONS[name]
    named = {argument.name: argument for argument in given if argument.name is not None}
    if name == "enumerate" and given[1:] and given[-1].name == "start":
        given = (*given[:-1], given[-1].replace(name=None))
        del named["start"]
    if named:
        wrong = next(iter(named.values()))
        message = f"{name} has no argument {wrong.name}"
        raise Faults(
            Diagnostic("E202", message, wrong.name_span or wrong.span, "not known here", notes=(f"it is {shown}",))
        )
    if len(given) > most:
        message = f"{name} is given {len(given)} values"
        raise Faults(Diagnostic("E205", message, given[most].span, "one too many", notes=(f"it is {shown}",)))
    if len(given) < least:
        message = f"{name} is given {len(given) or 'no'} value{'' if len(given) == 1 else 's'}"
        raise Faults(Diagnostic("E203", message, expr.name.span, "one is missing", notes=(f"it is {shown}",)))
    return function(given, scope)


def _numbers(given: tuple[Argument, ...], scope: Scope) -> list[Any]:
    """Of one list, or of several arguments."""
    if len(given) == 1:
        span = given[0].span
        return [number(value, span, scope) for value in _list(given[0], scope)]
    return [number(argument.value, argument.span, scope) for argument in given]


def _list(argument: Argument, scope: Scope) -> tuple[Any, ...]:
    return listed(argument.value, argument.span, scope)


def _extreme(of: Callable[[list[Any]], Any]) -> Callable[[tuple[Argument, ...], Scope], Any]:
    def choose(given: tuple[Argument, ...], scope: Scope) -> Any:
        numbers = _numbers(given, scope)
        if not numbers:
            raise bad("the list is empty", given[0].span)
        return bounded(of(numbers), given[0].span)

    return choose


def _sum(given: tuple[Argument, ...], scope: Scope) -> Any:
    total: Any = 0
    for value in _numbers(given, scope):
        total = bounded(total + value, given[0].span)
    return total


def _len(given: tuple[Argument, ...], scope: Scope) -> int:
    return len(_list(given[0], scope))


def _range(given: tuple[Argument, ...], scope: Scope) -> tuple[int, ...]:
    bounds = [whole(a.value, a.span, "is not a whole number", scope) for a in given]
    start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    if step == 0:
        raise bad("a range with steps of 0 has no end", given[2].span)
    if -(-(stop - start) // step) > LONGEST:
        raise bad(f"the range has more than {LONGEST:,} numbers", given[0].span.to(given[-1].span))
    return tuple(range(start, stop, step))


def _zip(given: tuple[Argument, ...], scope: Scope) -> tuple[Any, ...]:
    return tuple(zip(*(_list(argument, scope) for argument in given), strict=False))


def _enumerate(given: tuple[Argument, ...], scope: Scope) -> tuple[Any, ...]:
    start = whole(given[1].value, given[1].span, "is not a whole number", scope) if len(given) > 1 else 0
    return tuple(enumerate(_list(given[0], scope), start))


def _ceil(given: tuple[Argument, ...], scope: Scope) -> int:
    return -(-number(given[0].value, given[0].span, scope) // 1)  # type: ignore[no-any-return]


def _floor(given: tuple[Argument, ...], scope: Scope) -> int:
    return number(given[0].value, given[0].span, scope) // 1  # type: ignore[no-any-return]


def _round(given: tuple[Argument, ...], scope: Scope) -> int:
    """To the nearest whole number; a half to the even one, as in Python."""
    return round(number(given[0].value, given[0].span, scope))  # type: ignore[no-any-return]


def _round_to(given: tuple[Argument, ...], scope: Scope) -> int:
    """The nearest multiple of a divisor, from the divisor itself; the next one where that loses over 10 %."""
    value = number(given[0].value, given[0].span, scope)
    divisor = whole(given[1].value, given[1].span, "is not a whole number", scope)
    if divisor < 1:
        raise bad(f"{divisor} is less than 1", given[1].span)
    near = max(divisor, (2 * value + divisor) // (2 * divisor) * divisor)
    return int(near + divisor if 10 * near < 9 * value else near)


Function = Callable[[tuple[Argument, ...], Scope], Any]
MANY = 10_000

FUNCTIONS: dict[str, tuple[int, int, Function, str]] = {
    "min": (1, MANY, _extreme(min), "min(number, ...) or min(list)"),
    "max": (1, MANY, _extreme(max), "max(number, ...) or max(list)"),
    "sum": (1, 1, _sum, "sum(list)"),
    "len": (1, 1, _len, "len(list)"),
    "range": (1, 3, _range, "range(stop), range(start, stop) or range(start, stop, step)"),
    "zip": (1, MANY, _zip, "zip(list, ...)"),
    "enumerate": (1, 2, _enumerate, "enumerate(list, start=0)"),
    "ceil": (1, 1, _ceil, "ceil(number)"),
    "floor": (1, 1, _floor, "floor(number)"),
    "round": (1, 1, _round, "round(number), a half to the even side"),
    "round_to": (2, 2, _round_to, "round_to(number, divisor)"),
}
"""The fewest and most arguments of each, what it does, and how it is written."""
