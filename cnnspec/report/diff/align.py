"""Which part of one network is which part of another.

Chains are aligned in order, so that what goes together scores most (Needleman and Wunsch 1970), and what is inside
counts: two groups score what their chains do. A run of parts may also stand in a group or a branch of the other
network: layers that became a block, a chain with a shortcut around it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from cnnspec.network.model import CombineNode
from cnnspec.record import Record
from cnnspec.report.diff import likeness
from cnnspec.report.diff.parts import Branch, Part

TOO_MANY = 40_000
"""Pairs of parts of two chains; where there are more, what is equal is put together first."""

ENOUGH = 0.3
"""Two groups are one that was changed where they have this share of the smaller one in common."""

MOST_OF = 0.55
"""A run stands in a group where this share of the run does."""

MOST_RUNS = 200_000
"""Pairs of parts that are looked at to find runs inside groups: more are tried only where two networks have little in
common, and then there is nothing to find."""

MOVED_IN = 0.3
"""Points that a run must gain more by standing in a group than by standing where it is."""


class Kept(Record):
    """The same part in both. `inside` has the steps of each branch that either has."""

    before: Part
    after: Part
    inside: tuple[Steps, ...] = ()


class Gone(Record):
    part: Part


class Come(Record):
    part: Part


class Wrapped(Record):
    """A run of one network that stands inside `part` in the other, in its branch number `branch`. `came` tells that
    `part` belongs to the network after, and that `run` is of the one before."""

    part: Part
    branch: int
    came: bool
    run: Branch
    inside: Steps


Step = Kept | Gone | Come | Wrapped
Steps = tuple[Step, ...]


class Aligner:
    """Knows what it was asked before: equal questions are many."""

    def __init__(self) -> None:
        self.tables: dict[tuple[int, ...], _Table] = {}
        self.pairs: dict[tuple[int, int], float] = {}
        self.chains: dict[tuple[int, int], float] = {}
        self.left = MOST_RUNS

    def kept(self, a: Part, b: Part) -> Kept:
        """Two parts that are one, down to their layers."""
        return Kept(a, b, tuple(self.steps(x, y) for x, y in self.branches(a, b)))

    def points(self, a: Part, b: Part) -> float:
        """Of two parts that are taken for one; not above zero where they cannot be."""
        key = (id(a), id(b))
        if key not in self.pairs:
            self.pairs[key] = self._points(a, b)
        return self.pairs[key]

    def _points(self, a: Part, b: Part) -> float:
        if a.layer or b.layer:
            return likeness.layers(a, b) if a.layer and b.layer else 0.0
        if type(a.node) is not type(b.node):
            return 0.0
        smaller = min(a.weight, b.weight)
        equal = a.signature == b.signature
        inside = smaller if equal else sum(self.score(x, y) for x, y in self.branches(a, b))
        same_label = bool(a.label) and a.label == b.label
        return inside + likeness.heads(a, b) if inside >= ENOUGH * smaller or same_label else 0.0

    # ----------------------------------------------------------------------------------------------------- branches

    def branches(self, a: Part, b: Part) -> Sequence[tuple[Branch, Branch]]:
        """Which branch is which, in order; an empty one where there is none."""
        if len(a.branches) == len(b.branches) == 1 or not isinstance(a.node, CombineNode):
            return [*zip(a.branches, b.branches, strict=True)]
        return self._branches(a.branches, b.branches)

    def _branches(self, xs: tuple[Branch, ...], ys: tuple[Branch, ...]) -> Sequence[tuple[Branch, Branch]]:
        best: dict[tuple[int, int], tuple[float, list[tuple[Branch, Branch]]]] = {}
        for i in range(len(xs), -1, -1):
            for j in range(len(ys), -1, -1):
                ways: list[tuple[float, list[tuple[Branch, Branch]]]] = [] if i + j < len(xs) + len(ys) else [(0.0, [])]
                if i < len(xs) and j < len(ys):
                    points, rest = best[i + 1, j + 1]
                    ways.append((points + 0.1 + self.score(xs[i], ys[j]), [(xs[i], ys[j]), *rest]))
                if i < len(xs):
                    ways.append((best[i + 1, j][0], [(xs[i], ()), *best[i + 1, j][1]]))
                if j < len(ys):
                    ways.append((best[i, j + 1][0], [((), ys[j]), *best[i, j + 1][1]]))
                best[i, j] = max(ways, key=lambda way: way[0])
        return best[0, 0][1]

    # ------------------------------------------------------------------------------------------------------- chains

    def score(self, xs: Branch, ys: Branch) -> float:
        """The points of two chains."""
        if not xs or not ys:
            return 0.5 if len(xs) == len(ys) else 0.0
        key = (id(xs), id(ys))
        if key not in self.chains:
            anchors = _anchors(xs, ys)
            gaps = sum(self.table(*gap).score for gap in _gaps(xs, ys, anchors))
            self.chains[key] = gaps + sum(self.points(xs[at], ys[to]) for at, to in anchors)
        return self.chains[key]

    def steps(self, xs: Branch, ys: Branch) -> Steps:
        """What became of a chain, in the order both run."""
        anchors = _anchors(xs, ys)
        found: list[Step] = []
        for number, gap in enumerate(_gaps(xs, ys, anchors)):
            found += self.table(*gap).steps()
            if number < len(anchors):
                at, to = anchors[number]
                found.append(self.kept(xs[at], ys[to]))
        return tuple(found)

    def table(self, xs: Branch, start: int, end: int, ys: Branch, begin: int, stop: int) -> _Table:
        key = (id(xs), start, end, id(ys), begin, stop)
        if key not in self.tables:
            self.tables[key] = _Table(self, xs, start, end, ys, begin, stop)
        return self.tables[key]


Pairs = list[tuple[int, int]]


def _anchors(xs: Branch, ys: Branch) -> Pairs:
    """Places where no points need be counted: equal beginnings and ends, and groups of one label between."""
    start = _equal(xs, ys)
    end = _equal(xs[start:][::-1], ys[start:][::-1])
    stop, until = len(xs) - end, len(ys) - end
    places = {part.label: at for at, part in enumerate(ys[:until]) if at >= start and part.label and part.branches}
    named = [
        (at, places[part.label])
        for at, part in enumerate(xs[:stop])
        if at >= start and part.label in places and part.branches
    ]
    between = _rising(named)
    if not between and (stop - start) * (until - start) > TOO_MANY:
        between = _equal_runs(xs[start:stop], ys[start:until], start)
    return (
        [(at, at) for at in range(start)] + between + [*zip(range(stop, len(xs)), range(until, len(ys)), strict=True)]
    )


def _equal(xs: Branch, ys: Branch) -> int:
    """How many parts at the beginning are equal."""
    count = 0
    for a, b in zip(xs, ys, strict=False):
        if a.label != b.label or a.signature != b.signature or a.text != b.text:
            break
        count += 1
    return count


def _rising(pairs: Pairs) -> Pairs:
    """The most of them whose second numbers rise."""
    ends: list[int] = []
    chains: list[Pairs] = []
    for pair in pairs:
        at = bisect_left(ends, pair[1])
        chain = [*(chains[at - 1] if at else []), pair]
        ends[at:] = [pair[1], *ends[at + 1 :]]
        chains[at:] = [chain, *chains[at + 1 :]]
    return chains[-1] if chains else []


def _equal_runs(xs: Branch, ys: Branch, start: int) -> Pairs:
    one, other = ([(part.label, part.signature) for part in chain] for chain in (xs, ys))
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return [(start + block.a + at, start + block.b + at) for block in blocks for at in range(block.size)]


def _gaps(xs: Branch, ys: Branch, anchors: Pairs) -> Iterator[tuple[Branch, int, int, Branch, int, int]]:
    at = to = 0
    for stop, until in [*anchors, (len(xs), len(ys))]:
        yield xs, at, stop, ys, to, until
        at, to = stop + 1, until + 1


# ------------------------------------------------------------------------------------------------------------- table

Way = tuple[float, "tuple[int, int] | None", Part | None, int]
"""Points, the place it comes from (None at the beginning), and for a run in a group that group and its branch."""


class _Table:
    """The best way to put a stretch of one chain with a stretch of another, for all their beginnings."""

    def __init__(self, aligner: Aligner, xs: Branch, start: int, end: int, ys: Branch, begin: int, stop: int) -> None:
        self.aligner, self.xs, self.start, self.ys, self.begin = aligner, xs, start, ys, begin
        self.rows, self.columns = end - start, stop - begin
        self.best: list[list[Way]] = [[(0.0, None, None, 0)] * (self.columns + 1) for _ in range(self.rows + 1)]
        for i in range(self.rows + 1):
            for j in range(self.columns + 1):
                self._onward(i, j)

    @property
    def score(self) -> float:
        return self.best[self.rows][self.columns][0]

    def _onward(self, i: int, j: int) -> None:
        """From what is best for i and j parts to what lies beyond."""
        if i < self.rows:
            self._offer(i + 1, j, 0.0, (i, j))
        if j < self.columns:
            self._offer(i, j + 1, 0.0, (i, j))
        if i == self.rows or j == self.columns:
            return
        a, b = self.xs[self.start + i], self.ys[self.begin + j]
        points = self.aligner.points(a, b)
        if points > 0:
            self._offer(i + 1, j + 1, points, (i, j))
        if a.depth < b.depth:
            self._wrap(i, j, b)
        elif b.depth < a.depth:
            self._unwrap(i, j, a)

    def _offer(
        self, i: int, j: int, points: float, origin: tuple[int, int], part: Part | None = None, at: int = 0
    ) -> None:
        total = self.best[origin[0]][origin[1]][0] + points
        known = self.best[i][j]
        if known[1] is None or total > known[0] + 1e-9:
            self.best[i][j] = (total, origin, part, at)

    def _wrap(self, i: int, j: int, group: Part) -> None:
        """The run that begins at i, inside a group of the other chain."""
        for at, branch in enumerate(group.branches):
            if branch and self._may(branch, self.rows - i):
                inner = self.aligner.table(self.xs, self.start + i, self.start + self.rows, branch, 0, len(branch))
                gained = [inner.best[length][inner.columns][0] for length in range(inner.rows + 1)]
                for length in self._lengths(gained, self.xs, self.start + i):
                    self._offer(i + length, j + 1, gained[length] - MOVED_IN, (i, j), group, at)

    def _unwrap(self, i: int, j: int, group: Part) -> None:
        for at, branch in enumerate(group.branches):
            if branch and self._may(branch, self.columns - j):
                stop = self.begin + self.columns
                inner = self.aligner.table(branch, 0, len(branch), self.ys, self.begin + j, stop)
                gained = [inner.best[inner.rows][length][0] for length in range(inner.columns + 1)]
                for length in self._lengths(gained, self.ys, self.begin + j):
                    self._offer(i + 1, j + length, gained[length] - MOVED_IN, (i, j), group, at)

    def _may(self, branch: Branch, count: int) -> bool:
        self.aligner.left -= len(branch) * count
        return self.aligner.left > 0

    def _lengths(self, gained: list[float], chain: Branch, first: int) -> Iterator[int]:
        """Of runs whose last part still gains something, and most of which is there."""
        whole = 0.0
        for length in range(1, len(gained)):
            whole += chain[first + length - 1].weight
            if gained[length] > gained[length - 1] + 1e-9 and gained[length] >= MOST_OF * whole:
                yield length

    def steps(self, rows: int | None = None, columns: int | None = None) -> list[Step]:
        """The best way for so many parts of each."""
        i = self.rows if rows is None else rows
        j = self.columns if columns is None else columns
        found: list[Step] = []
        while i or j:
            _, origin, part, at = self.best[i][j]
            assert origin
            found.append(self._step(origin, (i, j), part, at))
            i, j = origin
        return found[::-1]

    def _step(self, origin: tuple[int, int], end: tuple[int, int], part: Part | None, at: int) -> Step:
        (i, j), (k, m) = origin, end
        if part and part is self.ys[self.begin + j]:
            run = self.xs[self.start + i : self.start + k]
            inner = self.aligner.table(
                self.xs, self.start + i, self.start + self.rows, part.branches[at], 0, len(part.branches[at])
            )
            return Wrapped(part, at, True, run, tuple(inner.steps(k - i)))
        if part:
            run = self.ys[self.begin + j : self.begin + m]
            inner = self.aligner.table(
                part.branches[at], 0, len(part.branches[at]), self.ys, self.begin + j, self.begin + self.columns
            )
            return Wrapped(part, at, False, run, tuple(inner.steps(None, m - j)))
        if m == j:
            return Gone(self.xs[self.start + i])
        if k == i:
            return Come(self.ys[self.begin + j])
        return self.aligner.kept(self.xs[self.start + i], self.ys[self.begin + j])
