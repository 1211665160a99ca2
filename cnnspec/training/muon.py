"""Muon (Jordan 2024) for networks whose filters have more than two axes, and in steps that can be captured as a graph.

`torch.optim.Muon` takes matrices alone, and reads the learning rate on the host. For matrices this one takes the same
steps. Filters [out, in, ...] count as the matrix [out, in * ...]: what is made orthogonal are the filters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

A, B, C = 3.4445, -4.7750, 2.0315
"""Of the quintic whose iteration drives singular values to about 1: those that torch has."""


class Muon(Optimizer):
    """The groups of `others` are trained by it; they stand behind those of Muon in `param_groups`, so that schedules
    and checkpoints see one optimizer."""

    def __init__(
        self,
        params: list[dict[str, Any]],
        others: Optimizer | None,
        *,
        lr: float,
        momentum: float,
        weight_decay: float,
        nesterov: bool,
        ns_steps: int,
        normalise: bool,
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})
        self.momentum, self.nesterov, self.ns_steps, self.normalise = momentum, nesterov, ns_steps, normalise
        self.own, self.others = list(self.param_groups), others
        if others:
            others.state = self.state
            self.param_groups += others.param_groups

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.own:
            for shape in _by_shape(group["params"]).values():
                self._update(shape, group["lr"], group["weight_decay"])
        if self.others:
            self.others.step()

    def _update(self, weights: list[Tensor], lr: float | Tensor, weight_decay: float) -> None:
        """One step of weights of one shape, whose matrices are multiplied together."""
        followed = torch.stack([self._follow(weight) for weight in weights])
        directions = orthogonal(followed.flatten(2), self.ns_steps)
        rows, columns = directions.shape[1:]
        rate = lr * max(1, rows / columns) ** 0.5
        for weight, direction in zip(weights, directions, strict=True):
            if self.normalise:
                weight.mul_(min(rows, columns) ** 0.5 / weight.norm())
            weight.mul_(1 - lr * weight_decay)
            weight.sub_(direction.view(weight.shape) * rate)

    def _follow(self, weight: Tensor) -> Tensor:
        """The mean of the gradients so far, with this one's share on top where nesterov looks ahead."""
        assert weight.grad is not None
        if "momentum_buffer" not in self.state[weight]:
            self.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
        mean: Tensor = self.state[weight]["momentum_buffer"]
        mean.lerp_(weight.grad, 1 - self.momentum)
        return weight.grad.lerp(mean, self.momentum) if self.nesterov else mean


def _by_shape(weights: list[Tensor]) -> dict[torch.Size, list[Tensor]]:
    found: dict[torch.Size, list[Tensor]] = defaultdict(list)
    for weight in weights:
        if weight.grad is not None:
            found[weight.shape].append(weight)
    return found


def orthogonal(matrices: Tensor, steps: int) -> Tensor:
    """Matrices [N, rows, columns] with their singular values brought near 1 (roughly 0.7 to 1.2), by Newton-Schulz in
    bfloat16."""
    wide = matrices.shape[1] <= matrices.shape[2]
    x = (matrices if wide else matrices.mT).bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=B, alpha=C), x, beta=A)
    return (x if wide else x.mT).to(matrices.dtype)
