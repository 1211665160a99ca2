"""Regular runs become loops: `repeat` where they are equal, `for` where they differ in values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cnnspec.layers import LAYERS
from cnnspec.porting.items import Call, For, Group, Item, Items, Repeat, rebuilt
from cnnspec.porting.merge import Different, merged
from cnnspec.porting.parameters import Facts, Solver
from cnnspec.porting.runs import as_they_are, counted, first_apart, unwrapped
from cnnspec.porting.write import body

LONGEST = 8
"""How many items one pass of a loop may have before it is found."""

MOST = 5
"""How many values may change from pass to pass."""


def rolled(items: Items, taken: Iterable[str]) -> Items:
    """The same items with loops. `taken` are names that mean something here."""
    found: list[Item] = []
    names = set(taken)
    while items:
        best = max(_loops(items, names), key=lambda loop: loop[0], default=None)
        if best is None or best[0] <= 0:
            found.append(rebuilt(items[0], lambda inner: rolled(inner, names)))
            items = items[1:]
        else:
            found.append(best[2])
            items = items[best[1] :]
    return tuple(found)


def _loops(items: Items, taken: set[str]) -> Iterator[tuple[int, int, Item]]:
    """Loops that these items may begin with: lines saved, items taken in, and the loop."""
    for period in range(1, min(LONGEST, len(items) // 2) + 1):
        if _joined(items, period):
            continue
        for form in FORMS:
            passes = 1
            loop: Item | None = None
            while (passes + 1) * period <= len(items):
                bodies = [items[at * period : (at + 1) * period] for at in range(passes + 1)]
                longer = _loop([form(each) for each in bodies], taken)
                if longer is None:
                    break
                loop, passes = longer, passes + 1
            if loop is not None and (passes > 2 or isinstance(loop, Repeat)):
                saved = _lines(items[: passes * period]) - _lines((loop,))
                if saved >= _worth(loop, period):
                    yield saved * 10 - period, passes * period, loop


def _worth(loop: Item, period: int) -> int:
    """How many lines a loop must save: more where more has to be thought along."""
    if not isinstance(loop, For):
        return 1
    calls = all(isinstance(item, Call) and item.word not in LAYERS for item in loop.items)
    if calls and len(loop.targets) > 1 and "i" not in loop.targets:
        return LONGEST * MOST  # a table is read more easily row by row
    return len(loop.targets) + (1 if period == 1 else 2)


def _joined(items: Items, period: int) -> bool:
    """Whether a pass would begin with what belongs to the layer before."""
    return isinstance(items[0], Call) and not items[0].weighted and period > 1


def _lines(items: Items) -> int:
    plain = tuple(rebuilt(item, lambda inner: rolled(inner, ())) if isinstance(item, Group) else item for item in items)
    return sum(1 + len(line) // 110 for text in body(plain) for line in text.split("\n"))


def _loop(bodies: list[Items], taken: set[str]) -> Item | None:
    """A loop whose passes are these bodies."""
    try:
        template = merged(bodies, optional=False)
    except Different:
        return None
    passes = len(bodies)
    solver = Solver(Facts((), (), [{}]), taken)
    inner = solver.body(template, None)
    names = set(taken) | set(solver.params)
    inner = tuple(rebuilt(item, lambda each: rolled(each, names)) for item in unwrapped(inner))
    if not solver.params:
        return Repeat(passes, inner)
    if len(solver.params) > MOST:
        return None
    order = sorted(solver.params, key=lambda name: name not in ("i", "j", "k"))
    return For(tuple(order), tuple(solver.params[name] for name in order), inner)


FORMS = (as_they_are, counted, first_apart)
