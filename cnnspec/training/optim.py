"""Optimizers and schedules of a recipe, as PyTorch's own."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

from cnnspec import recipe
from cnnspec.network.grouping import rates_of
from cnnspec.recipe.names import Sort
from cnnspec.training.muon import Muon

OPTIMIZERS: dict[type[recipe.Optimizer], type[Optimizer]] = {
    recipe.Sgd: SGD,
    recipe.Adam: Adam,
    recipe.AdamW: AdamW,
}

NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
"""Modules whose `weight` and `bias` are those of a norm layer."""

Named = dict[str, nn.Parameter]
Grouped = list[dict[str, Any]]


# -------------------------------------------------------------------------------------------------------- optimizer


def make_optimizer(asked: recipe.Recipe, model: nn.Module) -> Optimizer:
    """Of all parameters of a model, in the groups of the recipe. Where a group has the rate 0 its parameters are left
    out, and get no gradient."""
    settings, sort, every = asked.optimizer, sorts(model), dict(model.named_parameters())
    if not isinstance(settings, recipe.Muon):
        return _plain(settings, _grouped(settings, asked.groups, every, sort))
    hidden = [name for name in every if sort[name] == "weights"][:-1]
    own = _grouped(settings, asked.groups, {name: every[name] for name in hidden}, sort)
    rest = {name: parameter for name, parameter in every.items() if name not in hidden}
    others = _grouped(settings.others, asked.groups, rest, sort)
    made = _plain(settings.others, others) if others else None
    if made and not own:
        return made
    return Muon(own, made, **{name: getattr(settings, name) for name in settings.parameters() if name != "others"})


def _plain(settings: recipe.Optimizer, groups: Grouped) -> Optimizer:
    """The arguments of an optimizer in the language are those of `torch.optim`."""
    arguments: dict[str, Any] = {name: getattr(settings, name) for name in settings.parameters()}
    return OPTIMIZERS[type(settings)](groups, **arguments)


def _grouped(settings: Any, groups: recipe.Groups, parameters: Named, sort: dict[str, Sort]) -> Grouped:
    """Parameters with the same rate and weight decay together, in the order in which the first of them comes."""
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        lr, decay = rates_of(settings, groups, name, sort[name])
        if lr:
            found.setdefault((lr, decay), []).append(parameter)
        else:
            parameter.requires_grad_(False)
    return [{"params": each, "lr": lr, "weight_decay": decay} for (lr, decay), each in found.items()]


def sorts(model: nn.Module) -> dict[str, Sort]:
    """What each parameter of a model is, by its name."""
    return {
        name.removeprefix("."): _sort(module, key)
        for path, module in model.named_modules()
        for key, _ in module.named_parameters(recurse=False)
        for name in [f"{path}.{key}"]
    }


def _sort(module: nn.Module, key: str) -> Sort:
    if isinstance(module, NORMS):
        return "norm_biases" if key == "bias" else "norm_weights"
    if isinstance(module, nn.modules.conv._ConvNd | nn.Linear):
        return "biases" if key == "bias" else "weights"
    return "scales"


# --------------------------------------------------------------------------------------------------------- schedule


def make_schedule(settings: recipe.Schedule, optimizer: Optimizer, epochs: int, steps: int) -> LRScheduler:
    """To be stepped after each of the `epochs * steps` steps of a run, of which every epoch has `steps`."""
    total = epochs * steps
    if isinstance(settings, recipe.OneCycle):
        return _onecycle(settings, optimizer, total)
    rise = min(round(settings.warmup * total), total - 1)  # type: ignore[attr-defined]
    if isinstance(settings, recipe.Plateau):
        return Plateau(settings, optimizer, rise)
    if not rise:
        return SCHEDULES[type(settings)](settings, optimizer, total, steps)
    schedule = SCHEDULES[type(settings)](settings, optimizer, total - rise, steps)
    return SequentialLR(optimizer, [_warmup(optimizer, rise), schedule], [rise])


def _warmup(optimizer: Optimizer, rise: int) -> LRScheduler:
    return LinearLR(optimizer, start_factor=1 / (rise + 1), total_iters=rise)


def _constant(settings: recipe.Constant, optimizer: Optimizer, total: int, steps: int) -> LRScheduler:
    return ConstantLR(optimizer, factor=1.0)


def _step(settings: recipe.StepDown, optimizer: Optimizer, total: int, steps: int) -> LRScheduler:
    return StepLR(optimizer, settings.every * steps, settings.gamma)


def _multistep(settings: recipe.MultiStep, optimizer: Optimizer, total: int, steps: int) -> LRScheduler:
    """By a function, because what `MultiStepLR` saves does not survive JSON."""
    epochs = settings.milestones if isinstance(settings.milestones, tuple) else (settings.milestones,)
    return LambdaLR(optimizer, lambda step: settings.gamma ** sum(step >= epoch * steps for epoch in epochs))


def _linear(settings: recipe.Linear, optimizer: Optimizer, total: int, steps: int) -> LRScheduler:
    return LinearLR(optimizer, start_factor=1.0, end_factor=settings.end, total_iters=total)


def _cosine(settings: recipe.Cosine, optimizer: Optimizer, total: int, steps: int) -> LRScheduler:
    if not settings.end:
        return CosineAnnealingLR(optimizer, total)
    depth = (1 - settings.end) / 2
    return LambdaLR(optimizer, lambda step: settings.end + depth * (1 + cos(pi * step / total)))


def _onecycle(settings: recipe.OneCycle, optimizer: Optimizer, total: int) -> LRScheduler:
    # A rise of a single step makes OneCycleLR divide by zero; it is no rise.
    warmup = 0.0 if round(settings.warmup * total, 6) == 1 else float(settings.warmup)
    highest = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, highest, total, pct_start=warmup, cycle_momentum=False)


SCHEDULES: dict[type[recipe.Schedule], Callable[[Any, Optimizer, int, int], LRScheduler]] = {
    recipe.Constant: _constant,
    recipe.StepDown: _step,
    recipe.MultiStep: _multistep,
    recipe.Linear: _linear,
    recipe.Cosine: _cosine,
}


class Plateau(ReduceLROnPlateau):
    """Rises step by step, and is then told of the loss after every epoch."""

    def __init__(self, settings: recipe.Plateau, optimizer: Optimizer, rise: int) -> None:
        self.rise = _warmup(optimizer, rise) if rise else ConstantLR(optimizer, factor=1.0)
        super().__init__(optimizer, factor=settings.factor, patience=settings.patience)

    def step(self) -> None:  # type: ignore[override]
        self.rise.step()
        self._last_lr = self.rise.get_last_lr()

    def measured(self, loss: float) -> None:
        """After an epoch."""
        super().step(loss)

    def state_dict(self) -> dict[str, Any]:
        own = {name: value for name, value in super().state_dict().items() if name != "rise"}
        return own | {"rise": self.rise.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rise.load_state_dict(state_dict["rise"])
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "rise"})
