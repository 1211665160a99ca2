"""A network that is averaged over several views of each sample, where it is measured or asked."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnspec.recipe import Mirror, Moves, View
from cnnspec.training.objective import NEGATIVE_LOG_LIKELIHOOD, Objective


class Averaged(nn.Module):
    """The weighted mean of the outputs over the views; where they are logarithms of probabilities, such that these
    still add up to one."""

    def __init__(self, model: nn.Module, views: tuple[View, ...], objective: Objective) -> None:
        super().__init__()
        self.model, self.views = model, views
        self.logarithms = objective is NEGATIVE_LOG_LIKELIHOOD

    def forward(self, x: Tensor) -> Tensor:
        outputs = [self.model(seen).float() * weight for seen, weight in views_of(x, self.views)]
        mean = torch.stack(outputs).sum(0)
        return mean.log_softmax(1) if self.logarithms else mean


def watched(model: nn.Module, views: tuple[View, ...], objective: Objective) -> nn.Module:
    """The network as it is measured."""
    return Averaged(model, views, objective) if views else model


def views_of(x: Tensor, views: tuple[View, ...]) -> Iterator[tuple[Tensor, float]]:
    """Every view of images [N, C, H, W], and its weight in the mean."""
    if not views:
        yield x, 1.0
        return
    for seen, weight in views_of(x, views[1:]):
        for further, share in _views(seen, views[0]):
            yield further, weight * share


def _views(x: Tensor, view: View) -> list[tuple[Tensor, float]]:
    if isinstance(view, Mirror):
        return [(x, 0.5), (x.flip(-1), 0.5)]
    assert isinstance(view, Moves)
    by, (height, width) = view.pixels, x.shape[2:]
    padded = functional.pad(x, [by] * 4, "reflect")
    return [(x, 0.5), (padded[..., :height, :width], 0.25), (padded[..., 2 * by :, 2 * by :], 0.25)]


def count(views: tuple[View, ...]) -> int:
    """How many views of a sample there are."""
    total = 1
    for view in views:
        total *= 2 if isinstance(view, Mirror) else 3
    return total
