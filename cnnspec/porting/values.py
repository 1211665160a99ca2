"""What a run of a module left behind: values, and the operations between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn


class Value:
    """A tensor of the run. `sizes` include the batch; `op` made it, as its output number `index`; without `op` it came
    from outside. `parameter` is its name in the state_dict, if it has one."""

    def __init__(self, sizes: tuple[int, ...], op: Op | None = None, index: int = 0, parameter: str = "") -> None:
        self.sizes, self.op, self.index, self.parameter = sizes, op, index, parameter

    @property
    def known(self) -> bool:
        """Whether it depends on the input."""
        return self.op is not None or self.parameter == INPUT


INPUT = "<input>"


class Op(NamedTuple):
    """One operation: a leaf `module`, or a `function` of torch. Tensors among the arguments are `Value`s. `owner` is
    the path of the module in whose `forward` it ran, for a leaf its own path."""

    name: str
    owner: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    module: nn.Module | None = None
    function: Callable[..., Any] | None = None


class Run(NamedTuple):
    """A run: what came in and out, and the modules by their paths, and the operations in the order
    they ran, each with its outputs. `first` is the first number of every
    parameter."""

    input: Value
    outputs: tuple[Value, ...]
    modules: dict[str, nn.Module]
    ops: list[tuple[Op, tuple[Value, ...]]]
    first: dict[str, float]


class NotPortable(Exception):
    """The module as a whole is nothing that a spec can describe. The text is a sentence for the user."""


def each(found: Any) -> list[Any]:
    """The leaves of what may be nested in lists, tuples and dicts."""
    if isinstance(found, dict):
        return [leaf for value in found.values() for leaf in each(value)]
    if isinstance(found, list | tuple):
        return [leaf for value in found for leaf in each(value)]
    return [found]


def mapped(found: Any, change: Callable[[Any], Any]) -> Any:
    """The same nesting with other leaves."""
    if isinstance(found, dict):
        return {key: mapped(value, change) for key, value in found.items()}
    if isinstance(found, list | tuple) and not isinstance(found, torch.Size):
        return tuple(mapped(value, change) for value in found)
    return change(found)
