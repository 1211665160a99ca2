"""Finds what makes the host wait for the device: values that it must know to go on, and copies between both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

ANSWERS = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
"""Of operations whose result, or the shape of it, depends on numbers on the device."""

INDEXING = {torch.ops.aten.index, torch.ops.aten.index_put, torch.ops.aten.index_put_}
COPYING = {torch.ops.aten._to_copy, torch.ops.aten.copy_}


class Waits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, collects in `found` the names of operations for which the host waits for a device of that
    type: `cuda`; in tests on machines without one, whatever stands for it."""

    def __init__(self, device: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.device = device
        self.found: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name not in self.found and self._waits(func, args, result):
            self.found.append(name)
        return result

    def _waits(self, func: Any, args: tuple[Any, ...], result: Any) -> bool:
        there = [tensor for tensor in _tensors([args, result]) if tensor.device.type == self.device]
        if func.overloadpacket in INDEXING:
            return any(tensor.dtype in (torch.bool, torch.uint8) for tensor in _tensors(args[1]))
        if func.overloadpacket in COPYING:
            return 0 < len(there) < len(list(_tensors([args, result])))
        return bool(there and ANSWERS & set(func.tags))


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _tensors(value)
