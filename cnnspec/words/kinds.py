"""Kinds of arguments: what values an argument takes, by the annotation of its field."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cnnspec.record import Record
from cnnspec.words.values import Symbol, closest, describe, show

# What the annotations mean to a type checker.
Count = int
Natural = int
Kernel = int | tuple[int, ...]
Amounts = int | tuple[int, ...]
Padding = int | tuple[int, ...] | str
Sizes = int | tuple[int | None, ...]
Dims = tuple[int, ...]
Number = float
Positive = float
Probability = float
Share = float
NonNegative = float


class Mismatch(Exception):
    """A value that a kind does not take. The text says what is wrong with it."""


class Kind(Record):
    """What values an argument takes: `takes` completes the sentence "... takes ..."; `read` gives the value to keep,
    or raises `Mismatch`."""

    takes: str
    read: Callable[[Any], Any]
    names: bool = False
    """Whether names of its own are among the values."""


LARGEST = 2**31 - 1
"""No size or count of a network may be larger."""


def _integer(value: Any, least: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        if value > LARGEST:
            raise Mismatch(f"{describe(value)} is more than {LARGEST}")
        if value < least:
            raise Mismatch(f"{describe(value)} is less than {least}")
        return value
    written = repr(value) if isinstance(value, float) else describe(value)
    raise Mismatch(f"{written} is not a whole number")


def _per_axis(value: Any, least: int) -> int | tuple[int, ...]:
    if isinstance(value, tuple):
        if not value:
            raise Mismatch("the list is empty")
        return tuple(_integer(item, least) for item in value)
    return _integer(value, least)


def _sizes(value: Any) -> Sizes:
    if isinstance(value, tuple) and value:
        return tuple(None if item is None else _integer(item, 1) for item in value)
    return _integer(value, 1)


def _padding(value: Any) -> Padding:
    if isinstance(value, Symbol) and value.name in ("same", "valid"):
        return value.name
    return _per_axis(value, 0)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not (isinstance(value, int | float) or type(value).__name__ == "Fraction"):
        raise Mismatch(f"{describe(value)} is not a number")
    try:
        return float(value)
    except OverflowError:
        raise Mismatch(f"{describe(value)} is too large") from None


def _between(low: float, high: float, *, low_open: bool = False, high_open: bool = False) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        number = _number(value)
        if number < low or (low_open and number == low):
            raise Mismatch(f"{show(number)} is {'not more' if low_open else 'less'} than {show(low)}")
        if number > high or (high_open and number == high):
            raise Mismatch(f"{show(number)} is {'not less' if high_open else 'more'} than {show(high)}")
        return number

    return read


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise Mismatch(f"{describe(value)} is neither true nor false")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise Mismatch(f"{describe(value)} is not a text in quotes")


def _dims(value: Any) -> tuple[int, ...]:
    sizes = _per_axis(value, 1)
    return sizes if isinstance(sizes, tuple) else (sizes,)


def choice(*names: str) -> Kind:
    takes = " or ".join(names) if len(names) < 3 else ", ".join(names[:-1]) + f" or {names[-1]}"

    def read(value: Any) -> str:
        if isinstance(value, Symbol) and value.name in names:
            return value.name
        close = closest(value.name, names) if isinstance(value, Symbol) else []
        raise Mismatch(f"{describe(value)} is not one of them" + (f", {close[0]} is" if close else ""))

    return Kind(takes, read, names=True)


def optional(kind: Kind) -> Kind:
    """Also takes `none`."""

    def read(value: Any) -> Any:
        return None if isinstance(value, Symbol) and value.name == "none" else kind.read(value)

    return Kind(f"{kind.takes}, or none", read, names=kind.names)


def list_of(kind: Kind, takes: str) -> Kind:
    """A list, or one value in its place."""

    def read(value: Any) -> tuple[Any, ...]:
        if isinstance(value, Symbol) and value.name == "none":
            return ()
        return tuple(kind.read(item) for item in (value if isinstance(value, tuple) else (value,)))

    return Kind(takes, read, names=True)


KINDS: dict[str, Kind] = {
    "Count": Kind("a whole number from 1", lambda value: _integer(value, 1)),
    "Natural": Kind("a whole number from 0", lambda value: _integer(value, 0)),
    "Kernel": Kind("a whole number from 1, or one per axis (3x5)", lambda value: _per_axis(value, 1)),
    "Amounts": Kind("a whole number from 0, or one per axis ([0, 3])", lambda value: _per_axis(value, 0)),
    "Padding": Kind("a whole number from 0, one per axis ([0, 3]), same or valid", _padding, names=True),
    "Sizes": Kind("a whole number from 1, or one per axis (7x7; ? keeps an axis)", _sizes),
    "Dims": Kind("sizes (3x32x32)", _dims),
    "Number": Kind("a number", _number),
    "Positive": Kind("a number above 0", _between(0, float("inf"), low_open=True)),
    "NonNegative": Kind("a number from 0", _between(0, float("inf"))),
    "Probability": Kind("a number from 0 to 1", _between(0, 1)),
    "Share": Kind("a number from 0 to below 1", _between(0, 1, high_open=True)),
    "bool": Kind("true or false", _flag),
    "str": Kind("a text in quotes", _text),
}
"""Kinds by the annotation that names them. Modules that bring kinds of their own add them here."""


def kind_of(annotation: str) -> Kind:
    """The kind an annotation names: a key of `KINDS`, `Literal["a", "b"]`, or one of these with `| None`."""
    if annotation.endswith(" | None"):
        return optional(kind_of(annotation.removesuffix(" | None")))
    if annotation.startswith("Literal["):
        return choice(*re.findall(r"['\"](\w+)['\"]", annotation))
    return KINDS[annotation]
