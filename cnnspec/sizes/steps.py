"""Functions of one size that repeat themselves: f(h + period) = f(h) + rise, behind a beginning that may be anything.

They are closed under everything done here. For the sum of f and g take as period the least common multiple of theirs;
for f // d take so many periods that the rise becomes a multiple of d, and (f + n * d) // d = f // d + n. A function is
kept with the shortest beginning and the shortest period there are, so that equal functions have equal tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import repeat
from math import lcm, prod
from typing import Any

Rational = int | Fraction

LONGEST = 60_000
"""No table has more entries."""


class Undecided(Exception):
    """A question that is not answered for all sizes. The text says what stands in the way."""


class Entangled(Undecided):
    """It is about two sizes at once: nor is it answered for few of them."""


class Steps:
    """`head` are the values for 1, 2, ..., `cycle` those of the first period behind it; each period the values rise by
    `rise`."""

    __slots__ = ("_hash", "cycle", "head", "rise")

    def __init__(self, head: Sequence[Any], cycle: Sequence[Any], rise: Rational = 0) -> None:
        self.head, self.cycle, self.rise = _shortest(tuple(head), tuple(cycle), rise)
        self._hash = hash((self.head, self.cycle, self.rise))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Steps) or self._hash != other._hash:
            return False
        return (self.head, self.cycle, self.rise) == (other.head, other.cycle, other.rise)

    def __hash__(self) -> int:
        return self._hash

    def __call__(self, size: int) -> Any:
        """The value for one size."""
        at = size - 1 - len(self.head)
        if at < 0:
            return self.head[at]
        times, at = divmod(at, len(self.cycle))
        return self.cycle[at] + times * self.rise if times else self.cycle[at]

    @property
    def constant(self) -> bool:
        return not self.head and not self.rise and len(self.cycle) == 1

    def table(self, start: int, period: int) -> list[Any]:
        """The values up to `start`, and those of the `period` behind it."""
        if start + period > LONGEST:
            raise Undecided(f"more than {LONGEST:,} sizes would have to be told apart")
        values = list(self.head[: start + period])
        risen: Rational = 0
        while len(values) < start + period:
            values += [value + risen for value in self.cycle] if risen else self.cycle
            risen += self.rise
        del values[start + period :]
        return values


def _shortest(head: tuple[Any, ...], cycle: tuple[Any, ...], rise: Rational) -> tuple[Any, Any, Rational]:
    """The same function with the shortest period, and then the shortest beginning."""
    period = len(cycle)
    for prime in _primes(period):
        while len(cycle) % prime == 0:
            short, part = len(cycle) // prime, _over(rise, prime)
            if any(cycle[at + short] != cycle[at] + part for at in range(len(cycle) - short)):
                break
            cycle, rise = cycle[:short], part
    kept = len(head)
    while kept and head[kept - 1] == cycle[(kept - 1 - len(head)) % len(cycle)] + _laps(
        kept - 1 - len(head), cycle, rise
    ):
        kept -= 1
    shift = (kept - len(head)) % len(cycle)
    if shift or kept < len(head):
        begin = kept - len(head)
        cycle = tuple(cycle[(begin + at) % len(cycle)] + _laps(begin + at, cycle, rise) for at in range(len(cycle)))
    return head[:kept], cycle, rise


def _laps(at: int, cycle: tuple[Any, ...], rise: Rational) -> Rational:
    """What is to be added to the first period's value for the entry `at` periods counted from its beginning."""
    return at // len(cycle) * rise if rise else 0


def _over(value: Rational, divisor: int) -> Rational:
    if not value:
        return 0
    exact = Fraction(value, divisor)
    return exact.numerator if exact.denominator == 1 else exact


@lru_cache(1000)
def _primes(number: int) -> tuple[int, ...]:
    found, divisor = [], 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            found.append(divisor)
            while number % divisor == 0:
                number //= divisor
        divisor += 1
    return (*found, number) if number > 1 else tuple(found)


def constant(value: Rational) -> Steps:
    return Steps((), (value,))


SIZE = Steps((), (1,), 1)
"""The size itself."""


@lru_cache(20_000)
def plus(one: Steps, other: Steps) -> Steps:
    start, period = shared(one, other)
    values = [a + b for a, b in zip(one.table(start, period), other.table(start, period), strict=True)]
    return Steps(values[:start], values[start:], _rise(one, period) + _rise(other, period))


def shared(*functions: Steps) -> tuple[int, int]:
    """A start and a period that all of them have."""
    period = lcm(*(len(each.cycle) for each in functions))
    if period > LONGEST:
        raise Undecided(f"more than {LONGEST:,} sizes would have to be told apart")
    return max(len(each.head) for each in functions), period


