"""What changes while a network trains. A checkpoint holds all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cnnspec.data.parts import Data
from cnnspec.recipe import Recipe
from cnnspec.training import mixing
from cnnspec.training.augment import columns, settled
from cnnspec.training.chance import Chance
from cnnspec.training.device import suit
from cnnspec.training.history import Epoch, best_epoch
from cnnspec.training.light import lighten, without_compiler
from cnnspec.training.optim import make_optimizer, make_schedule


@dataclass
class State:
    """Where a run is. The order, the sums and the seconds are those of the epoch under way."""

    model: nn.Module
    optimizer: Optimizer
    schedule: LRScheduler
    recipe: Recipe
    chance: Chance
    loss: Tensor
    hits: Tensor
    finite: Tensor
    """How many steps of the epoch went by before the first whose loss is not finite."""
    order: Tensor
    """The numbers of the samples, as they come; in the memory of the host."""
    draws: Tensor
    """The random numbers of each sample for its augmentation and mixing, [samples, columns]; in the memory of the
    host."""
    mean: AveragedModel | None = None
    """The running mean of the weights, where the recipe asks for one."""
    epoch: int = 1
    """The one under way, counted from 1; after the last step of all, one more than there are."""
    step: int = 0
    """How many steps of it are made."""
    learning_rate: float = 0.0
    """At its first step."""
    seconds: float = 0.0
    preparing: float = 0.0
    """Seconds that went into making the steps fast, in this process."""
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    """The weights of the best epoch so far, in the memory of the host."""
    checkpoints: int = 0
    """How many were written."""
    saved: int = 0
    """How many epochs the newest of them knows of."""

    @property
    def kept(self) -> nn.Module:
        """The network that is measured, and whose weights are kept."""
        module: nn.Module = self.mean.module if self.mean else self.model
        return module

    @property
    def device(self) -> torch.device:
        return self.loss.device

    def begin_epoch(self) -> None:
        """Draws what is left to chance, and starts the sums anew."""
        self.draw()
        self.learning_rate = float(self.schedule.get_last_lr()[0])
        self.loss.zero_()
        self.hits.zero_()
        self.finite.zero_()
        self.seconds = 0.0

    def draw(self) -> None:
        """What is left to chance in this epoch."""
        self.order = self.chance.order(self.epoch)
        self.draws = drawn(self.recipe, self.chance, self.epoch)

    @property
    def mean_begins(self) -> bool:
        """Whether there is a running mean that no step has gone into."""
        return self.mean is not None and not self.mean.n_averaged.numpy()  # it stays in the memory of the host

    def follow(self) -> None:
        """The running mean of the weights takes in what they are after a step; the first makes it equal to them."""
        if self.mean is None:
            return
        if self.mean_begins:
            self.mean.update_parameters(self.model)
            return
        average: Callable[[list[Tensor], list[Tensor], Tensor], None] = vars(self.mean)["multi_avg_fn"]
        mean, now = (
            [tensor.detach() for tensor in chain(module.parameters(), module.buffers())]
            for module in (self.mean.module, self.model)
        )
        for kind in dict.fromkeys(tensor.dtype for tensor in mean):
            of_kind = [[tensor for tensor in tensors if tensor.dtype == kind] for tensors in (mean, now)]
            average(of_kind[0], of_kind[1], self.mean.n_averaged)

    def end_epoch(self) -> None:
        self.epoch, self.step = self.epoch + 1, 0

    def remember(self, epoch: Epoch) -> None:
        """What was measured after an epoch, and its weights where it is the best."""
        self.history.append(epoch)
        if best_epoch(self.history) is epoch:
            self.best = weights_of(self.kept)


def begin(model: nn.Module, data: Data, recipe: Recipe) -> State:
    """Before the first step."""
    device, samples = data.mean.device, len(data.train)
    order = torch.arange(samples)
    without_compiler()
    optimizer = make_optimizer(recipe, model)
    lighten(optimizer)
    suit(optimizer, device)
    return State(
        model,
        optimizer,
        make_schedule(recipe.schedule, optimizer, recipe.epochs, len(batches(order, per_step(recipe)))),
        recipe,
        Chance(recipe.seed, samples, columns_of(recipe)),
        loss=torch.zeros((), device=device),
        hits=torch.zeros((), device=device),
        finite=torch.zeros((), dtype=torch.int64, device=device),
        order=order,
        draws=torch.empty(samples, 0),
        mean=running_mean(model, recipe.ema) if recipe.ema else None,
    )


def per_step(recipe: Recipe) -> int:
    """How many samples a step of the optimizer takes."""
    return recipe.batch * recipe.accumulate


def columns_of(recipe: Recipe) -> int:
    """How many random numbers a sample takes in an epoch: those of its augmentation, then those of its mixing."""
    return columns(recipe.augment) + (mixing.COLUMNS if recipe.mix else 0)


def drawn(recipe: Recipe, chance: Chance, epoch: int) -> Tensor:
    """What the random numbers of an epoch come to, [samples, columns]."""
    numbers = chance.draws(epoch)
    changes, mixes = numbers.tensor_split([columns(recipe.augment)], 1)
    alternates = any(getattr(augmentation, "alternate", False) for augmentation in recipe.augment)
    if alternates:
        changes = settled(recipe.augment, changes, chance.draws(1), epoch)
    return torch.cat([changes, mixing.decided(recipe.mix, mixes)], 1) if recipe.mix else changes


def running_mean(model: nn.Module, decay: float) -> AveragedModel:
    """Of the weights and of what norms have measured."""
    how = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(model, multi_avg_fn=how, use_buffers=True)


def batches(order: Tensor, size: int) -> Sequence[Tensor]:
    """`order` in pieces of `size`. A single sample at the end joins the piece before it: batchnorm cannot take the
    mean over one."""
    pieces = list(torch.split(order, size))
    if size > 1 and len(pieces) > 1 and len(pieces[-1]) == 1:
        pieces[-2:] = [torch.cat(pieces[-2:])]
    return pieces


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """A copy in the memory of the host."""
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
