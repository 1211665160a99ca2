"""What a run says of its start: which weights it took from where, which it drew, and what is frozen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnnspec.network.model import Network
from cnnspec.recipe import Recipe
from cnnspec.recipe.names import covers
from cnnspec.training.config import Start
from cnnspec.words import counted

if TYPE_CHECKING:
    from cnnspec.training.plan import Plan

MARGIN, MOST = " " * 10, 4


def about_start(plan: Plan) -> Iterator[str]:
    if plan.config.start:
        yield from _about_weights(plan.network, plan.config.start)
    if plan.recipe.freeze:
        yield from _about_frozen(plan.network, plan.recipe)


def _about_weights(network: Network, start: Start) -> Iterator[str]:
    yield f"weights   {start.origin}; SHA-256 {start.sha256[:12]}..."
    taken = f"{counted(len(start.layers), 'layer')} taken over"
    yield f"{MARGIN}{taken}, {start.parameters:,} of {network.parameters:,} parameters"
    if 2 * start.parameters < network.parameters:
        yield f"{MARGIN}that is less than half of the network: is it the network that these weights are of?"
    for path, reason in list(start.fresh.items())[:MOST]:
        yield f"{MARGIN}{path} begins anew: {reason}"
    if len(start.fresh) > MOST:
        yield f"{MARGIN}so do {counted(len(start.fresh) - MOST, 'other layer')}; config.json lists them"
    if start.unused:
        more = ", ..." if len(start.unused) > MOST else ""
        names = f"{', '.join(start.unused[:MOST])}{more}"
        yield f"{MARGIN}{counted(len(start.unused), 'tensor')} there without a place here: {names}"
    for note in start.notes:
        yield f"{MARGIN}{note}"


def _about_frozen(network: Network, recipe: Recipe) -> Iterator[str]:
    ends = recipe.unfreeze_after
    each = ends if isinstance(ends, tuple) else (ends,) * len(recipe.freeze)
    lead = "frozen    "
    for part, end in zip(recipe.freeze, each, strict=True):
        yield f"{lead}{part}, {_count(network, (part,)):,} parameters, {_until(end, recipe.epochs)}"
        lead = MARGIN
    learning = network.parameters - _count(network, recipe.freeze)
    yield f"{MARGIN}{learning:,} of {network.parameters:,} parameters learn from the beginning"


def _count(network: Network, parts: tuple[str, ...]) -> int:
    inside = (placed for placed in network.layers if any(covers(part, placed.path) for part in parts))
    return sum(placed.node.parameters for placed in inside)


def _until(end: int | None, epochs: int) -> str:
    if end is None or end >= epochs:
        return "to the end"
    return f"until epoch {end} is over"
