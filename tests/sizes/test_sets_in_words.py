"""Sets of sizes and formulas as a reader sees them, and that they say what is so."""

from __future__ import annotations

import math
import random

import pytest
from test_step_functions import drawn

from cnnspec.sizes import sets, steps, words
from cnnspec.sizes.sets import ALL, Sizes, between, joined, of, without
from cnnspec.sizes.steps import SIZE, Steps


def every(period: int, rest: int = 0, start: int = 1) -> Sizes:
    return Sizes(steps.where(steps.moved(steps.remainder(SIZE, period), -rest), "==")) & between(start)


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        (ALL, "any size"),
        (of([5]), "5"),
        (between(32, 35), "32 to 35"),
        (between(16, 19) | between(112, 115), "16 to 19 or 112 to 115"),
        (between(7), "from 7"),
        (between(7) - of([9]), "from 7, but not 9"),
        (every(2), "even"),
        (every(2, 1), "odd"),
        (every(8), "a multiple of 8"),
        (every(8, 0, 20), "a multiple of 8 from 24"),
        (every(8, 3, 20), "3 more than a multiple of 8 from 27"),
        (between(5) - every(4), "from 5, but not a multiple of 4"),
        (ALL - every(4), "not a multiple of 4"),
        (every(4) | of([3]), "3 or a multiple of 4"),
        (every(2, 0, 4) | of([3]), "3 or even from 4"),
        (every(4) | of([1, 3, 5]), "1, 3 to 5, 8, 12, ... (the same again every 4)"),
        (every(4) | every(4, 1), "1, 4 to 5, 8, ... (the same again every 4)"),
    ],
)
def test_sizes_in_words(sizes: Sizes, text: str) -> None:
    assert words.of_sizes(sizes) == text


def test_boxes_in_words() -> None:
    square, high, wide = (
        {"H": between(*h), "W": between(*w)} for h, w in (((32, 35), (32, 35)), ((1, 2), (7, 9)), ((7, 9), (1, 2)))
    )
    text = "H and W from 32 to 35; or one from 1 to 2 and the other from 7 to 9"
    assert words.of_boxes([high, square, wide]) == text
    assert words.of_boxes([{"H": ALL, "W": every(4)}]) == "W a multiple of 4"
    assert words.of_boxes([{"H": every(4), "W": every(4)}]) == "H and W multiples of 4"
    assert words.of_boxes([{"H": ALL, "W": ALL}]) == "any size"


def test_boxes_of_volumes_in_any_order() -> None:
    low, high = between(8, 11), between(112, 115)
    boxes = sets.orders({"D": low, "H": low, "W": high})
    assert len(boxes) == 3
    assert words.of_boxes(boxes) == "two from 8 to 11 and one from 112 to 115"
    some = words.of_boxes(boxes[1:])
    assert some.startswith("D and W from 8 to 11 and H from 112 to 115; or")


def test_boxes_are_joined_and_taken_apart() -> None:
    low, high = {"H": between(1, 4), "W": ALL}, {"H": between(5), "W": ALL}
    assert joined([low, high]) == [{"H": ALL, "W": ALL}]
    assert without([{"H": ALL, "W": ALL}], [low]) == [high]
    corner = {"H": between(3), "W": between(3)}
    left = without([{"H": ALL, "W": ALL}], [corner])
    for h in range(1, 6):
        for w in range(1, 6):
            assert sets.contains(left, {"H": h, "W": w}) == (h < 3 or w < 3)


@pytest.mark.parametrize("seed", range(80))
def test_formulas_say_what_is_so(seed: int) -> None:
    function, plain = drawn(seed)
    rng = random.Random(seed)
    sizes = rng.choice([ALL, between(rng.randint(1, 9)), every(rng.randint(1, 4)), between(3, rng.randint(3, 30))])
    text = words.of_function(function, "H", sizes)
    if "made of" not in text:
        for size in sizes.first(60):
            assert eval(text, {"H": size, "ceil": math.ceil}) == plain(size), text


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (steps.divided(steps.moved(SIZE, 31), 32), "ceil(H / 32)"),
        (steps.divided(steps.moved(SIZE, -12), 4), "H // 4 - 3"),
        (steps.divided(steps.moved(SIZE, 1), 4), "(H + 1) // 4"),
        (steps.times(steps.divided(SIZE, 16), 16), "16*(H // 16)"),
        (steps.moved(steps.times(SIZE, 2), -1), "2*H - 1"),
        (Steps((), (7,)), "7"),
    ],
)
def test_formulas_are_short(function: Steps, text: str) -> None:
    assert words.of_function(function, "H", ALL) == text
