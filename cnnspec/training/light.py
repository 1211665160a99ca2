"""Optimizers without PyTorch's compiler, which they would import at their first call though nothing is compiled: that
takes longer than PyTorch itself takes to be imported."""

from __future__ import annotations

import sys
from types import MethodType
from typing import Any

import torch
from torch.optim import Optimizer

COMPILER = "torch._dynamo"
WRAPPED: tuple[Any, ...] = (
    Optimizer.add_param_group,
    Optimizer.zero_grad,
    Optimizer.state_dict,
    Optimizer.load_state_dict,
)
KEPT = "__dynamo_disable"
"""Where PyTorch keeps what such a function is outside of compiled code."""


def without_compiler() -> None:
    """Optimizers made from now on begin without it, where it is not there already."""
    for function in WRAPPED if COMPILER not in sys.modules else ():
        plain = getattr(function, "__wrapped__", None)
        if plain and not hasattr(plain, KEPT):
            setattr(plain, KEPT, plain)


def with_compiler() -> None:
    """As PyTorch has it, before something is compiled."""
    for function in WRAPPED:
        plain = getattr(function, "__wrapped__", None)
        if getattr(plain, KEPT, None) is plain and plain:
            delattr(plain, KEPT)


def lighten(optimizer: Optimizer) -> None:
    """Its steps, and those of one inside of it, are what they are within their wrappers, which are there for the
    compiler and the profiler."""
    plain: Any = type(optimizer).step
    while hasattr(plain, "__wrapped__"):
        plain = plain.__wrapped__
    optimizer.step = MethodType(torch.no_grad()(plain), optimizer)  # type: ignore[method-assign]
    inside = getattr(optimizer, "others", None)
    if isinstance(inside, Optimizer):
        lighten(inside)
