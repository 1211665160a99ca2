"""Shapes as the comments show them: numbers where all uses of a class agree, letters where they differ."""

from __future__ import annotations

from collections.abc import Sequence

from cnnspec.emission.express import Scope, explain
from cnnspec.layers.base import Shape

AXES = {1: "L", 2: "HW", 3: "DHW"}
"""The names of the axes of a map, by their number."""

LETTERS = {"C": "channels", "D": "depth", "H": "height", "W": "width", "L": "length"}
"""What the letters in a shape stand for: sizes that arrive."""

MOST_LISTED = 3
"""How many shapes a comment lists where no formula covers them."""


def shape_text(inputs: Sequence[Shape], outputs: Sequence[Shape], channels: Scope, scope: Scope) -> str:
    """The shape at one place of a class, given the inputs of its uses and the shapes at that place.

    `channels` holds an expression for the channels and `scope` the constructor's arguments: `width x H/2 x W/2`.
    Empty where neither a formula nor a short list says it.
    """
    if len(set(outputs)) == 1:
        return str(outputs[0])
    if any(shape.channels_last for shape in (*inputs, *outputs)):
        return ""
    sizes = _symbols(inputs, outputs, channels, scope)
    if sizes:
        return " x ".join(sizes)
    listed = list(dict.fromkeys(map(str, outputs)))
    return " or ".join(listed) if len(listed) <= MOST_LISTED else ""


def letters(text: str) -> list[str]:
    """The letters that a shape is written with."""
    return [size for size in text.split(" x ") if size in LETTERS]


def _symbols(inputs: Sequence[Shape], outputs: Sequence[Shape], expected: Scope, scope: Scope) -> list[str] | None:
    rank = outputs[0].rank
    if (
        rank > max(AXES)
        or any(shape.rank != rank for shape in outputs)
        or (rank and any(shape.rank != rank for shape in inputs))
    ):
        return None
    channels = explain(tuple(shape.channels for shape in outputs), expected)
    symbols = [channels.replace(" ", "") if channels and " if " not in channels else None]
    for axis, name in zip(range(rank), AXES.get(rank, ""), strict=True):
        before, after = [x.spatial[axis] for x in inputs], [y.spatial[axis] for y in outputs]
        symbols.append(_axis(name, before, after) or _divided(name, before, after, scope))
    return [symbol for symbol in symbols if symbol] if all(symbols) else None


def _axis(name: str, before: Sequence[int], after: Sequence[int]) -> str | None:
    """The size of an axis in terms of what arrived: `14`, `H`, `2H`, `H-4`, `H/2`, `(H-4)/2`, `(H+1)//2`."""
    if len(set(after)) == 1:
        return str(after[0])
    pairs = list(zip(before, after, strict=True))
    factor = after[0] // before[0]
    if factor > 1 and all(a == factor * b for b, a in pairs):
        return f"{factor}{name}"
    for divisor in (1, 2, 4, 8, 16, 32):
        exact = {divisor * a - b for b, a in pairs}
        if len(exact) == 1:
            return _quotient(name, exact.pop(), divisor, "/")
        least, most = max(divisor * a - b for b, a in pairs), min(divisor * (a + 1) - 1 - b for b, a in pairs)
        if least <= most:
            return _quotient(name, min(range(least, most + 1), key=abs), divisor, "//")
    return None


def _divided(name: str, before: Sequence[int], after: Sequence[int], scope: Scope) -> str | None:
    """The size of an axis that an argument divides: `H/stride`."""
    shown = name if len(set(before)) > 1 else str(before[0])
    for argument, values in scope.items():
        if all(type(v) is int and a * v == b for b, a, v in zip(before, after, values, strict=True)):
            return f"{shown}/{argument}"
    return None


def _quotient(name: str, offset: int, divisor: int, slash: str) -> str:
    shifted = f"{name}{offset:+}" if offset else name
    if divisor == 1:
        return shifted
    return f"({shifted}){slash}{divisor}" if offset else f"{shifted}{slash}{divisor}"
