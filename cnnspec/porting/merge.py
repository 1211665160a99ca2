"""Bodies side by side: what they have in common, with the differences at their places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from cnnspec.layers import LAYERS
from cnnspec.porting.items import (
    Call,
    For,
    Group,
    If,
    Item,
    Items,
    Join,
    Range,
    Repeat,
    is_residual,
)
from cnnspec.record import REQUIRED, Record
from cnnspec.words import Like


class Absent:
    """In the place of a value, where the body has no such item."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


class Vary(Record):
    """A value that differs: one for each body."""

    values: tuple[Any, ...]


class Different(Exception):
    """The bodies have too little in common."""


Key = tuple[Any, ...]


def merged(bodies: Sequence[Items | None], *, optional: bool = True) -> Items:
    """One body with `Vary` where these differ. None is a body that is not there. `optional` lets items be in some of
    them only; where all have the same items, labels may differ in their
    numbers. Raises `Different`."""
    given = [body for body in bodies if body is not None]
    keys = [[_key(item, numbers=True) for item in body] for body in given]
    if all(each == keys[0] for each in keys):
        return tuple(
            _item([body[at] if body is not None else None for body in bodies], optional) for at in range(len(given[0]))
        )
    if not optional:
        raise Different
    wrapped = _with_residual(bodies)
    if wrapped is not None:
        return merged(wrapped)
    return _aligned(bodies)


def _key(item: Item, *, numbers: bool = False) -> Key:
    """What items must share to be one. With `numbers` labels need not share theirs."""
    match item:
        case Call(word=word, label=label, weighted=weighted, note=note):
            shared = "activation" if is_activation(word) and not weighted else word
            return (shared, _numbered(label) if numbers else label, weighted, note)
        case Group(label=label):
            return ("{", _numbered(label) if numbers else label)
        case Join(kind=kind, branches=branches, options=options, note=note):
            return (kind, note, len(branches), *(each for each in options.items() if each[0] != "when"))
        case Repeat():
            return ("repeat",)
        case For(targets=targets, values=values):
            return ("for", *targets, *(value.start if isinstance(value, Range) else str(value) for value in values))
    return (type(item).__name__,)


def _numbered(label: str) -> str:
    return re.sub(r"\d+", "#", label)


def is_activation(word: Any) -> bool:
    """Also identity, which stands where there is none."""
    layer = LAYERS.get(word) if isinstance(word, str) else None
    return layer is not None and (layer.__module__.endswith(".activation") or word == "identity")


def _item(items: list[Any], optional: bool) -> Item:
    first = next(item for item in items if item is not None)
    if isinstance(first, Call):
        return _call(items, first)
    if isinstance(first, Join):
        branches = tuple(
            merged([item and item.branches[at] for item in items], optional=optional)
            for at in range(len(first.branches))
        )
        options = dict(first.options)
        if "when" in options:
            options["when"] = _vary([ABSENT if item is None else item.options["when"] for item in items])
        return first.replace(branches=branches, options=options, channels=_each(items, "channels"))
    if isinstance(first, Group):
        body = merged([item and item.items for item in items], optional=optional)
        label = _vary([ABSENT if item is None else item.label for item in items])
        return first.replace(items=body, label=label, channels=_each(items, "channels"), out=_each(items, "out"))
    if isinstance(first, Repeat):
        body = merged([item and item.items for item in items], optional=optional)
        return Repeat(_vary([ABSENT if item is None else item.count for item in items]), body)
    if isinstance(first, For):
        body = merged([item and item.items for item in items], optional=optional)
        return first.replace(values=tuple(_ranges(items, at) for at in range(len(first.values))), items=body)
    raise Different


def _ranges(items: list[Any], at: int) -> Any:
    first = next(item for item in items if item is not None).values[at]
    if not isinstance(first, Range):
        return first
    return first.replace(count=_vary([ABSENT if item is None else item.values[at].count for item in items]))


def _each(items: list[Any], name: str) -> Vary:
    return Vary(tuple(ABSENT if item is None else getattr(item, name) for item in items))


def _call(items: list[Any], first: Call) -> Call:
    channels = _each(items, "channels")
    words = {item.word for item in items if item is not None}
    if len(words) > 1:
        values = tuple(
            ABSENT if item is None else item.replace(label="", channels=0, hint="", key="") for item in items
        )
        return first.replace(word=Vary(values), args={}, channels=channels)
    names = list(dict.fromkeys(name for item in items if item is not None for name in item.args))
    names.sort(key=lambda name: _place(first.word, name))
    args = {name: _vary([ABSENT if item is None else _argument(item, name) for item in items]) for name in names}
    label = _vary([ABSENT if item is None else item.label for item in items])
    return first.replace(args=args, label=label, channels=channels)


def _place(word: str, name: str) -> int:
    layer = LAYERS.get(word)
    return list(layer.__fields__).index(name) if layer else 0


