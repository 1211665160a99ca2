"""Sums of products of functions, each of one open size: what arithmetic makes of the sizes of a map."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd

from cnnspec.sizes.sets import ALL, Box, Sizes
from cnnspec.sizes.steps import Rational, Steps, divided, moved, plus, remainder, shared, times, whole

Factor = tuple[str, Steps]
"""A function, and the axis whose size it is of."""


class Form:
    """`constant`, and for each axis one function of its size alone (`singles`), and `products` of two factors or more:
    their number, and the factors in order. Behind a single function no constant is kept apart."""

    __slots__ = ("constant", "products", "singles")

    def __init__(
        self, constant: Rational, singles: Mapping[str, Steps], products: Mapping[tuple[Factor, ...], Rational]
    ) -> None:
        kept = {}
        for axis, function in singles.items():
            if function.constant:
                constant = whole(constant + function.cycle[0])
            else:
                kept[axis] = function
        if kept and constant:
            first = min(kept)
            kept[first] = moved(kept[first], constant)
            constant = 0
        self.constant, self.singles = constant, kept
        self.products = {factors: number for factors, number in products.items() if number}

    @property
    def key(self) -> Hashable:
        """Equal for equal forms."""
        return self.constant, frozenset(self.singles.items()), frozenset(self.products.items())

    @property
    def axes(self) -> set[str]:
        return {*self.singles, *(axis for factors in self.products for axis, _ in factors)}

    def functions(self, axis: str) -> set[Steps]:
        """The functions of the size of one axis."""
        inside = {function for factors in self.products for own, function in factors if own == axis}
        return inside | ({self.singles[axis]} if axis in self.singles else set())

    def terms(self) -> Iterator[tuple[Rational, tuple[Factor, ...]]]:
        if self.constant:
            yield self.constant, ()
        for axis, function in self.singles.items():
            yield 1, ((axis, function),)
        for factors, number in self.products.items():
            yield number, factors


def number(value: Rational) -> Form:
    return Form(value, {}, {})


def single(axis: str, function: Steps) -> Form:
    return Form(0, {axis: function}, {})


def add(one: Form, other: Form) -> Form:
    singles = dict(one.singles)
    for axis, function in other.singles.items():
        singles[axis] = plus(singles[axis], function) if axis in singles else function
    products = dict(one.products)
    for factors, count in other.products.items():
        products[factors] = whole(products.get(factors, 0) + count)
    return Form(whole(one.constant + other.constant), singles, products)


def scale(form: Form, by: Rational) -> Form:
    if by == 1:
        return form
    if not by:
        return number(0)
    singles = {axis: times(function, by) for axis, function in form.singles.items()}
    return Form(whole(form.constant * by), singles, {f: whole(count * by) for f, count in form.products.items()})


def multiply(one: Form, other: Form) -> Form:
    if not one.axes or not other.axes:
        return scale(one, other.constant) if not other.axes else scale(other, one.constant)
    total = number(0)
    for count, factors in one.terms():
        for times_, more in other.terms():
            total = add(total, _product(count * times_, (*factors, *more)))
    return total


def _product(count: Rational, factors: Sequence[Factor]) -> Form:
    if len(factors) < 2:
        return scale(single(*factors[0]), count) if factors else number(count)
    bare = []
    for axis, function in factors:
        common = content(function)
        bare.append((axis, times(function, Fraction(1, common)) if common > 1 else function))
        count *= common
    bare.sort(key=lambda factor: (factor[0], factor[1].rise, factor[1].cycle, factor[1].head))
    return Form(0, {}, {tuple(bare): whole(count)})


@lru_cache(5_000)
def content(function: Steps) -> int:
    """What divides all values; 1 where some are fractions."""
    values = (*function.head, *function.cycle, function.rise)
    return gcd(*values) if all(type(value) is int for value in values) else 1


def fractional(form: Form) -> bool:
    """Whether some value may be no whole number."""
    numbers = [form.constant, *form.products.values()]
    return any(type(each) is not int for each in numbers) or any(
        type(value) is not int for f in form.singles.values() for value in (f.rise, *f.head, *f.cycle)
    )


def floor(form: Form, divisor: Rational) -> Form | None:
    """Divided by a number and rounded down; None where that is no form."""
    if not form.axes:
        return number(form.constant // divisor)
    if len(form.singles) == 1 and not form.products:
        ((axis, function),) = form.singles.items()
        return single(axis, divided(function, divisor))
    exact = scale(form, Fraction(1) / divisor)
    return None if fractional(exact) else exact


def modulo(form: Form, divisor: Rational) -> Form | None:
    """What is left by a division; None where that is no form."""
    if len(form.singles) == 1 and not form.products:
        ((axis, function),) = form.singles.items()
        return single(axis, remainder(function, divisor))
    below = floor(form, divisor)
    return None if below is None else add(form, scale(below, -divisor))


def remainders(form: Form, divisor: int) -> Form:
    """A form with the same remainder, made of the remainders of what it is made of: these take few values."""
    found = number(form.constant)
    for count, factors in form.terms():
        if factors:
            found = add(found, _product(count, [(axis, remainder(function, divisor)) for axis, function in factors]))
    return found


# ------------------------------------------------------------------------------------------------------- in a box


@lru_cache(20_000)
def limits_of(function: Steps, sizes: Sizes) -> tuple[Rational | None, Rational | None]:
    """The least and the greatest value for some sizes; None where there is none."""
    if sizes is ALL:
        values, endless = [*function.head, *function.cycle], True
    else:
        start, period = shared(function, sizes.marks)
        marks = sizes.marks.table(start, period)
        values = [v for v, mark in zip(function.table(start, period), marks, strict=True) if mark]
        endless = any(marks[start:])
    falls, rises = endless and function.rise < 0, endless and function.rise > 0
    return (None if falls else min(values)), (None if rises else max(values))


def folded(form: Form, box: Box) -> Form:
    """The same for the sizes of a box, where functions that have one value there are numbers."""
    if all(box[axis] is ALL for axis in form.axes):
        return form
    found = number(form.constant)
    for axis, function in form.singles.items():
        value = _value(function, box[axis])
        found = add(found, single(axis, function) if value is None else number(value))
    for factors, count in form.products.items():
        left = []
        for axis, function in factors:
            value = _value(function, box[axis])
            if value is None:
                left.append((axis, function))
            else:
                count *= value
        found = add(found, _product(count, left))
    return found


def _value(function: Steps, sizes: Sizes) -> Rational | None:
    least, greatest = limits_of(function, sizes)
    return least if least == greatest else None


def limits(form: Form, box: Box) -> tuple[Rational | None, Rational | None]:
    """Numbers between which all values lie; None where there is none, or none is known."""
    least: Rational | None = 0
    greatest: Rational | None = 0
    for count, factors in form.terms():
        low, high = _limits_of_term(count, [limits_of(function, box[axis]) for axis, function in factors])
        least = None if least is None or low is None else least + low
        greatest = None if greatest is None or high is None else greatest + high
    return least, greatest


def _limits_of_term(
    count: Rational, factors: Sequence[tuple[Rational | None, Rational | None]]
) -> tuple[Rational | None, Rational | None]:
    low: Rational | None = count
    high: Rational | None = count
    if len(factors) == 1:
        low, high = (None if each is None else count * each for each in factors[0])
    else:
        for least, greatest in factors:
            if least is None or least < 0:
                return None, None
            low = None if low is None else low * least
            high = None if high is None or greatest is None else high * greatest
    return (low, high) if count > 0 else (high, low)
