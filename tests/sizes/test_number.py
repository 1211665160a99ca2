"""A number for all sizes goes through plain code, and the cases are those that plain numbers show."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor, prod
from typing import Any

import pytest

from cnnspec.sizes.cases import Case, Found, cases
from cnnspec.sizes.number import open_size
from cnnspec.sizes.sets import between, contains
from cnnspec.sizes.steps import Undecided


def head(h: Any, w: Any) -> Any:
    for _ in range(2):
        h, w = (h - 4) // 2, (w - 4) // 2
        if h < 1 or w < 1:
            return "too small"
    return 16 * h * w == 400


def mixed(h: Any, w: Any) -> Any:
    if h % 4 == 0 and w > 7:
        return (h // 4 + 1) % 3
    return min(h, 5) * 2 + (w % 2)


def square(h: Any, w: Any) -> Any:
    return "even" if h * h * 3 == 3072 or (h * h) // 1 == 49 else h * 2 > 9


def ratios(h: Any, w: Any) -> Any:
    half = h / Fraction(2)
    return half.denominator == 1, ceil(half) == floor(half), round(half) == h // 2, w // w, (3 * w) // w


def volumes(h: Any, w: Any) -> Any:
    return prod([3, h, w]) == 60, 3 * h * w < 40, (6 * h * w) % 3, h * w % 2 == 0, (h % 3) + (w % 3) == 2


def lists(h: Any, w: Any) -> Any:
    if h < 4:
        return [*range(h)], ("a",) * (h % 3), bool(w - 1)
    return None


FUNCTIONS: list[Callable[[Any, Any], Any]] = [head, mixed, square, ratios, volumes, lists]
LENGTH = 40


def found(function: Callable[[Any, Any], Any]) -> list[Found[Any]]:
    return list(cases("HW", lambda case: function(open_size(case, "H"), open_size(case, "W"))))


def value(outcome: Any, point: dict[str, int]) -> Any:
    """What an outcome is for one size."""
    if isinstance(outcome, tuple | list):
        return type(outcome)(value(each, point) for each in outcome)
    if hasattr(outcome, "form"):
        total = Fraction(0)
        for count, factors in outcome.form.terms():
            total += count * prod(function(point[axis]) for axis, function in factors)
        return total
    return outcome


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_size_is_in_one_case_and_has_its_outcome(function: Callable[[Any, Any], Any]) -> None:
    runs = found(function)
    for h in range(1, LENGTH):
        for w in range(1, LENGTH):
            point = {"H": h, "W": w}
            (own,) = [run for run in runs if contains([run.box], point)]
            assert value(own.outcome, point) == function(h, w), point


def test_what_is_not_decided_is_refused() -> None:
    for function in (lambda h, w: h < w, lambda h, w: [*range(h)], lambda h, w: {h}, lambda h, w: float(w)):
        with pytest.raises(Undecided):
            found(function)


def test_and_decided_for_few_sizes() -> None:
    def less(case: Case) -> bool:
        return bool(open_size(case, "H") < open_size(case, "W"))

    runs = list(cases("HW", less, between(1, 20)))
    for h in range(1, 21):
        for w in range(1, 21):
            (own,) = [run for run in runs if contains([run.box], {"H": h, "W": w})]
            assert own.outcome == (h < w)
