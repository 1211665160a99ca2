"""Whether compiling a step is worth its time. The compiler joins operations into fewer and larger kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from cnnspec.training.error import TrainError
from cnnspec.training.light import with_compiler

Compiling = Literal["auto", "on", "off"]

SAVED = 0.35
"""Part of a recorded step's time that a compiled one saves: with tinycnn3 on an H200 it was 0.39 to 0.52."""

FIXED, PER_LAYER = 20.0, 0.5
"""Seconds that the compiler is expected to take: with tinycnn3 on an H200 they were 5 to 27."""


def expected_seconds(model: nn.Module) -> float:
    return FIXED + PER_LAYER * sum(1 for module in model.modules() if not list(module.children()))


def repays(each: float, left: int, expected: float) -> bool:
    """Whether so many steps, each of so many seconds, would save more than the compiler is expected to take."""
    return SAVED * each * left > expected


def compiled(step: Callable[[Tensor], None]) -> Callable[[Tensor], None]:
    """The step as PyTorch's compiler makes it, which works at the first call; raises `TrainError` there where it
    cannot."""
    with_compiler()
    made = torch.compile(step, dynamic=False)

    def tried(chosen: Tensor) -> None:
        try:
            made(chosen)
        except torch._dynamo.exc.TorchDynamoException as error:
            raise TrainError(f"steps cannot be compiled: {str(error).strip().splitlines()[0]}") from None

    return tried
