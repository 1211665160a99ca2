"""Where a loss that is no longer finite comes from: the steps since the last checkpoint are made once more, and the
layers are listened to in the one where it happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from cnnspec.data.parts import Data
from cnnspec.network.model import Network
from cnnspec.training import record
from cnnspec.training.checkpoint import newest, restore
from cnnspec.training.error import TrainError
from cnnspec.training.loop import fit
from cnnspec.training.plan import Plan, seeded_model
from cnnspec.training.state import State, begin

PATIENCE = 60.0
"""Seconds that it may take; where it would take longer, the step alone is told."""


def cause(plan: Plan, folder: Path, data: Data, state: State, step: int | None) -> str:
    """Which layer was the first to give numbers that are not finite in this step of the epoch under way, in words that
    go behind it; empty where that cannot be found out, or not soon."""
    if plan.team.size > 1 or step is None:
        return ""
    try:
        again = _last_saved(plan, folder, data)
        each = state.seconds / max(1, state.step)
        if again is None or again.epoch != state.epoch or again.step >= step or each * (step - again.step) > PATIENCE:
            return ""
        return _listened(plan, data, again, step)
    except (TrainError, RuntimeError):  # there may be no memory for a second network
        return ""


def _last_saved(plan: Plan, folder: Path, data: Data) -> State | None:
    """None where it began with weights that are no longer at hand."""
    found, _ = newest(folder, record.sum_of_config(folder))
    again = begin(seeded_model(plan.network, plan.recipe.seed, data.mean.device), data, plan.recipe)
    if found:
        restore(again, found)
    return again if found or not plan.config.start else None


def _listened(plan: Plan, data: Data, again: State, step: int) -> str:
    _make(step - 1 - again.step, plan, data, again)
    for name, weight in again.model.named_parameters():
        if not weight.isfinite().all():
            layer = called(name.rpartition(".")[0], plan.network)
            return f"; the step before had left weights of {layer} that are not finite"
    with _listening(again.model) as heard:
        _make(1, plan, data, again)
    if heard:
        return f"; the first layer whose output is not finite is {called(heard[0], plan.network)}"
    return "; every layer's output still is, and the loss of it overflows" if again.finite < again.step else ""


def _make(steps: int, plan: Plan, data: Data, again: State) -> None:
    going_on = iter([False] * steps)
    rest = fit(
        again,
        data,
        plan.recipe,
        plan.objective,
        plan.sides,
        precision=plan.config.precision,
        stopping=lambda: next(going_on, True),
        plainly=True,
        own=plan.own,
    )
    for _ in rest if steps else ():
        pass


@contextmanager
def _listening(model: nn.Module) -> Iterator[list[str]]:
    """Gives the names of the layers, in the order in which they gave numbers that are not finite."""
    heard: list[str] = []

    def listen(name: str) -> Callable[[nn.Module, object, object], None]:
        def hear(module: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and not torch.isfinite(output).all():
                heard.append(name)

        return hear

    leaves = [(name, module) for name, module in model.named_modules() if not any(module.children())]
    handles = [module.register_forward_hook(listen(name)) for name, module in leaves]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def called(path: str, network: Network) -> str:
    """A layer as its reader knows it: what it is, and where it stands."""
    for placed in network.layers:
        if placed.path == path:
            return f"{placed.layer.word} in line {placed.span.line} ({path})"
    return path or network.name
