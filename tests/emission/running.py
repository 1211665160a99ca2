"""Emitted source as a module."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def run(source: str) -> dict[str, Any]:
    """The names the source defines."""
    names: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(source, "<emitted>", "exec"), names)
    return names


def make(source: str, name: str, seed: int = 0, **arguments: Any) -> nn.Module:
    model: Any = run(source)[name]
    torch.manual_seed(seed)
    module: nn.Module = model(**arguments)
    return module


def assert_identical(one: nn.Module, other: nn.Module, shape: tuple[int, ...]) -> None:
    """The same names in the same order, the same weights, and the same outputs, bit for bit."""
    left, right = one.state_dict(), other.state_dict()
    assert list(left) == list(right)
    for name, value in left.items():
        assert torch.equal(value, right[name]), name
    x = torch.randn(2, *shape)
    for training in (True, False):
        outputs = []
        for module in (one, other):
            torch.manual_seed(1)
            outputs.append(module.train(training)(x))
        assert torch.equal(*outputs), f"training={training}"
