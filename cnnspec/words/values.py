"""Values of the language that are not numbers, strings, booleans or tuples of values, and how values are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cnnspec.record import Record
from cnnspec.source import Span


class Like(Record):
    """A default that copies another argument of the same word: `stride: Kernel = like("kernel")`."""

    argument: str


def like(argument: str) -> Any:
    return Like(argument)


class Symbol(Record):
    """A name that nothing in scope defines; a kind may know it (`same`, `zeros`, `cifar10`). `known` are the names
    that are defined there."""

    name: str
    span: Span
    known: tuple[str, ...] = ()


class CallValue(Record):
    """A call in the place of a value, not yet bound: `adamw(lr=1e-3)`."""

    name: str
    arguments: tuple[Argument, ...]
    span: Span
    name_span: Span


class Argument(Record):
    """An argument whose value is known. `name` is None for a positional one."""

    name: str | None
    value: Any
    span: Span
    name_span: Span | None = None


def show(value: Any) -> str:
    """A value as it is written in a spec."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "none"
        case tuple() if None in value:
            return "x".join("?" if size is None else str(size) for size in value)
        case tuple():
            return "[" + ", ".join(map(_show_item, value)) + "]"
        case float():
            return f"{value:.12g}"
        case Symbol():
            return value.name
        case CallValue():
            inside = ", ".join(f"{a.name}={show(a.value)}" if a.name else show(a.value) for a in value.arguments)
            return f"{value.name}({inside})" if inside else value.name
    return str(value)


def _show_item(value: Any) -> str:
    """The names in a list stand in quotes where they could not stand without."""
    return f'"{value}"' if isinstance(value, str) and not value.isidentifier() else show(value)


def describe(value: Any) -> str:
    """A value in a sentence; a long one is cut."""
    text = f'"{value}"' if isinstance(value, str) else show(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def closest(name: str, known: Iterable[str]) -> list[str]:
    """The known name that was probably meant, or none."""
    from difflib import get_close_matches

    return get_close_matches(name, list(known), 1)


def together(items: Iterable[object], word: str = "and") -> str:
    """`a, b and c`; empty for nothing."""
    texts = list(map(str, items))
    return f"{', '.join(texts[:-1])} {word} {texts[-1]}" if len(texts) > 1 else "".join(texts)


def first_of(names: Sequence[str], most: int) -> str:
    """`a, b and 3 more`"""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, what: str) -> str:
    """`1 class`, `2 classes`, `1,000 samples`."""
    plural = what + ("es" if what.endswith("s") else "s")
    return f"{number:,} {what if number == 1 else plural}"
