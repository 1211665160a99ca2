"""Functions of a size, held against the same arithmetic on single sizes."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

import pytest

from cnnspec.sizes import steps
from cnnspec.sizes.steps import SIGNS, SIZE, Steps, Undecided

CHANGES: dict[str, tuple[Callable[[Steps, int], Steps], Callable[[int, int], int]]] = {
    "plus": (steps.moved, lambda value, n: value + n),
    "times": (steps.times, lambda value, n: value * n),
    "divided": (steps.divided, lambda value, n: value // n),
    "remainder": (steps.remainder, lambda value, n: value % n),
    "multiple": (
        lambda f, n: steps.plus(f, steps.times(steps.remainder(f, n), -1)),
        lambda value, n: value - value % n,
    ),
}
TRIED = [*range(1, 70), 1000, 12_345]


def drawn(seed: int) -> tuple[Steps, Callable[[int], int]]:
    """A function, and the same as plain arithmetic."""
    rng = random.Random(seed)
    changes = [(rng.choice([*CHANGES]), rng.randint(1, 6)) for _ in range(rng.randint(1, 6))]
    function = SIZE
    for name, by in changes:
        function = CHANGES[name][0](function, by)

    def plain(size: int) -> int:
        for name, by in changes:
            size = CHANGES[name][1](size, by)
        return size

    return function, plain


@pytest.mark.parametrize("seed", range(150))
def test_arithmetic_is_that_of_every_size(seed: int) -> None:
    function, plain = drawn(seed)
    assert [function(size) for size in TRIED] == [plain(size) for size in TRIED]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("sign", SIGNS)
def test_signs_are_those_of_every_size(seed: int, sign: str) -> None:
    function, plain = drawn(seed)
    number = random.Random(seed).randint(0, 400)
    found = steps.where(steps.moved(function, -number), sign)
    square = steps.product_sign([(2, [function, function]), (-1, [function]), (-number, [])], sign)
    for size in TRIED:
        value = plain(size)
        assert found(size) == SIGNS[sign](value - number)
        assert square(size) == SIGNS[sign](2 * value * value - value - number)


def test_equal_functions_are_equal() -> None:
    twice = steps.divided(steps.divided(SIZE, 2), 3)
    assert twice == steps.divided(SIZE, 6) != steps.divided(SIZE, 5)
    assert hash(twice) == hash(steps.divided(SIZE, 6))
    assert Steps([0, 0, 1, 2], [3, 4], 2) == Steps([0], [0], 1) == steps.moved(SIZE, -2).__class__([0], [0], 1)


def test_fractions_stay_exact() -> None:
    third = steps.times(SIZE, Fraction(1, 3))
    assert third(2) == Fraction(2, 3)
    assert third(3) == 1
    assert steps.divided(third, 1) == steps.divided(SIZE, 3)


def test_long_periods_are_refused() -> None:
    with pytest.raises(Undecided):
        steps.plus(steps.divided(SIZE, 50_021), steps.divided(SIZE, 50_023))
