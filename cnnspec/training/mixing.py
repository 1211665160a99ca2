"""Training samples made of two, and their labels with them.

The partner of a sample is the one before it in the epoch's order, not in the batch: so what it is mixed with, and how,
depends neither on the size of a step nor on how many processes share the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from cnnspec.recipe import CutMix, Mixes, Mixup
from cnnspec.training.augment import rectangle

COLUMNS = 4
"""Random numbers of a sample: which way, how much, and where."""

APART, MEAN, PATCH = 0, 1, 2
"""What a sample is: as it was, a weighted mean, or patched."""


class Mixed(NamedTuple):
    """Labels of samples that are `share` [N] of one class and for the rest of another."""

    first: Tensor
    second: Tensor
    share: Tensor


def in_pairs(order: Tensor, pieces: Sequence[Tensor]) -> list[Tensor]:
    """Pieces of an epoch's order with the partner of each sample behind it: [2N]."""
    before = torch.empty_like(order)
    before[order] = order.roll(1)
    return [torch.stack([piece, before[piece]], 1).flatten() for piece in pieces]


def decided(mixes: Mixes, draws: Tensor) -> Tensor:
    """Random numbers from 0 to 1 as what they decide, [samples, 4] each: the way, the share, and the middle of a patch
    (down and right, parts of the size)."""
    way = (draws[:, 0] * len(mixes)).floor().clamp(max=len(mixes) - 1)
    happens = draws[:, 0] * len(mixes) - way
    kinds, shares = torch.zeros_like(way), torch.ones_like(way)
    for number, mix in enumerate(mixes):
        assert isinstance(mix, Mixup | CutMix)
        here = (way == number) & (happens < mix.p)
        kinds[here] = MEAN if isinstance(mix, Mixup) else PATCH
        shares[here] = beta(mix.alpha, draws[here, 1])
    return torch.stack([kinds, shares, draws[:, 2], draws[:, 3]], 1)


def beta(alpha: float, share: Tensor) -> Tensor:
    """What that share of all draws from Beta(alpha, alpha) stays below.

    With x = t ** (1 / alpha) the density up to 1/2 is smooth in t, and so can be summed up; above it is symmetric."""
    lower = np.minimum(share.double().numpy(), 1 - share.double().numpy())
    t = np.linspace(0, 0.5**alpha, 4097)
    density = (1 - t ** (1 / alpha)) ** (alpha - 1)
    below = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    x = np.interp(lower, below / below[-1] / 2, t) ** (1 / alpha)
    return torch.from_numpy(np.where(share.numpy() < 0.5, x, 1 - x)).to(share.dtype)


def mixed(x: Tensor, y: Tensor, draws: Tensor) -> tuple[Tensor, Mixed]:
    """Samples [2N, ...] of which every second is the partner of the one before it, mixed as the last of their random
    numbers have decided."""
    x, share = blended(x[::2], x[1::2], draws[::2, -COLUMNS:])
    return x, Mixed(y[::2], y[1::2], share)


def main(y: Tensor | Mixed) -> Tensor:
    """The class that makes up most of each sample."""
    return y if isinstance(y, Tensor) else torch.where(y.share < 0.5, y.second, y.first)


def blended(x: Tensor, other: Tensor, how: Tensor) -> tuple[Tensor, Tensor]:
    """Samples [N, ...] mixed as decided [N, 4], and how much of each is of `x` [N]."""
    kind, share, down, right = how.unbind(1)
    weight = torch.where(kind == MEAN, share, 1)
    mean = torch.lerp(other, x, weight.view(-1, *[1] * (x.dim() - 1)))
    if x.dim() != 4:
        return mean, weight
    patch = _patch(x, share, down, right) & (kind == PATCH).view(-1, 1, 1, 1)
    return torch.where(patch, other, mean), weight - patch.float().mean((1, 2, 3))


def _patch(x: Tensor, share: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """As wide and high as 1 - share of the area asks for, around a middle that may lie near the edge."""
    middles = [(place * size).floor() for place, size in zip((down, right), x.shape[2:], strict=True)]
    halves = [((1 - share).sqrt() * size / 2).floor() for size in x.shape[2:]]
    (row, column), (high, wide) = middles, halves
    return rectangle(x, row - high, row + high, column - wide, column + wide)
