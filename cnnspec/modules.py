"""Modules that PyTorch lacks, built from what it has.

`cnnspec emit` copies the text of a class into the file it writes, so each stands for itself and uses only `torch` and
`nn`.
"""

from __future__ import annotations

import torch
from torch import nn


class Permute(nn.Module):
    """Changes the order of the axes."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(self.dims)

    def extra_repr(self) -> str:
        return f"{self.dims}"


class LayerNorm1d(nn.LayerNorm):
    """Layer norm over the channels [N, C, L], not over the last axes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.permute(0, 2, 1)
        size = self.normalized_shape
        x = nn.functional.layer_norm(x, size, self.weight, self.bias, self.eps)
        return x.permute(0, 2, 1)


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels [N, C, H, W], not over the last axes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.permute(0, 2, 3, 1)
        size = self.normalized_shape
        x = nn.functional.layer_norm(x, size, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class LayerNorm3d(nn.LayerNorm):
    """Layer norm over the channels [N, C, D, H, W], not over the last axes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.permute(0, 2, 3, 4, 1)
        size = self.normalized_shape
        x = nn.functional.layer_norm(x, size, self.weight, self.bias, self.eps)
        return x.permute(0, 4, 1, 2, 3)


class StochasticDepth(nn.Module):
    """In training makes samples zero: each with probability p, or all ("batch")."""

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0:
            return x
        draws = x.shape[0] if self.mode == "row" else 1
        keep = x.new_empty([draws] + [1] * (x.dim() - 1)).bernoulli_(1 - self.p)
        if self.p < 1:
            keep = keep / (1 - self.p)  # so that the mean stays what it was
        return x * keep

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode!r}"
