"""What differs beside the layers: the input, arguments of the model, settings of `train { }`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnnspec.network import Network
from cnnspec.network.values import canonical
from cnnspec.report.diff.changes import Setting
from cnnspec.words import Word, show

NONE = "-"
"""What is not there."""


def settings_of(before: Network, after: Network) -> tuple[Setting, ...]:
    return tuple(_settings(before, after))


def _settings(before: Network, after: Network) -> Iterator[Setting]:
    if before.input != after.input:
        yield Setting("input", str(before.input), str(after.input))
    if before.name == after.name:
        yield from _arguments(before.arguments, after.arguments)
    if before.recipe and after.recipe:
        yield from _inside("train", before.recipe, after.recipe)
    elif before.recipe or after.recipe:
        yield Setting("train", *("none" if recipe is None else "given" for recipe in (before.recipe, after.recipe)))


def _arguments(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Setting]:
    for name in {**before, **after}:
        one, other = (canonical(each[name]) if name in each else NONE for each in (before, after))
        if one != other:
            yield Setting(f"argument {name}", *(show(each[name]) if name in each else NONE for each in (before, after)))


def _inside(name: str, before: Word, after: Word) -> Iterator[Setting]:
    """Arguments that differ, or the words themselves where these do."""
    for field in before.__fields__:
        one, other = getattr(before, field), getattr(after, field)
        if one == other:
            continue
        if isinstance(one, Word) and type(one) is type(other):
            yield from _inside(f"{name}.{field}", one, other)
        else:
            yield Setting(f"{name}.{field}", _written(one), _written(other))


def _written(value: Any) -> str:
    if isinstance(value, tuple) and any(isinstance(item, Word) for item in value):
        return f"[{', '.join(map(str, value))}]"
    return str(value) if isinstance(value, Word) else show(value)