def _rise(function: Steps, period: int) -> Rational:
    return function.rise * (period // len(function.cycle)) if function.rise else 0


@lru_cache(20_000)
def moved(function: Steps, by: Rational) -> Steps:
    return _each(function, lambda value: whole(value + by), function.rise)


@lru_cache(20_000)
def times(function: Steps, factor: Rational) -> Steps:
    return _each(function, lambda value: whole(value * factor), whole(function.rise * factor))


def _each(function: Steps, change: Callable[[Any], Any], rise: Rational) -> Steps:
    return Steps(tuple(map(change, function.head)), tuple(map(change, function.cycle)), rise)


def whole(value: Rational) -> Rational:
    """A fraction that is a whole number, as one."""
    return value if type(value) is int or value.denominator != 1 else value.numerator


@lru_cache(20_000)
def divided(function: Steps, divisor: Rational) -> Steps:
    """Rounded down; the divisor is not 0."""
    exact = Fraction(function.rise) / divisor
    repeated = exact.denominator
    start, period = len(function.head), len(function.cycle) * repeated
    values = [whole(value // divisor) for value in function.table(start, period)]
    return Steps(values[:start], values[start:], (exact * repeated).numerator)


@lru_cache(20_000)
def remainder(function: Steps, divisor: Rational) -> Steps:
    return plus(function, times(divided(function, divisor), -divisor))


@lru_cache(20_000)
def where(function: Steps, sign: str) -> Steps:
    """1 where the function is above (`>`), equal to (`==`) or below (`<`) zero, 0 elsewhere.

    A function that rises is above zero from some period on: only what comes before is looked at."""
    test = SIGNS[sign]
    start, period = len(function.head), len(function.cycle)
    if function.rise:
        rising = 1 if function.rise > 0 else -1
        worst = min(rising * value for value in function.cycle)
        laps = max(0, int(-worst // abs(function.rise)) + 1) if worst <= 0 else 0
        values = function.table(start, laps * period) if laps else list(function.head)
        return Steps([int(test(value)) for value in values], (int(test(rising)),))
    values = function.table(start, period)
    return Steps([int(test(value)) for value in values[:start]], [int(test(value)) for value in values[start:]])


SIGNS: dict[str, Callable[[Any], bool]] = {
    ">": lambda value: value > 0,
    "==": lambda value: value == 0,
    "<": lambda value: value < 0,
}


def product_sign(terms: Iterable[tuple[Rational, Sequence[Steps]]], sign: str) -> Steps:
    """As `where`, for a sum of products of functions of the same size.

    Along each residue of the common period every factor is a line, so the sum is a polynomial in the number of
    periods. It keeps its sign behind its last root, which Fujiwara's bound limits."""
    return _product_sign(tuple((count, tuple(factors)) for count, factors in terms), sign)


@lru_cache(5_000)
def _product_sign(terms: tuple[tuple[Rational, tuple[Steps, ...]], ...], sign: str) -> Steps:
    functions = [function for _, factors in terms for function in factors]
    start, period = shared(*functions)
    begin = start + period * max(_last_root(_polynomial(terms, start + at + 1, period)) for at in range(period))
    total: list[Rational] = [0] * (begin + period)
    for count, factors in terms:
        tables = [function.table(begin, period) for function in factors]
        products = (prod(values, start=count) for values in zip(*tables, strict=True)) if tables else repeat(count)
        total = [a + b for a, b in zip(total, products, strict=False)]
    tests = [int(SIGNS[sign](value)) for value in total]
    return Steps(tests[:begin], tests[begin:])


def _polynomial(terms: Iterable[tuple[Rational, Sequence[Steps]]], size: int, period: int) -> list[Rational]:
    """The coefficients, the constant first, in the number of periods behind `size`."""
    total: list[Rational] = [0]
    for factor, factors in terms:
        product: list[Rational] = [factor]
        for function in factors:
            line = (function(size), _rise(function, period))
            product = [
                (line[0] * product[at] if at < len(product) else 0) + (line[1] * product[at - 1] if at else 0)
                for at in range(len(product) + 1)
            ]
        total = [
            (total[at] if at < len(total) else 0) + (product[at] if at < len(product) else 0)
            for at in range(max(len(total), len(product)))
        ]
    while len(total) > 1 and not total[-1]:
        total.pop()
    return total


def _last_root(polynomial: list[Rational]) -> int:
    """A whole number that no root exceeds: twice the largest |a(n-k) / a(n)| ** (1/k), rounded up."""
    *rest, leading = polynomial
    bound = 0
    for power, coefficient in enumerate(reversed(rest), 1):
        ratio = abs(Fraction(coefficient) / leading) if coefficient else Fraction(0)
        bound = max(bound, _root(ratio, power))
    return 2 * bound + 1 if rest else 0


def _root(value: Fraction, power: int) -> int:
    """The smallest whole number whose power is not below `value`."""
    above = -(-value.numerator // value.denominator)
    low, high = 0, 1
    while high**power < above:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if middle**power >= above else (middle + 1, high)
    return low
