"""Sets of sizes that repeat themselves behind some beginning, and boxes: a set for each open axis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import permutations

from cnnspec.sizes.steps import Steps, shared


class Sizes:
    """A set of whole numbers from 1 on. `marks` has 1 for those that belong to it."""

    __slots__ = ("marks",)

    def __init__(self, marks: Steps) -> None:
        self.marks = marks

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sizes) and bool(self.marks == other.marks)

    def __hash__(self) -> int:
        return hash(self.marks)

    def __contains__(self, size: int) -> bool:
        return bool(self.marks(size) == 1)

    def __bool__(self) -> bool:
        return any(self.marks.head) or any(self.marks.cycle)

    def __and__(self, other: Sizes) -> Sizes:
        if other is ALL or self is other:
            return self
        return other if self is ALL else Sizes(_combined(self.marks, other.marks, "and"))

    def __or__(self, other: Sizes) -> Sizes:
        return Sizes(_combined(self.marks, other.marks, "or"))

    def __sub__(self, other: Sizes) -> Sizes:
        return Sizes(_combined(self.marks, other.marks, "but not"))

    def __le__(self, other: Sizes) -> bool:
        """Whether all of it belongs to the other."""
        return not self - other

    @property
    def finite(self) -> bool:
        return not any(self.marks.cycle)

    @property
    def least(self) -> int:
        """The smallest; the set is not empty."""
        return next(iter(self))

    def __iter__(self) -> Iterator[int]:
        """From the smallest on, without end where the set has none."""
        head, cycle = self.marks.head, self.marks.cycle
        yield from (at for at, mark in enumerate(head, 1) if mark)
        start = len(head)
        while any(cycle):
            yield from (start + at for at, mark in enumerate(cycle, 1) if mark)
            start += len(cycle)

    def first(self, count: int) -> list[int]:
        return [size for size, _ in zip(self, range(count), strict=False)]


_TESTS: dict[str, Callable[[int, int], int]] = {
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "but not": lambda a, b: a & ~b,
}


@lru_cache(20_000)
def _combined(one: Steps, other: Steps, how: str) -> Steps:
    start, period = shared(one, other)
    test = _TESTS[how]
    values = [test(a, b) for a, b in zip(one.table(start, period), other.table(start, period), strict=True)]
    return Steps(values[:start], values[start:])


ALL = Sizes(Steps((), (1,)))
NONE = Sizes(Steps((), (0,)))


def of(sizes: Iterable[int]) -> Sizes:
    """A finite set."""
    there = set(sizes)
    return Sizes(Steps([int(size in there) for size in range(1, max(there, default=0) + 1)], (0,)))


def between(first: int, last: int | None = None) -> Sizes:
    """From `first` to `last`, or to all that are larger."""
    head = [0] * (first - 1) + ([1] * (last - first + 1) if last is not None else [])
    return Sizes(Steps(head, (0,) if last is not None else (1,)))


Box = Mapping[str, Sizes]
"""For each open axis, by its name, the sizes it may have: all their combinations."""


def within(box: Box, axis: str, sizes: Sizes) -> Box:
    """The part of a box whose axis has one of these sizes."""
    return {**box, axis: box[axis] & sizes}


def empty(box: Box) -> bool:
    return not all(box.values())


def joined(boxes: Iterable[Box]) -> list[Box]:
    """The same combinations in fewer boxes: those that differ along one axis alone become one."""
    left = [box for box in boxes if not empty(box)]
    before = 0
    while len(left) != before:
        before = len(left)
        for axis in left[0] if left else ():
            left = _joined_along(axis, left)
    return left


def _joined_along(axis: str, boxes: list[Box]) -> list[Box]:
    alike: dict[tuple[Sizes, ...], Box] = {}
    for box in boxes:
        key = tuple(sizes for other, sizes in box.items() if other != axis)
        known = alike.get(key)
        alike[key] = box if known is None else {**box, axis: known[axis] | box[axis]}
    return list(alike.values())


def minus(box: Box, other: Box) -> list[Box]:
    """What of a box is not in the other, in boxes that share nothing."""
    found: list[Box] = []
    rest = dict(box)
    for axis in box:
        outside = rest[axis] - other[axis]
        if outside:
            found.append({**rest, axis: outside})
        rest[axis] = rest[axis] & other[axis]
    return found


def without(boxes: Iterable[Box], others: Iterable[Box]) -> list[Box]:
    """What of some boxes is in none of the others."""
    left = list(boxes)
    for other in others:
        left = [part for box in left for part in minus(box, other)]
    return joined(left)


def turned(box: Box) -> Box:
    """The sizes of the axes the other way round."""
    return dict(zip(box, list(box.values())[::-1], strict=True))


def orders(box: Box) -> list[Box]:
    """The box with its sizes in every order of the axes, itself first."""
    return [dict(zip(box, sizes, strict=True)) for sizes in dict.fromkeys(permutations(box.values()))]


def contains(boxes: Iterable[Box], point: Mapping[str, int]) -> bool:
    return any(all(point[axis] in sizes for axis, sizes in box.items()) for box in boxes)
