"""How a constructor lists children: in a row, in a loop, in a dictionary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from cnnspec.emission.frames import Let
from cnnspec.emission.items import Assign, Child, Item, Loop, alike, children
from cnnspec.emission.layout import Entry
from cnnspec.emission.loops import LONGEST_HEADER

MOST_ON_A_LINE = 2
"""So many short children of a Sequential may share a line."""


def header(loop: Loop, free: Callable[[str], str], width: int) -> tuple[list[str], list[str]]:
    """The line that begins a loop, and what has to stand before it."""
    line = f"for {loop.targets} in {loop.over(loop.iterable)}:"
    if len(line) <= width:
        return [line], []
    rows = free("rows")
    before = [f"{rows} = (", *chain.from_iterable(row(each) for each in loop.rows), ")"]
    line = f"for {loop.targets} in {loop.over(rows)}:"
    if len(line) > width and "(" not in loop.targets and ", " in loop.targets:
        names = loop.targets.split(", ")
        return ["for (", *(f"    {name}," for name in names), f") in {loop.over(rows)}:"], before
    return [line], before if loop.rows else [f"{rows} = {loop.iterable}"]


def row(text: str) -> list[str]:
    return [f"    {text},"]


def assigned(item: Assign) -> str:
    more = item.text.removeprefix(f"{item.name} + ")
    return f"{item.name} += {more}" if more != item.text else f"{item.name} = {item.text}"


def let(item: Let) -> Iterator[str]:
    if written(item):
        yield f"{item.text} = {item.statement}"


def written(item: Let) -> bool:
    return item.statement is not None and item.text in item.frame.used


def positional(items: Sequence[Item]) -> bool:
    """Whether every child is named by its position, as a Sequential names them."""
    return all(not child.key for child in children(items))


def generator(loop: Loop) -> bool:
    """Whether a loop makes one child per pass and can stand inside a call."""
    if len(loop.iterable) > LONGEST_HEADER or len(loop.items) != 1:
        return False
    (child,) = loop.items
    return isinstance(child, Child) and child.items is None and not child.key and not child.bare


def runs(items: Sequence[Item]) -> Iterator[list[Child] | Loop]:
    """Loops, and the children between them: alike ones from a loop together."""
    group: list[Child] = []
    for item in items:
        if isinstance(item, Child) and group and item.looped and alike(group[-1], item):
            group.append(item)
            continue
        if group:
            yield group
            group = []
        if isinstance(item, Child):
            group = [item]
        elif isinstance(item, Loop):
            yield item
    if group:
        yield group


def compact(entries: Sequence[Entry]) -> bool:
    """Whether the children of a Sequential may stand on one line."""
    lonely = all(entry.entries is None or entry.compact for entry in entries)
    return lonely and len(entries) <= MOST_ON_A_LINE and not any(entry.comment for entry in entries[:-1])
