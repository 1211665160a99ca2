"""Goes through code once for every case that open sizes make a difference to.

Each run follows one way through all comparisons. Where a comparison has several outcomes for the sizes that are left,
the run takes the first of them, and another run is put down for every other one, with the same beginning. The sizes of
a run are what is left of its box in the end; the boxes of all runs share nothing and leave nothing out, because each
split is into parts of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from cnnspec.sizes.sets import ALL, Box, Sizes
from cnnspec.sizes.steps import Undecided

Outcome = TypeVar("Outcome")
Answer = TypeVar("Answer")

MOST = 400
"""More cases are not told apart."""


class Case:
    """One run: the sizes it speaks of, and the choices it has to make first."""

    def __init__(self, axes: Sequence[str], sizes: Sizes = ALL, choices: tuple[int, ...] = ()) -> None:
        self.box: Box = dict.fromkeys(axes, sizes)
        self.choices = choices
        self.made: list[int] = []
        self.others: list[tuple[int, ...]] = []

    def choose(self, parts: Sequence[tuple[Box, Answer]]) -> Answer:
        """The answer for the sizes of this run. `parts` are boxes that make up the run's box, with the answer for each;
        none is empty."""
        at = 0
        if len(parts) > 1:
            if len(self.made) < len(self.choices):
                at = self.choices[len(self.made)]
            else:
                self.others += [(*self.made, other) for other in range(len(parts) - 1, 0, -1)]
            self.made.append(at)
        self.box, answer = parts[at]
        return answer


class Found(Generic[Outcome]):
    """What came of one case."""

    __slots__ = ("box", "outcome")

    def __init__(self, box: Box, outcome: Outcome) -> None:
        self.box, self.outcome = box, outcome


def cases(axes: Sequence[str], run: Callable[[Case], Outcome], sizes: Sizes = ALL) -> Iterator[Found[Outcome]]:
    """Every case that some sizes have, with what `run` makes of it. Raises `Undecided` where there are too many."""
    ahead: list[tuple[int, ...]] = [()]
    for _ in range(MOST):
        case = Case(axes, sizes, ahead.pop())
        outcome = run(case)
        ahead += case.others
        yield Found(case.box, outcome)
        if not ahead:
            return
    raise Undecided(f"more than {MOST:,} cases have to be told apart")
