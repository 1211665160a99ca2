"""Runs a module once, on tensors without numbers, and writes down every operation on the way.

What counts is what runs: conditions and loops of a `forward` are followed as they come out for this input."""

from __future__ import annotations

import copy
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode, resolve_name

from cnnspec.porting.values import INPUT, NotPortable, Op, Run, Value, each, mapped

BATCH = 2
"""With one sample, batchnorm refuses to train on a map of 1x1."""

OTHERS = re.compile(rf"site-packages|dist-packages|[/\\]lib[/\\]python|^<|^{re.escape(str(Path(__file__).parent))}")
"""Files that are not the model's own."""


def run(
    module: nn.Module, sizes: tuple[int, ...], is_leaf: Callable[[str, nn.Module], bool], *, train: bool = False
) -> Run:
    """What runs in a module for an input of these sizes (without the batch); `is_leaf` tells of a path and the module
    there whether it is one operation. Raises `NotPortable` where it cannot run, or gives no tensors."""
    _refuse_lazy(module)
    copied = without_numbers(module).train(train)
    recorder = _Recorder(copied, is_leaf)
    with torch.device("meta"):
        x = torch.empty(BATCH, *sizes)
    source = recorder.bind(x, Value(tuple(x.shape), parameter=INPUT))
    try:
        with recorder, recorder.calls(), torch.no_grad():
            result = copied(x)
    except (Exception, SystemExit) as error:
        raise NotPortable(_why(error, "x".join(map(str, sizes)))) from error
    outputs = tuple(recorder.values.get(id(leaf)) for leaf in each(result) if isinstance(leaf, Tensor))
    if not outputs or not all(outputs):
        raise NotPortable(f"it returns {_kind(result)}, and a spec describes a network that returns one tensor")
    return Run(source, outputs, dict(copied.named_modules()), recorder.ops, first_values(module))  # type: ignore[arg-type]


def _why(error: BaseException, sizes: str) -> str:
    """Where it ended and of what. What a tensor without numbers refuses is the doing of the trace, not a fault."""
    place = place_of(error)
    if re.search(r"\bmeta (device|tensor)|is_meta|on Meta", str(error)):
        at = place or "its forward"
        return f"what it does in {at} depends on the numbers that go through it, and it is run on tensors without any"
    return f"it does not run on an input of {sizes}: {said(error)}{f' (in {place})' if place else ''}"


def said(error: BaseException) -> str:
    """The kind of an exception, and its first line."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else ''}".rstrip(": ")


def place_of(error: BaseException) -> str:
    """The line of the model's own code where an exception began: that of no package."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not OTHERS.search(frame.filename)]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def _refuse_lazy(module: nn.Module) -> None:
    for path, each_module in module.named_modules():
        if any(is_lazy(value) for value in (*each_module._parameters.values(), *each_module._buffers.values())):
            kind = type(each_module).__name__
            raise NotPortable(f"{path or 'it'} is a {kind}, which has no weights before it has run: run it once")


def _kind(result: Any) -> str:
    return f"a {type(result).__name__}"


def first_values(module: nn.Module) -> dict[str, float]:
    """The first number of every parameter that is no kernel or matrix, nan where there are no numbers."""
    return {
        name: float("nan") if value.is_meta or not value.numel() else float(value.detach().flatten()[0])
        for name, value in module.named_parameters()
        if max(value.shape, default=1) == value.numel()
    }


def without_numbers(module: nn.Module) -> nn.Module:
    """A copy whose parameters and buffers have shapes alone."""
    memo: dict[int, Any] = {}
    for tensor in (*module.parameters(), *module.buffers()):
        empty = torch.empty_like(tensor, device="meta")
        memo[id(tensor)] = nn.Parameter(empty) if isinstance(tensor, nn.Parameter) else empty
    return copy.deepcopy(module, memo)


class _Recorder(TorchFunctionMode):
    """Writes down functions of torch; `calls` adds the modules around them."""

    def __init__(self, module: nn.Module, is_leaf: Callable[[str, nn.Module], bool]) -> None:
        super().__init__()
        self.is_leaf = is_leaf
        self.values: dict[int, Value] = {}
        self.kept: list[Any] = []
        self.ops: list[tuple[Op, tuple[Value, ...]]] = []
        self.stack: list[str] = [""]
        self.inside = 0
        self.paths: dict[int, str] = {}
        for path, each_module in module.named_modules():
            self.paths.setdefault(id(each_module), path)
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            self.bind(tensor, Value(tuple(tensor.shape), parameter=name))

    def bind(self, tensor: Tensor, value: Value) -> Value:
        self.kept.append(tensor)  # an id stands for a tensor as long as the tensor lives
        self.values[id(tensor)] = value
        return value

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.inside:
            return func(*args, **kwargs)
        given = self.read((args, kwargs))
        result = func(*args, **kwargs)
        if not any(isinstance(leaf, Tensor) for leaf in each(result)):
            return result
        name = resolve_name(func) or getattr(func, "__name__", str(func))
        op = Op(name, self.stack[-1], given[0], given[1], function=func)
        return self.written(result, op, args, in_place=_in_place(func, kwargs))

    def read(self, found: Any) -> Any:
        """Arguments, with values in the place of tensors."""
        return mapped(found, lambda leaf: self.value(leaf) if isinstance(leaf, Tensor) else leaf)

    def value(self, tensor: Tensor) -> Value:
        return self.values.get(id(tensor)) or self.bind(tensor, Value(tuple(tensor.shape)))

    def written(self, result: Any, op: Op, args: Any, *, in_place: bool) -> Any:
        """Binds the outputs; a tensor that is merely passed on becomes another object, so that both have a value."""
        if isinstance(result, Tensor):
            if not in_place and id(result) in self.values:
                result = torch.ops.aten.alias(result)
            self.ops.append((op, (self.bind(result, Value(tuple(result.shape), op)),)))
            return result
        parts = result if isinstance(result, list | tuple) else ()
        outputs = [
            self.bind(leaf, Value(tuple(leaf.shape), op, index))
            for index, leaf in enumerate(parts)
            if isinstance(leaf, Tensor)
        ]
        self.ops.append((op, tuple(outputs)))
        return result

    @contextmanager
    def calls(self) -> Iterator[None]:
        """While it lasts, calls of modules are seen."""
        recorder, original = self, nn.Module.__call__

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            path = recorder.paths.get(id(module))
            if path is None or recorder.inside:
                return original(module, *args, **kwargs)
            if recorder.is_leaf(path, module):
                return recorder.leaf(original, module, path, args, kwargs)
            recorder.stack.append(path)
            try:
                return original(module, *args, **kwargs)
            finally:
                recorder.stack.pop()

        with patch.object(nn.Module, "__call__", call):
            yield

    def leaf(self, original: Any, module: nn.Module, path: str, args: Any, kwargs: Any) -> Any:
        given = self.read((args, kwargs))
        self.inside += 1
        try:
            result = original(module, *args, **kwargs)
        finally:
            self.inside -= 1
        op = Op(type(module).__name__, path, given[0], given[1], module=module)
        return self.written(result, op, args, in_place=getattr(module, "inplace", False))


def _in_place(func: Any, kwargs: dict[str, Any]) -> bool:
    name = getattr(func, "__name__", "")
    return bool(kwargs.get("inplace")) or (name.endswith("_") and not name.endswith("__")) or name.startswith("__i")
