"""Shapes in comments."""

from __future__ import annotations

import pytest

from cnnspec.emission.shapes import shape_text
from cnnspec.layers.base import Shape


@pytest.mark.parametrize(
    ("inputs", "outputs", "text"),
    [
        ([(3, 8, 8)], [(4, 8, 8)], "4x8x8"),
        ([(3, 32, 32), (4, 16, 16)], [(4, 32, 32), (8, 16, 16)], "width x H x W"),
        ([(3, 32, 32), (4, 16, 16)], [(4, 16, 16), (8, 8, 8)], "width x H/2 x W/2"),
        ([(3, 28, 28), (4, 14, 7)], [(4, 14, 14), (8, 7, 3)], "width x H/2 x W//2"),
        ([(3, 7, 7), (4, 14, 14)], [(8, 4, 4), (16, 7, 7)], "2*width x (H+1)//2 x (W+1)//2"),
        ([(3, 28), (4, 10)], [(4, 26), (8, 8)], "width x L-2"),
        ([(3, 28), (4, 10)], [(4, 12), (8, 3)], "width x (L-4)/2"),
        ([(3, 4, 4, 4), (4, 8, 8, 8)], [(3, 8, 8, 8), (4, 16, 16, 16)], "C x 2D x 2H x 2W"),
        ([(3, 9, 8), (4, 9, 4)], [(4, 9, 8), (8, 9, 4)], "width x 9 x W"),
        ([(3, 8, 8), (4, 4, 4)], [(192,), (64,)], "192 or 64"),
        ([(3, 8, 8), (4, 4, 4)], [(4,), (8,)], "width"),
    ],
)
def test_uses_told_together(inputs: list[tuple[int, ...]], outputs: list[tuple[int, ...]], text: str) -> None:
    channels = {"C": (3, 4)} if "C" in text else {"width": (4, 8)}
    assert shape_text(list(map(Shape, inputs)), list(map(Shape, outputs)), channels, {}) == text


def test_an_argument_that_divides() -> None:
    inputs, outputs = [Shape((3, 32)), Shape((3, 32))], [Shape((3, 32)), Shape((3, 16))]
    assert shape_text(inputs, outputs, {}, {"stride": (1, 2)}) == "3 x 32/stride"


def test_nothing_is_said_where_too_many_shapes_have_no_formula() -> None:
    inputs = [Shape((3, size)) for size in (32, 31, 30, 29)]
    outputs = [Shape((3, size)) for size in (7, 31, 2, 9)]
    assert shape_text(inputs, outputs, {}, {}) == ""
