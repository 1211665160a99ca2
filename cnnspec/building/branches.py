"""The module of a group that holds a combinator, a bare parameter or a side output."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add, mul
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn


class Join(NamedTuple):
    """Branches that each receive the input, and how their outputs become one: `concat` puts them together along
    `axis`. With `split` they receive equal parts of the input, cut along that axis.

    `aux` has one branch, whose output goes aside in training; its input passes on."""

    kind: Literal["add", "multiply", "concat", "aux"]
    branches: tuple[Plan, ...]
    axis: int = 1
    split: int | None = None


Plan = tuple[str | Join, ...]
"""Steps that run one after another: children by their keys, and joins."""


PLAN, SIDES = ".plan", ".sides"
"""Attributes of `Branches` that no child can hide: there is no point in a child's name."""


class Branches(nn.Module):
    """Runs a plan over its children; a bare parameter among them is multiplied with what arrives.

    With side outputs inside it returns `(output, side outputs, the deepest first)` in training mode."""

    def __init__(self, children: Mapping[str, nn.Module | nn.Parameter], plan: Plan) -> None:
        super().__init__()
        for key, child in children.items():
            if isinstance(child, nn.Module):
                self.add_module(key, child)
            else:
                self.register_parameter(key, child)
        self.__dict__[PLAN] = plan
        self.__dict__[SIDES] = _has_aux(plan) or any(map(has_sides, children.values()))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        sides: list[Tensor] = []
        output = _run(self, self.__dict__[PLAN], x, sides)
        return (output, *reversed(sides)) if self.training and has_sides(self) else output


def has_sides(module: object) -> bool:
    """Whether a module has side outputs that it returns in training."""
    return isinstance(module, Branches) and module.__dict__[SIDES]


def _has_aux(plan: Plan) -> bool:
    return any(join.kind == "aux" or any(map(_has_aux, join.branches)) for join in plan if isinstance(join, Join))


def _run(module: Branches, plan: Plan, x: Tensor, sides: list[Tensor]) -> Tensor:
    """The output of a plan; side outputs are put behind those of earlier steps."""
    for step in plan:
        x = _join(module, step, x, sides) if isinstance(step, Join) else _call(module, step, x, sides)
    return x


def _call(module: Branches, key: str, x: Tensor, sides: list[Tensor]) -> Tensor:
    child = getattr(module, key)
    if key in module._parameters:
        return child * x  # type: ignore[no-any-return]
    output: Tensor | tuple[Tensor, ...] = child(x)
    if not isinstance(output, tuple):
        return output
    sides.extend(reversed(output[1:]))
    return output[0]


def _join(module: Branches, join: Join, x: Tensor, sides: list[Tensor]) -> Tensor:
    if join.kind == "aux":
        if module.training:
            sides.append(_run(module, join.branches[0], x, sides))
        return x
    count = len(join.branches)
    shares = (x,) * count if join.split is None else torch.chunk(x, count, join.split)
    outputs = [_run(module, branch, shares[at], sides) for at, branch in enumerate(join.branches)]
    if join.kind == "concat":
        return torch.cat(outputs, join.axis)
    return reduce(add if join.kind == "add" else mul, outputs)
