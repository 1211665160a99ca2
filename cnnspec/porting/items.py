"""A body in the making: what a module runs, as steps of the language that are not text yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cnnspec.record import Record


class Item(Record):
    """Base of what stands in a body."""


class Call(Item):
    """A layer, or a block where `word` begins with an upper-case letter. `args` are its arguments by their names, those
    left to their defaults left out. `label` is empty where its position names it. `channels` arrive. `hint` is what the
    module called it, where that is no part of a key."""

    word: str
    args: dict[str, Any]
    label: str
    key: str
    weighted: bool
    channels: int
    hint: str = ""
    note: str = ""


class Group(Item):
    """A submodule, found at `path`. `kind` is its class, empty for a container of torch. `channels` arrive, `out` leave
    it."""

    label: str
    key: str
    kind: str
    path: str
    items: tuple[Item, ...]
    channels: int
    out: int


class Join(Item):
    """Branches, and the combinator that joins them."""

    kind: str
    branches: tuple[tuple[Item, ...], ...]
    options: dict[str, Any]
    channels: int
    note: str = ""


class If(Item):
    condition: Any
    items: tuple[Item, ...]


class Repeat(Item):
    count: Any
    items: tuple[Item, ...]


class For(Item):
    """`targets` are the names, `values` what each of them is in every pass."""

    targets: tuple[str, ...]
    values: tuple[Any, ...]
    items: tuple[Item, ...]


class Range(Record):
    """Whole numbers from `start` on, in the place of a loop's values."""

    start: int
    count: Any


class Let(Item):
    name: str
    value: Any


Items = tuple[Item, ...]


def bodies(item: Item) -> tuple[Items, ...]:
    """What stands in the braces of an item."""
    if isinstance(item, Join):
        return item.branches
    return (item.items,) if isinstance(item, Group | If | Repeat | For) else ()


def rebuilt(item: Item, change: Callable[[Items], Items]) -> Item:
    """The same item with other bodies."""
    if isinstance(item, Join):
        return item.replace(branches=tuple(map(change, item.branches)))
    return item.replace(items=change(item.items)) if isinstance(item, Group | If | Repeat | For) else item


def below(items: Items) -> Iterator[Item]:
    """All items, those inside behind what they stand in."""
    for item in items:
        yield item
        for body in bodies(item):
            yield from below(body)


def children(items: Items) -> Iterator[Call | Group]:
    """The direct children of a module, in reading order."""
    for item in items:
        if isinstance(item, Call | Group):
            yield item
        else:
            for body in bodies(item):
                yield from children(body)


def weights_inside(items: Items) -> bool:
    return any(isinstance(item, Call) and item.weighted for item in below(items))


def is_residual(item: Item) -> bool:
    """A sum with what comes in, which is written without bars."""
    return isinstance(item, Join) and item.kind == "add" and len(item.branches) == 2 and () in item.branches
