"""The difference of two networks in sentences: deeper or not, larger or not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnspec.report.diff import Difference
from cnnspec.report.diff.causes import Cause, causes
from cnnspec.report.diff.changes import Change, Costs
from cnnspec.report.diff.parts import Part
from cnnspec.report.diff.rows import Row, chain_text, incoming, rows
from cnnspec.report.diff.totals import millions, square

NAMED = ("block", "renamed", "grouped", "ungrouped")
"""Kinds that compute nothing else, unless they cost something: a join does."""

MOST_CAUSES = 3
WORTH = 0.05
"""A cause is told where it does at least this part of what the greatest one does."""


def words(difference: Difference) -> list[str]:
    """One sentence each."""
    return list(_words(difference))


def _words(difference: Difference) -> Iterator[str]:
    if difference.equal:
        yield "Nothing differs."
    elif not difference.changes:
        yield "The layers are the same."
    elif all(change.kind in NAMED and change.costs == Costs() for change in difference.changes):
        yield "Both compute the same: only names and grouping differ."
    else:
        listed = rows(difference)
        told = _Told(difference, listed)
        yield told.size()
        yield from told.why()
        yield from _counted(listed)
        yield from told.work()
        yield from _seen(difference)
    yield from _names(difference)


class _Told:
    """The sentences about what a difference comes to, and by what."""

    def __init__(self, difference: Difference, listed: Sequence[Row]) -> None:
        self.difference = difference
        self.before, self.after = difference.before, difference.after
        self.causes = causes(listed)

    @property
    def large(self) -> int:
        return self.after.summary.parameters - self.before.summary.parameters

    def size(self) -> str:
        deep, large = self.after.depth - self.before.depth, self.large
        layers = f"{self.after.depth} layers with weights on the longest way{_instead(deep, self.before.depth)}"
        numbers = f"{self.after.summary.parameters:,} parameters{_instead(large, self.before.summary.parameters)}"
        link = "and yet" if deep * large < 0 else "and"
        how_deep, how_large = (
            _than(deep, "deeper", "less deep", "as deep"),
            _than(large, "larger", "smaller", "as large"),
        )
        return f"{_called(self.difference)} is {how_deep} ({layers}) {link} {how_large} ({numbers})."

    def why(self) -> Iterator[str]:
        """Where the parameters come from and go to, first those that go against the whole."""
        sign = 1 if self.large > 0 else -1
        against = [cause for cause in self.causes if cause.costs.parameters * sign < 0]
        along = [cause for cause in self.causes if cause.costs.parameters * sign > 0]
        most = max((abs(cause.costs.parameters) for cause in self.causes), default=0)
        for which, verb in ((against, "saves" if sign > 0 else "costs"), (along, "costs" if sign > 0 else "saves")):
            told = [cause for cause in _ranked(which) if abs(cause.costs.parameters) >= WORTH * most]
            if told:
                link = "But " if which is along and _ranked(against)[:1] and self.spoken else ""
                self.spoken = True
                listed = _listed(told, verb)
                yield f"{link + listed if link else _begun(listed)}.{self.because(told)}"

    spoken = False

    def because(self, told: Sequence[Cause]) -> str:
        """Why another number of features reaches a linear layer: the map that is flattened, and what made it so."""
        row = next((cause.row for cause in told if cause.row.kind == "receives"), None)
        if row is None or row.changes[0].first.word != "linear":
            return ""
        change = row.changes[0]
        after, before = incoming(change)
        flat = [_flattened(self.before.root, change.before[0]), _flattened(self.after.root, change.after[0])]
        if not flat[0] or not flat[1] or flat[0].input == flat[1].input:
            return ""
        reason = f"{flat[1].input} is flattened instead of {flat[0].input}"
        makers = [each for each in self.difference.changes if _makes(each)]
        if len(makers) == 1 and makers[0].kind == "added" and makers[0].after[0].input == flat[0].input:
            reason = f"the added {chain_text(makers[0].after)} makes {flat[1].input} of {flat[0].input}"
        return f" {after:,} features reach {change.first.path} instead of {before:,}, because {reason}."

    def work(self) -> Iterator[str]:
        before, after = self.before.summary.macs, self.after.summary.macs
        if before == after:
            yield "It computes as many MACs."
            return
        text = (
            f"It computes {'more' if after > before else 'less'}: {millions(after)} MACs instead of {millions(before)}"
        )
        most = max(self.causes, key=lambda cause: cause.costs.macs / (after - before))
        share = most.costs.macs / (after - before)
        yield f"{text}, most of that by {most.text}." if share > 0.5 and len(self.causes) > 1 else f"{text}."


def _begun(sentence: str) -> str:
    """With a capital, where it does not begin with a name."""
    return f"T{sentence[1:]}" if sentence.startswith("the ") else sentence


def _called(difference: Difference) -> str:
    names = difference.before.network.name, difference.after.network.name
    return names[1] if names[0] != names[1] else f"The new {names[1]}"


def _than(number: int, more: str, less: str, same: str) -> str:
    return more if number > 0 else less if number < 0 else same


def _instead(change: int, before: int) -> str:
    return f" instead of {before:,}" if change else ""


def _ranked(found: Sequence[Cause]) -> list[Cause]:
    return sorted(found, key=lambda cause: -abs(cause.costs.parameters))


def _listed(told: Sequence[Cause], verb: str) -> str:
    each = [f"{cause.text} {verb} {abs(cause.costs.parameters):,}" for cause in told[:MOST_CAUSES]]
    each[0] += " parameters"
    more = len(told) - MOST_CAUSES
    rest = sum(abs(cause.costs.parameters) for cause in told[MOST_CAUSES:])
    return "; ".join(each) + (
        f"; {more} more {f'changes {verb[:-1]}' if more > 1 else f'change {verb}'} {rest:,}" if more > 0 else ""
    )


def _flattened(root: Part, reader: Part) -> Part | None:
    """The last layer in front of another one that makes features of a map."""
    found = None
    for leaf in root.leaves:
        if leaf is reader:
            return found
        if leaf.layer and leaf.input.rank and not leaf.output.rank:
            found = leaf
    return None


def _makes(change: Change) -> bool:
    """Whether it gives the map another size."""
    first, last = change.parts[0], change.parts[-1]
    if change.kind in ("added", "removed", "moved"):
        return first.input.spatial != last.output.spatial
    if change.kind in ("changed", "replaced"):
        return change.before[0].output.spatial != change.after[0].output.spatial
    return False


def _counted(listed: Sequence[Row]) -> Iterator[str]:
    counts = [f"{row.where}: {row.what}" for row in listed if not row.changes]
    if counts:
        yield _begun(f"{', '.join(counts)}.")


def _seen(difference: Difference) -> Iterator[str]:
    fields = (side.last_field for side in (difference.before, difference.after))
    before, after = (square(field.size) if field else "all" for field in fields)
    if before != after:
        yield f"A value of the last map sees {after} of the input instead of {before}."


def _names(difference: Difference) -> Iterator[str]:
    count = len(difference.renamed)
    if count:
        before, after = next(iter(difference.renamed.items()))
        layers = (
            "1 layer with weights has another name" if count == 1 else f"{count} layers with weights have other names"
        )
        yield f"{layers} ({before} is now {after}): old weights must be renamed to be loaded."
