"""What became of a network, change by change. The costs of all changes add up to the difference of the totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Literal

from cnnspec.layers.base import Layer
from cnnspec.network.model import CombineNode, LayerNode
from cnnspec.record import Record
from cnnspec.report.diff.align import Come, Gone, Kept, Step, Steps, Wrapped
from cnnspec.report.diff.parts import Branch, Part, arguments_of
from cnnspec.report.summary import LayerSummary
from cnnspec.report.written import show_value

Kind = Literal[
    "added", "removed", "moved", "changed", "replaced", "receives", "block", "grouped", "ungrouped", "renamed"
]


class Costs(Record):
    """Parameters, MACs, and bytes of activations in float32, for one sample."""

    parameters: int = 0
    macs: int = 0
    activation: int = 0

    def __add__(self, other: Costs) -> Costs:
        return Costs(self.parameters + other.parameters, self.macs + other.macs, self.activation + other.activation)

    def __neg__(self) -> Costs:
        return Costs(-self.parameters, -self.macs, -self.activation)

    def __sub__(self, other: Costs) -> Costs:
        return self + -other


class Setting(Record):
    """An argument that was changed, as values are written."""

    name: str
    before: str
    after: str


class Change(Record):
    """One thing that happened.

    `before` and `after` are the parts it happened to; several run one after another, and all are equal to what they
    are taken for in the other network only where the kind is `moved`, `grouped` or `ungrouped`. `behind` is what runs
    before them in the same chain, in the network after (before, for `removed`); None at its beginning.

    - `changed`: arguments; `replaced`: another layer or join, in its place.
    - `receives`: the same layer, to which something else arrives; that costs more or less.
    - `block`: a block that is called otherwise, or with other arguments; what that changes inside stands by itself.
    - `grouped`: layers that stand in a group or in a branch now; `ungrouped`: that do no more.
    - `renamed`: another label.
    """

    kind: Kind
    before: Branch
    after: Branch
    settings: tuple[Setting, ...] = ()
    behind: Part | None = None
    costs: Costs = Costs()
    home: str = ""
    """The module it stands in."""

    @property
    def parts(self) -> Branch:
        """Of the network after, where there are some."""
        return self.after or self.before

    @property
    def first(self) -> Part:
        return self.parts[0]


def changes_of(root: Kept) -> tuple[Change, ...]:
    """In the order of the networks."""
    return tuple(_paired([*_kept(root, None, "")]))


def whole(part: Part) -> Costs:
    return Costs(part.parameters, part.macs, part.activation)


def own(part: Part) -> Costs:
    """Without what is inside."""
    measured = part.measured
    if measured is None:
        return Costs()
    held = 0 if measured.placed.side else measured.activation
    if isinstance(measured, LayerSummary):
        return Costs(part.node.parameters, measured.macs, held)
    return Costs(0, 0, held)


def together(costs: Iterable[Costs]) -> Costs:
    return sum(costs, Costs())


# ------------------------------------------------------------------------------------------------------------- kept


def _kept(step: Kept, behind: Part | None, home: str) -> Iterator[Change]:
    before, after = step.before, step.after
    kind, settings = _verdict(before, after)
    costs = own(after) - own(before)
    if kind:
        yield Change(kind, (before,), (after,), settings, behind, costs, home)
    elif costs != Costs():
        yield Change("receives", (before,), (after,), (), behind, costs, home)
    if before.label != after.label and before.path:
        yield Change("renamed", (before,), (after,), (), behind, Costs(), home)
    for steps in step.inside:
        yield from _chain(steps, after.path)


def _verdict(before: Part, after: Part) -> tuple[Kind | None, tuple[Setting, ...]]:
    if before.layer and after.layer:
        if before.word != after.word:
            return "replaced", ()
        settings = tuple(_differing(_fields(before.layer), _fields(after.layer)))
        return ("changed" if settings else None), settings
    if isinstance(before.node, CombineNode):
        settings = tuple(_differing(_options(before), _options(after)))
        kind: Kind = "replaced" if before.word != after.word else "changed"
        return (kind if settings or before.word != after.word else None), settings
    return _block(before, after)


def _fields(layer: Layer) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in layer.__fields__}


def _options(join: Part) -> dict[str, Any]:
    assert isinstance(join.node, CombineNode)
    options = {name: value for name, value in join.node.options.items() if name != "when"}
    return {**options, "branches": len(join.branches)}


def _block(before: Part, after: Part) -> tuple[Kind | None, tuple[Setting, ...]]:
    one, other = before.block, after.block
    if not one or not other or one.name != other.name:
        return ("block" if one or other else None), ()
    mine, its = arguments_of(one), arguments_of(other)
    names = [name for name in {**mine, **its} if mine.get(name) != its.get(name)]
    settings = tuple(Setting(name, _shown(one.arguments, name), _shown(other.arguments, name)) for name in names)
    return ("block" if settings else None), settings


def _differing(one: dict[str, Any], other: dict[str, Any]) -> Iterator[Setting]:
    for name in {**one, **other}:
        if one.get(name) != other.get(name):
            yield Setting(name, _shown(one, name), _shown(other, name))


def _shown(arguments: dict[str, Any], name: str) -> str:
    return show_value(arguments[name]) if name in arguments else "-"


# ------------------------------------------------------------------------------------------------------------ chains


def _chain(steps: Steps, home: str) -> Iterator[Change]:
    before: Part | None = None
    after: Part | None = None
    for kind, run in groupby(_ordered(_settled(steps)), key=type):
        if kind is Come:
            parts = tuple(step.part for step in run if isinstance(step, Come))
            yield Change("added", (), parts, (), after, together(map(whole, parts)), home)
            after = parts[-1]
        elif kind is Gone:
            parts = tuple(step.part for step in run if isinstance(step, Gone))
            yield Change("removed", parts, (), (), before, -together(map(whole, parts)), home)
            before = parts[-1]
        else:
            for step in run:
                yield from _step(step, before, after, home)
                before, after = _ends(step)


def _step(step: Step, before: Part | None, after: Part | None, home: str) -> Iterator[Change]:
    """One that is in both networks; `before` and `after` run in front of it."""
    if isinstance(step, Kept):
        yield from _kept(step, after, home)
    elif isinstance(step, Wrapped):
        yield from _wrapped(step, after if step.came else before, home)


def _ends(step: Step) -> tuple[Part, Part]:
    """What runs in front of the next step."""
    if isinstance(step, Kept):
        return step.before, step.after
    assert isinstance(step, Wrapped)
    return (step.run[-1], step.part) if step.came else (step.part, step.run[-1])


def _wrapped(step: Wrapped, behind: Part | None, home: str) -> Iterator[Change]:
    part = step.part
    if step.came:
        yield Change("grouped", step.run, (part,), (), behind, own(part), home)
    else:
        yield Change("ungrouped", (part,), step.run, (), behind, -own(part), home)
    inside = part.path if step.came else home
    for number, branch in enumerate(part.branches):
        if number == step.branch:
            yield from _chain(step.inside, inside)
        elif branch:
            yield from _chain(tuple(map(Come if step.came else Gone, branch)), inside)


def _ordered(steps: Iterable[Step]) -> Iterator[Step]:
    """What is gone before what has come in its place."""
    for bare, run in groupby(steps, key=lambda step: isinstance(step, Gone | Come)):
        found = list(run)
        yield from sorted(found, key=lambda step: isinstance(step, Come)) if bare else found


def _settled(steps: Steps) -> Steps:
    """Runs moved to where a person begins them: what came between two equal layers may be told with the one before or
    with the one behind, and a convolution comes before the relu that belongs to it."""
    found = list(steps)
    for at in range(len(found)):
        for kind in (Come, Gone):
            _slide(found, at, kind)
    return tuple(found)


def _slide(steps: list[Step], at: int, kind: type[Come | Gone]) -> None:
    """One run that begins here, as far onward as it may go and begins heavier."""
    end = at
    while end < len(steps) and isinstance(steps[end], kind):
        end += 1
    if end == at or (at and isinstance(steps[at - 1], kind)):
        return
    run = [step.part for step in steps[at:end]]  # type: ignore[union-attr]
    heaviest = max(part.weight for part in run if part.layer) if any(part.layer for part in run) else 0.0
    moves = 0
    while (
        moves < len(run) - 1
        and run[moves].layer
        and run[moves].weight < heaviest
        and _onward(steps, run, end, moves, kind)
    ):
        moves += 1
    if moves == len(run) or not run[moves].layer or run[moves].weight < heaviest:
        return
    for move in range(moves):
        steps[at + move : end + move + 1] = _turned(steps[at + move : end + move + 1], kind)


def _onward(steps: list[Step], run: list[Part], end: int, moves: int, kind: type[Come | Gone]) -> bool:
    if end + moves >= len(steps):
        return False
    step = steps[end + moves]
    if not isinstance(step, Kept):
        return False
    mine = step.after if kind is Come else step.before
    return not mine.label and not run[moves].label and mine.signature == run[moves].signature


def _turned(steps: list[Step], kind: type[Come | Gone]) -> list[Step]:
    """A run and the kept part behind it: the first of the run is kept now, and the other one belongs to the run."""
    first, *rest, kept = steps
    assert isinstance(first, Come | Gone)
    assert isinstance(kept, Kept)
    came = kind is Come
    pair = Kept(kept.before, first.part) if came else Kept(first.part, kept.after)
    return [pair, *rest, kind(kept.after if came else kept.before)]


# ------------------------------------------------------------------------------------------------------------- moved


def _paired(found: list[Change]) -> list[Change]:
    """What is gone at one place and has come at another was moved."""
    gone = [change for change in found if change.kind == "removed"]
    for change in [each for each in found if each.kind == "added"]:
        same = next((other for other in gone if _same(other, change)), None)
        if same:
            gone.remove(same)
            moved = change.replace(kind="moved", before=same.before, costs=change.costs + same.costs)
            found = [moved if each is change else each for each in found if each is not same]
    return found


def _same(gone: Change, come: Change) -> bool:
    """Within one module, or with the same label elsewhere."""
    one, other = gone.before, come.after
    equal = [(part.label, part.signature) for part in one] == [(part.label, part.signature) for part in other]
    return equal and (gone.home == come.home or bool(one[0].label))


def renamed_in(root: Kept) -> dict[str, str]:
    """Layers with weights that are in both networks under different names: the names after, by those before."""
    pairs = [*_pairs(root)]
    return {
        a.path: b.path for a, b in pairs if a.path != b.path and isinstance(a.node, LayerNode) and a.node.parameters
    }


def _pairs(step: Step) -> Iterator[tuple[Part, Part]]:
    if isinstance(step, Kept):
        if step.before.layer:
            yield step.before, step.after
        for steps in step.inside:
            for each in _settled(steps):
                yield from _pairs(each)
    elif isinstance(step, Wrapped):
        for each in _settled(step.inside):
            yield from _pairs(each)
