"""Where a form is above, equal to or below zero: a box divided into parts with one answer each.

With one open size the answer is a set that repeats itself (`steps`). A product that is to equal a number has factors
among the divisors of that number: finitely many boxes. What else there is of several sizes is decided where all but one
of them take few values. Anything else is `Undecided`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from cnnspec.sizes.forms import Factor, Form, add, folded, fractional, limits, limits_of, number
from cnnspec.sizes.sets import Box, Sizes, empty, within
from cnnspec.sizes.steps import SIGNS, Entangled, Rational, Steps, Undecided, moved, product_sign, shared, where

Part = TypeVar("Part")
Parts = list[tuple[Box, bool]]

MOST_PARTS = 600
"""One question has no more answers."""

MOST_VALUES = 300
"""A function with more values is not gone through value by value."""


def compare(form: Form, sign: str, box: Box) -> Parts:
    """Boxes that make up `box`, none empty, and whether the sign is right there."""
    form = folded(form, box)
    quick = _quick(form, sign, box)
    if quick is not None:
        return [(box, quick)]
    axes = form.axes
    if len(axes) == 1:
        (axis,) = axes
        return _along(axis, _signed(form, axis, sign), box)
    if sign == "==" and len(form.products) == 1 and not form.singles:
        ((factors, count),) = form.products.items()
        target = Fraction(-form.constant) / count
        if not any(fractional(Form(0, {axis: function}, {})) for axis, function in factors):
            return list(_equal(factors, target, box))
    return few(part for inner in by_values(form, box) for part in compare(form, sign, inner))


def few(parts: Iterable[Part]) -> list[Part]:
    """The parts of a box, where they are not too many."""
    found = list(islice(parts, MOST_PARTS))
    if len(found) == MOST_PARTS:
        raise Undecided(f"more than {MOST_PARTS} cases would have to be told apart")
    return found


def _quick(form: Form, sign: str, box: Box) -> bool | None:
    """The answer where it is the same everywhere because of how large the values are."""
    if not form.axes:
        return SIGNS[sign](form.constant)
    least, greatest = limits(form, box)
    if least is not None and least > 0:
        return sign == ">"
    if greatest is not None and greatest < 0:
        return sign == "<"
    if sign == ">" and greatest is not None and greatest <= 0:
        return False
    return False if sign == "<" and least is not None and least >= 0 else None


def _signed(form: Form, axis: str, sign: str) -> Sizes:
    if not form.products:
        return Sizes(where(form.singles[axis], sign))
    return Sizes(product_sign([(count, [f for _, f in factors]) for count, factors in form.terms()], sign))


def _along(axis: str, inside: Sizes, box: Box) -> Parts:
    parts = [(within(box, axis, inside), True), ({**box, axis: box[axis] - inside}, False)]
    return [part for part in parts if not empty(part[0])]


def _equal(factors: tuple[Factor, ...], target: Fraction, box: Box) -> Iterator[tuple[Box, bool]]:
    """Where a product of whole numbers is a number: one axis has a divisor of it, and the others have the rest."""
    if not factors:
        yield box, target == 1
        return
    if target.denominator > 1:
        yield box, False
        return
    axis = factors[0][0]
    own = [function for each, function in factors if each == axis]
    others = tuple(factor for factor in factors if factor[0] != axis)
    left = box[axis]
    for value in _candidates(int(target), own, box[axis]):
        sizes = box[axis] & Sizes(product_sign([(1, own), (-value, ())], "=="))
        if sizes:
            left -= sizes
            inner = {**box, axis: sizes}
            if value:
                yield from _equal(others, target / value, inner)
            else:
                yield inner, True
    if left:
        rest = {**box, axis: left}
        if target or not others:
            yield rest, False
        else:
            yield from _equal(others, target, rest)


def _candidates(target: int, functions: list[Steps], sizes: Sizes) -> list[int]:
    if not target:
        return [0]
    divisors = _divisors(abs(target))
    never_negative = all((limits_of(function, sizes)[0] or -1) >= 0 for function in functions)
    return divisors if never_negative else [*divisors, *(-each for each in divisors)]


@lru_cache(1000)
def _divisors(number: int) -> list[int]:
    if number > 10**12:
        raise Undecided(f"{number:,} is too large to be taken apart")
    small = [each for each in range(1, int(number**0.5) + 1) if number % each == 0]
    return sorted({*small, *(number // each for each in small)})


# ---------------------------------------------------------------------------------------------------- value by value


def by_values(form: Form, box: Box) -> list[Box]:
    """The box in parts, in each of which the form has an axis less, or has an answer because it is large."""
    large = _large(form, box)
    if large:
        return large
    for axis in sorted(form.axes):
        found: list[Box] | None = [box]
        for function in form.functions(axis):
            found = found and _by_values_of(function, axis, found)
        if found:
            return found
    names = " and ".join(sorted(form.axes))
    raise Entangled(f"{names} would have to be compared with each other")


def _by_values_of(function: Steps, axis: str, boxes: list[Box]) -> list[Box] | None:
    found = []
    for box in boxes:
        values = values_of(function, box[axis])
        if values is None:
            return None
        parts = (within(box, axis, Sizes(where(moved(function, -value), "=="))) for value in values)
        found += [part for part in parts if not empty(part)]
    return found


@lru_cache(2_000)
def values_of(function: Steps, sizes: Sizes) -> tuple[Rational, ...] | None:
    """All values for some sizes; None where there are too many."""
    if function.rise and not sizes.finite:
        return None
    start, period = shared(function, sizes.marks)
    marks = sizes.marks.table(start, period)
    values = {value for value, mark in zip(function.table(start, period), marks, strict=True) if mark}
    return tuple(sorted(values)) if len(values) <= MOST_VALUES else None


def _large(form: Form, box: Box) -> list[Box]:
    """The box in two: where a product is large because of one axis alone, and where that axis takes few values."""
    if len(form.products) != 1 or form.singles:
        return []
    ((factors, count),) = form.products.items()
    for axis in sorted(form.axes):
        least: Rational | None = count
        for other, function in factors:
            if other != axis:
                low = limits_of(function, box[other])[0]
                least = None if least is None or low is None or low <= 0 else least * low
        if least is not None and len(own := [f for each, f in factors if each == axis]) == 1:
            sign = ">" if count > 0 else "<"
            beyond = Sizes(product_sign([(least, own), (form.constant, ())], sign))
            inside = box[axis] - beyond
            if inside and inside.finite and box[axis] & beyond:
                return [within(box, axis, beyond), {**box, axis: inside}]
    return []


def value(form: Form, box: Box) -> list[tuple[Box, Rational]]:
    """The box in parts in which the form is one number each."""
    form = folded(form, box)
    if not form.axes:
        return [(box, form.constant)]
    return few(part for inner in by_values(form, box) for part in value(form, inner))


def difference(one: Form, other: Rational) -> Form:
    return add(one, number(-other))
