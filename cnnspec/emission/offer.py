"""Which parameters of a model become arguments of the emitted constructor.

An argument is offered only where changing it gives a right network. That is tried: the spec is read again with other
values, and every place that changes must be one that an expression in the argument covers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnnspec.diagnostics import SpecError
from cnnspec.emission.express import Values, words
from cnnspec.emission.items import children
from cnnspec.emission.names import Unexplained, free
from cnnspec.emission.plan import Planner
from cnnspec.emission.written import arguments
from cnnspec.network import UsageFault, load
from cnnspec.network.model import GroupNode, Network
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.words import show


def plan(name: str, network: Network) -> Planner:
    """The classes of the source, with as many of the model's parameters as arguments as can be offered."""
    roots: tuple[GroupNode, ...] = (network.root,)
    offered: dict[str, Values] = {}
    known: dict[str, str] = {}
    chosen = Planner(name, roots, network.arguments, offered, known)
    bare = without_claims(network.source) if network.arguments else network.source
    preset = preset_of(network)
    given = preset.value if preset and isinstance(preset.value, tree.Call) else None
    settled = set(arguments(given, list(network.arguments))) if given else set()
    for parameter, value in network.arguments.items():
        if parameter in settled:
            continue
        others = variants(network, bare, parameter, value)
        if not others:
            continue
        argument = free(parameter, {*offered, *(each.name for each in chosen.classes)})
        more = (*roots, *others.values())
        scope = {known: (*values, *values[:1] * len(others)) for known, values in offered.items()}
        scope[argument] = (*[value] * len(roots), *others)
        try:
            trial = Planner(name, more, network.arguments, scope, known | {parameter: argument})
        except Unexplained:
            continue
        if suits(argument, trial, chosen) and (preset is None or not intrudes(argument, trial, chosen)):
            roots, offered, known, chosen = more, scope, known | {parameter: argument}, trial
    return chosen


def preset_of(network: Network) -> tree.Preset | None:
    """The line of the spec that gives the network its name and its arguments, where there is one."""
    items = parse(network.source).file.items
    return next((i for i in items if isinstance(i, tree.Preset) and i.name.text == network.name), None)


def suits(argument: str, trial: Planner, chosen: Planner) -> bool:
    """Whether an argument does something, and the model returns the same kind of thing for all its values."""
    rounded = any("round_to(" in text and argument in words(text) for text in texts_of(trial))
    return argument in trial.model.frame.used and trial.model.sides == chosen.model.sides and not rounded


def texts_of(planner: Planner) -> Iterator[str]:
    """All arguments of the calls in the model itself."""
    every = children(planner.model.items)
    while every:
        child = every.pop()
        every += children(child.items or ())
        yield from child.arguments


def intrudes(argument: str, trial: Planner, chosen: Planner) -> bool:
    """Whether an argument would make more of one published network than what a person would write for it: blocks that
    take more arguments, or choices."""
    before = [len(each.arguments) for each in chosen.classes if each.block]
    if [len(each.arguments) for each in trial.classes if each.block] != before:
        return True
    return any(" if " in text and argument in words(text) for text in texts_of(trial))


def variants(network: Network, bare: Source, parameter: str, value: Any) -> dict[Any, GroupNode]:
    """The model with other values of one parameter; none where one of them gives no network.

    Values around which the spec decides something are tried too, so that no choice is taken for settled; of these one
    may be impossible."""
    found: dict[Any, GroupNode] = {}
    given = {name: show(value) for name, value in network.arguments.items()}
    larger = other_values(value)
    for other in dict.fromkeys((*larger, *turning_points(bare, value))):
        try:
            varied = load(bare, model=network.name, set=given | {parameter: show(other)}, input=str(network.input))
        except (SpecError, UsageFault):
            if other in larger:
                return {}
            continue
        found[other] = varied.root
    return found


def other_values(value: Any) -> tuple[Any, ...]:
    """Values that must be possible if the parameter is to be an argument."""
    match value:
        case bool():
            return (not value,)
        case int():
            return (value + 1, 2 * value + 1)
        case float():
            return (value / 2, value / 4) if value else (0.5, 0.25)
    return ()


COMPARISONS = frozenset({"<", ">", "<=", ">=", "==", "!="})


def turning_points(source: Source, value: Any) -> tuple[int, ...]:
    """Whole numbers beside those that the spec compares something with, at most ten of them."""
    if not isinstance(value, int) or isinstance(value, bool):
        return ()
    compared = {
        side.value
        for node in tree.walk(parse(source).file.items)
        if isinstance(node, tree.Binary) and node.operator in COMPARISONS
        for side in (node.left, node.right)
        if isinstance(side, tree.Number) and isinstance(side.value, int)
    }
    beside = {number + step for number in compared for step in (-1, 0, 1)} - {value}
    return tuple(sorted(number for number in beside if number > 0)[:10])


def without_claims(source: Source) -> Source:
    """The spec without what it claims about itself and without training: these hold for one value only."""
    text = source.text
    for span in sorted(_claims(parse(source).file), key=lambda span: span.start, reverse=True):
        text = text[: span.start] + text[span.end :]
    return Source(source.name, text)


def _claims(file: tree.File) -> Iterator[Span]:
    for node in tree.walk(file.items):
        if isinstance(node, tree.Assert | tree.Train):
            yield node.span
        elif isinstance(node, tree.Chain) and node.prediction is not None:
            yield Span(node.span.source, node.steps[-1].span.end, node.prediction.span.end)
        elif isinstance(node, tree.Argument) and node.incoming is not None:
            yield Span(node.span.source, node.incoming.span.start, node.value.span.start)
