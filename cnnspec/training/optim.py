"""Optimizers and schedules of a recipe, as PyTorch's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    SequentialLR,
    StepLR,
)

from cnnspec import recipe

OPTIMIZERS: dict[type[recipe.Optimizer], type[Optimizer]] = {
    recipe.Sgd: torch.optim.SGD,
    recipe.Adam: torch.optim.Adam,
    recipe.AdamW: torch.optim.AdamW,
}


def make_optimizer(settings: recipe.Optimizer, parameters: Iterable[torch.nn.Parameter]) -> Optimizer:
    """The arguments of an optimizer in the language are those of `torch.optim`."""
    arguments: dict[str, Any] = {name: getattr(settings, name) for name in settings.parameters()}
    return OPTIMIZERS[type(settings)](parameters, **arguments)


def make_schedule(settings: recipe.Schedule, optimizer: Optimizer, epochs: int, steps: int) -> LRScheduler:
    """To be stepped after each of the `epochs * steps` steps of a run, of which every epoch has `steps`."""
    total = epochs * steps
    if isinstance(settings, recipe.OneCycle):
        return _onecycle(settings, optimizer, total)
    rise = min(round(settings.warmup * total), total - 1)  # type: ignore[attr-defined]
    if not rise:
        return SCHEDULES[type(settings)](settings, optimizer, total, steps)
    warmup = LinearLR(optimizer, start_factor=1 / (rise + 1), total_iters=rise)
    return SequentialLR(
        optimizer, [warmup, SCHEDULES[type(settings)](settings, optimizer, total - rise, steps)], [rise]
    )


def _constant(settings: recipe.Constant, optimizer: Optimizer, total: int, steps: int) -> LRScheduler:
    return ConstantLR(optimizer, factor=1.0)


def _step(settings: recipe.StepDown, optimizer: Optimizer, total: int, steps: int) -> LRScheduler:
    return StepLR(optimizer, settings.every * steps, settings.gamma)


def _cosine(settings: recipe.Cosine, optimizer: Optimizer, total: int, steps: int) -> LRScheduler:
    return CosineAnnealingLR(optimizer, total)


def _onecycle(settings: recipe.OneCycle, optimizer: Optimizer, total: int) -> LRScheduler:
    # A rise of a single step makes OneCycleLR divide by zero; it is no rise.
    warmup = 0.0 if round(settings.warmup * total, 6) == 1 else float(settings.warmup)
    return OneCycleLR(optimizer, optimizer.defaults["lr"], total, pct_start=warmup, cycle_momentum=False)


SCHEDULES: dict[type[recipe.Schedule], Callable[[Any, Optimizer, int, int], LRScheduler]] = {
    recipe.Constant: _constant,
    recipe.StepDown: _step,
    recipe.Cosine: _cosine,
}