def _argument(item: Call, name: str) -> Any:
    if name in item.args:
        return item.args[name]
    layer = LAYERS.get(item.word)
    default = layer.__fields__[name] if layer else REQUIRED
    if isinstance(default, Like):
        return item.args[default.argument]
    if default is REQUIRED:
        raise Different
    return default


def _vary(values: list[Any]) -> Any:
    """The value itself where it is the same everywhere."""
    present = [value for value in values if value is not ABSENT] or [ABSENT]
    return present[0] if all(same(value, present[0]) for value in present) else Vary(tuple(values))


def same(one: Any, other: Any) -> bool:
    """Equal, and of one kind: true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


# ------------------------------------------------------------------------------------------------------ optional items


def _aligned(bodies: Sequence[Items | None]) -> Items:
    """Items in some bodies only stand under a condition."""
    whole: list[Key] = []
    for body in bodies:
        if body is not None:
            whole = _supersequence(whole, [_detailed(item) for item in body])
    columns: list[list[Item | None]] = [[None] * len(bodies) for _ in whole]
    for number, body in enumerate(bodies):
        at = 0
        for item in body or ():
            while whole[at] != _detailed(item):
                at += 1
            columns[at][number] = item
            at += 1
    return _conditional(_closed(columns), [body is not None for body in bodies])


def _detailed(item: Item) -> Key:
    """What items share that are surely one: also the arguments that are no widths."""
    if not isinstance(item, Call):
        return _key(item)
    values = {name: _class(value) for name, value in item.args.items() if name != "out"}
    return (*_key(item), *sorted(f"{name}={value}" for name, value in values.items()))


def _class(value: Any) -> str:
    return "many" if isinstance(value, int | float) and not isinstance(value, bool) and value > 7 else str(value)


def _closed(columns: list[list[Item | None]]) -> list[list[Item | None]]:
    """Neighbours that may be one, and are never in one body, become one."""
    found: list[list[Item | None]] = []
    for column in columns:
        before = found[-1] if found else None
        if before is not None and _one(before, column):
            found[-1] = [one or other for one, other in zip(before, column, strict=True)]
        else:
            found.append(column)
    return found


def _one(before: list[Item | None], column: list[Item | None]) -> bool:
    apart = all(one is None or other is None for one, other in zip(before, column, strict=True))
    keys = {_key(item) for item in (*before, *column) if item is not None}
    return apart and len(keys) == 1


def _conditional(columns: list[list[Item | None]], there: list[bool]) -> Items:
    kept = sum(all(item is not None for item, is_ in zip(column, there, strict=True) if is_) for column in columns)
    emptied = any(is_ and all(column[number] is None for column in columns) for number, is_ in enumerate(there))
    if kept * 2 < len(columns) and not emptied:
        raise Different
    found: list[Item] = []
    for column in columns:
        item = _item(list(column), True)
        presence = tuple((each is not None) if is_ else ABSENT for each, is_ in zip(column, there, strict=True))
        if all(value in (True, ABSENT) for value in presence):
            found.append(item)
        elif found and isinstance(found[-1], If) and found[-1].condition == Vary(presence):
            found[-1] = If(Vary(presence), (*found[-1].items, item))
        else:
            found.append(If(Vary(presence), (item,)))
    return tuple(found)


def _supersequence(one: list[Key], other: list[Key]) -> list[Key]:
    found: list[Key] = []
    for _, start, stop, first, last in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        part, rest = one[start:stop], other[first:last]
        found += part if part == rest else [*part, *rest]
    return found


def _with_residual(bodies: Sequence[Items | None]) -> list[Items | None] | None:
    """Where some bodies add their input and others do not: all of them with a residual, which may be off."""
    places = {_residual(body) for body in bodies if body is not None}
    lacking = [body for body in bodies if body is not None and _residual(body) is None]
    places -= {None}
    if len(places) != 1 or not lacking or _residual_options(bodies):
        return None
    before, after = places.pop() or (0, 0)
    return [body if body is None else _wrapped(body, before, after) for body in bodies]


def _residual(body: Items) -> tuple[int, int] | None:
    """How many items stand before and behind the only sum with the input."""
    found = [at for at, item in enumerate(body) if is_residual(item)]
    return (found[0], len(body) - found[0] - 1) if len(found) == 1 else None


def _residual_options(bodies: Sequence[Items | None]) -> bool:
    return any("when" in item.options for body in bodies for item in body or () if isinstance(item, Join))


def _wrapped(body: Items, before: int, after: int) -> Items:
    if _residual(body):
        at = before
        item = body[at]
        assert isinstance(item, Join)
        inner = item.branches[1] if item.branches[0] == () else item.branches[0]
        join = item.replace(branches=(inner, ()), options={"when": True})
        return (*body[:at], join, *body[at + 1 :])
    end = len(body) - after
    if end <= before:
        raise Different
    first = body[before]
    channels = getattr(first, "channels", 0)
    return (*body[:before], Join("add", (body[before:end], ()), {"when": False}, channels), *body[end:])
