"""What a recipe says and the training never gets to: loaded where there may be some."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cnnspec.analysis.learning import frozen, is_frozen
from cnnspec.network import Network, UsageFault
from cnnspec.network.grouping import sorts_of
from cnnspec.network.settings import alternatives
from cnnspec.recipe import Group, MultiStep, Plateau, Recipe, StepDown
from cnnspec.recipe.names import Sort
from cnnspec.record import Record
from cnnspec.source import Span
from cnnspec.words import counted, together


class Idle(Record):
    """`at` is the part of the setting that is never heard; `help` says what would change that, or that `without` is the
    setting without it."""

    setting: str
    message: str
    at: str
    help: str
    without: str = ""


def within(span: Span, text: str) -> Span:
    """Where a part of a setting stands; all of it where it is not written out."""
    found = text and re.search(rf'(?<![\w.])"?{re.escape(text)}"?(?![\w.])', span.text)
    return Span(span.source, span.start + found.start(), span.start + found.end()) if found else span


def idle(network: Network) -> Iterator[Idle]:
    """Settings that the training of a network never gets to."""
    if recipe := network.recipe:
        yield from _late(recipe, network.places.get("schedule"))
        yield from _frozen(network, recipe)


# --------------------------------------------------------------------------------------------------------- schedules


def _late(recipe: Recipe, span: Span | None) -> Iterator[Idle]:
    schedule, run = recipe.schedule, f"the run has {counted(recipe.epochs, 'epoch')}"
    if isinstance(schedule, Plateau) and recipe.epochs < (first := schedule.patience + 3):  # behind a best one
        message = f"plateau lowers the learning rate for epoch {first} at the earliest, and {run}"
        yield Idle("schedule", message, "plateau", "a smaller patience, or more epochs")
    rest = round(recipe.epochs * (1 - getattr(schedule, "warmup", 0.0)), 6)
    if rest < recipe.epochs:
        run += f", {rest:g} of them after the warmup"
    if isinstance(schedule, StepDown) and schedule.every >= rest:
        message = f"step first lowers the learning rate after {counted(schedule.every, 'epoch')}, and {run}"
        yield Idle("schedule", message, "step", "a smaller every, or more epochs")
    if isinstance(schedule, MultiStep):
        named = schedule.milestones if isinstance(schedule.milestones, tuple) else (schedule.milestones,)
        late, kept = [each for each in named if each >= rest], [each for each in named if each < rest]
        if late:
            message = f"multistep lowers the learning rate after {together(late)} epochs, and {run}"
            without = _written_out(span, named, kept)
            leave_out = f"leave out {together(late)}, or train for more epochs"
            yield Idle("schedule", message, str(late[0]), leave_out if kept else "more epochs", without)


def _written_out(span: Span | None, named: tuple[int, ...], kept: list[int]) -> str:
    """The call of a schedule with those milestones that are kept; empty where they do not stand there as a list."""
    written = f"[{', '.join(map(str, named))}]"
    return span.text.replace(written, str(kept)) if kept and span and written in span.text else ""


# ------------------------------------------------------------------------------------------------------ frozen parts


def _frozen(network: Network, recipe: Recipe) -> Iterator[Idle]:
    parts = frozen(recipe, recipe.epochs)
    if parts and recipe.unfreeze_after is not None:
        message = f"{together(parts)} would learn after the last epoch, {recipe.epochs}"
        after = recipe.unfreeze_after
        at, other = (str(max(after)), "") if isinstance(after, tuple) else ("", ", or leave it out")
        yield Idle("unfreeze_after", message, at, f"a smaller number{other}")
        return
    sorts = sorts_of(network.root.items)
    for number, group in enumerate(recipe.groups if parts else ()):
        for name in (name for name in group.names if _rests(group, name, sorts, parts)):
            alone = len(group.names) == 1
            without = _without(network.places.get("groups"), number, len(recipe.groups)) if alone else ""
            help = f"leave {'the group' if alone else name} out"
            if recipe.epochs > 1:
                help += f", or let {name} learn in the end: unfreeze_after: {min(5, recipe.epochs // 2)}"
            yield Idle("groups", f"a group names {name}, which stays frozen to the end", name, help, without)


def _rests(group: Group, name: str, sorts: Mapping[str, Sort], parts: tuple[str, ...]) -> bool:
    """Whether all that a group holds, in the part named, is frozen."""
    one = group.replace(names=(name,))
    return all(is_frozen(parameter, parts) for parameter, sort in sorts.items() if one.holds(parameter, sort))


def _without(span: Span | None, number: int, groups: int) -> str:
    """The groups but for one; empty where they do not stand there as a list, on one line."""
    try:
        written = alternatives("groups", span.text) if span and "\n" not in span.text else []
    except UsageFault:
        return ""
    kept = written[:number] + written[number + 1 :]
    return f"[{', '.join(kept)}]" if kept and len(written) == groups else ""
