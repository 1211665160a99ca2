"""What values are: numbers, how large, and which mean the same."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable
from typing import Any

from cnnspec.layers import LAYERS
from cnnspec.record import Record
from cnnspec.words import CallValue, Symbol

LONGEST = 10_000
"""The most items of a list, and the largest size in bits a number may reach."""

MOST_VALUES = 100_000
"""The most values in a list or call, those in lists and calls inside it included."""

DEEPEST = 50
"""How far lists and calls may be nested."""


def is_number(value: Any) -> bool:
    return (hasattr(value, "numerator") and not isinstance(value, bool)) or isinstance(value, float)


def exact(value: Any) -> Any:
    """A float as the decimal number that was written."""
    if isinstance(value, float):
        from fractions import Fraction

        return Fraction(repr(value))
    return value


def weight(value: Any, depth: int = 0) -> int:
    """How many values there are inside, in lists and arguments; more than `MOST_VALUES` where nobody should count."""
    if isinstance(value, str):
        return 1 + len(value) // 100
    if isinstance(value, CallValue):
        value = [argument.value for argument in value.arguments]
    elif not isinstance(value, tuple):
        return 1
    if depth > DEEPEST:
        return MOST_VALUES + 1
    total = 1 if depth else 0
    for item in value:
        total += 1 if isinstance(item, int) else weight(item, depth + 1)
        if total > MOST_VALUES:
            break
    return total


def canonical(value: Any) -> Hashable:
    """The value without the places it was written at. Equal, and of equal hash, exactly where values mean the same
    to all who may use them: `true` is not 1, and neither is 1.0, which is no size."""
    return _without_places(value, lambda number: ("float", number) if isinstance(number, float) else number)


def meaning(value: Any) -> Hashable:
    """As `canonical`, for `==`: numbers are equal by what they are worth."""
    return _without_places(value, exact)


def _without_places(value: Any, number: Callable[[Any], Any]) -> Hashable:
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, str):
        return ("text", value)
    if isinstance(value, Symbol):
        return ("call", value.name, frozenset())
    if isinstance(value, tuple):
        return ("list", tuple([_without_places(item, number) for item in value]))
    if isinstance(value, CallValue):
        arguments = [(a.name or at, _without_places(a.value, number)) for at, a in enumerate(value.arguments)]
        return ("call", value.name, frozenset(arguments))
    return number(value)  # type: ignore[no-any-return]


def has_meaning(name: str, blocks: Container[str] | None) -> bool:
    """Whether a name that nothing in scope defines is one that a layer, a block or an argument has. Where the blocks
    are not known, whatever is spelled like one counts."""
    return name in LAYERS or (name in blocks if blocks is not None else name[:1].isupper()) or name in _choices()


def meaningful(blocks: Container[str] | None) -> list[str]:
    """Names that have a meaning by themselves."""
    return [*LAYERS, *_choices(), *(blocks if isinstance(blocks, dict) else ())]


_CHOICES: list[str] = []


def _choices() -> list[str]:
    """The names among the values of all layers' arguments: `same`, `none`, those of every `Literal`."""
    if not _CHOICES:
        import re

        found = ["none", "same", "valid"]
        for layer in LAYERS.values():
            for base in layer.__mro__:
                if issubclass(base, Record):
                    for annotation in base.__annotations__.values():
                        if str(annotation).startswith("Literal["):
                            found += re.findall(r"['\"](\w+)['\"]", annotation)
        _CHOICES.extend(dict.fromkeys(found))
    return _CHOICES
