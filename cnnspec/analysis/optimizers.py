"""What optimizers take: what they keep for each weight that learns, and the peak of their step.

On a GPU `cnnspec train` takes the fused forms of PyTorch, whose steps make nothing, and which count the steps of each
tensor there. The step of Muon is that of `training.muon`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import prod

from cnnspec.analysis.learning import Use, name_of
from cnnspec.analysis.operations import FLOAT, HALF
from cnnspec.analysis.tape import blocks
from cnnspec.network.grouping import rates_of, sort_of
from cnnspec.network.model import Network
from cnnspec.recipe import Adam, AdamW, Muon, Optimizer, Recipe, Sgd
from cnnspec.record import Record

NAMED: dict[str, Optimizer] = {
    "sgd": Sgd(),
    "momentum": Sgd(momentum=0.9),
    "adam": Adam(),
    "adamw": AdamW(),
    "muon": Muon(),
}
"""By the names they have where memory is asked for."""


def name_in(optimizer: Optimizer) -> str:
    """Which of `NAMED` it is."""
    return "momentum" if isinstance(optimizer, Sgd) and optimizer.momentum else optimizer.word


class Weight(Record):
    """A parameter. `rates` are its learning rate and weight decay; `followed` tells that Muon itself takes it, where
    that is the optimizer, and `scattered` that the numbers of a filter lie in another order than that of the axes."""

    shape: tuple[int, ...]
    learns: bool
    rates: tuple[float, float]
    followed: bool
    scattered: bool

    @property
    def bytes(self) -> int:
        return blocks(prod(self.shape) * FLOAT)


def weights_of(network: Network, recipe: Recipe, uses: Iterable[Use]) -> list[Weight]:
    """All parameters, in the order of the layers."""
    every = [
        (name_of(use, key), sort_of(use.layer, key), shape, key in use.learns)
        for use in uses
        for key, shape in use.weights.parameters.items()
    ]
    matrices = [name for name, sort, _, _ in every if sort == "weights"][:-1]
    return [
        Weight(
            shape,
            learns,
            rates_of(recipe.optimizer, recipe.groups, name, sort),
            name in matrices,
            network.input.rank == 2 and len(shape) == 4 and shape[1] > 1 and max(shape[2:]) > 1,
        )
        for name, sort, shape, learns in every
    ]


def state_of(optimizer: Optimizer, weights: Iterable[Weight]) -> int:
    """The bytes that are kept for these weights from step to step."""
    learning = [weight for weight in weights if weight.learns]
    if isinstance(optimizer, Muon):
        own = sum(weight.bytes for weight in learning if weight.followed)
        return own + state_of(optimizer.others, [weight for weight in learning if not weight.followed])
    if isinstance(optimizer, Sgd):
        return sum(weight.bytes for weight in learning) if optimizer.momentum else 0
    return sum(2 * weight.bytes + blocks(FLOAT) for weight in learning)


def scratch_of(optimizer: Optimizer, weights: Iterable[Weight]) -> int:
    """The most bytes that a step takes beside."""
    if not isinstance(optimizer, Muon):
        return 0
    together: dict[tuple[object, ...], list[Weight]] = defaultdict(list)
    for weight in weights:
        if weight.learns and weight.followed:
            together[weight.rates, weight.shape].append(weight)
    return max((_orthogonal(of_shape, optimizer.nesterov) for of_shape in together.values()), default=0)


def _orthogonal(weights: list[Weight], nesterov: bool) -> int:
    """The peak of `Muon._update` for weights of one shape, of which all is done at once."""
    one, count = prod(weights[0].shape), len(weights)
    side = min(weights[0].shape[0], one // weights[0].shape[0])
    whole, half, square = blocks(count * one * FLOAT), blocks(count * one * HALF), blocks(count * side * side * HALF)
    stacking = nesterov * sum(weight.bytes for weight in weights) + whole
    flat = whole * weights[0].scattered
    turning = whole + flat + 2 * half + 2 * square
    widening = whole + flat + half + square + whole
    stepping = whole + whole + weights[0].bytes
    return max(stacking, turning, widening, stepping)
