"""Emitted source as a module."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def run(source: str) -> dict[str, Any]:
    """The names the source defines."""
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(source, "<emitted>", "exec"), names)
    return names


def classes(source: str) -> list[str]:
    return [line.split()[1].partition("(")[0] for line in source.splitlines() if line.startswith("class ")]


def make(source: str, name: str = "", seed: int = 0, **arguments: Any) -> nn.Module:
    """The model of the source, its last class."""
    model: Any = run(source)[name or classes(source)[-1]]
    torch.manual_seed(seed)
    module: nn.Module = model(**arguments)
    return module


def assert_identical(one: nn.Module, other: nn.Module, shape: tuple[int, ...], *, runs: bool = True) -> None:
    """The same names in the same order, the same weights, and the same outputs, bit for bit."""
    left, right = one.state_dict(), other.state_dict()
    assert list(left) == list(right)
    for name, value in left.items():
        assert torch.equal(value, right[name]), name
    x = torch.randn(2, *shape)
    for training in (True, False) if runs else ():
        outputs = []
        for module in (one, other):
            torch.manual_seed(1)
            outputs.append(module.train(training)(x))
        assert equal(*outputs), f"training={training}"


def equal(one: Tensor | tuple[Tensor, ...], other: Tensor | tuple[Tensor, ...]) -> bool:
    """Equal outputs, side outputs included. What is not a number is so in both."""
    if isinstance(one, tuple) or isinstance(other, tuple):
        return (
            isinstance(one, tuple) == isinstance(other, tuple)
            and len(one) == len(other)
            and all(map(equal, one, other))
        )
    return torch.equal(one.isnan(), other.isnan()) and torch.equal(one.nan_to_num(), other.nan_to_num())
