"""From a function of torch to the layer that does the same: the module that would call it is made, and looked up."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.overrides import get_testing_overrides

from cnnspec.layers.base import Layer, Shape
from cnnspec.porting.inverse import layer_of
from cnnspec.porting.values import Op, Value

WEIGHTS = ("weight", "bias", "running_mean", "running_var")
"""What functions call the tensors that a module keeps."""

RENAMED = {"interpolate": "Upsample", "clamp": "Hardtanh", "pad": ""}
"""Functions whose module has another name."""


def short(name: str) -> str:
    """`max_pool2d` of `torch.nn.functional.max_pool2d`; `add` of `Tensor.__iadd__`."""
    last = name.rpartition(".")[2]
    plain = last.strip("_")
    dunder = last.startswith("__") and plain[:1] in ("i", "r") and plain[1:] in ("add", "mul", "sub", "truediv", "div")
    return plain[1:] if dunder else plain


@cache
def _modules() -> dict[str, str]:
    return {name.lower(): name for name in dir(nn) if isinstance(getattr(nn, name), type)}


def module_name(op: Op, rank: int) -> str | None:
    """The class in `torch.nn` whose module calls this function."""
    name = short(op.name)
    plain = RENAMED.get(name, name).replace("_", "").lower()
    return _modules().get(plain) or _modules().get(f"{plain}{max(rank, 1)}d")


@cache
def _signature(function: Any) -> inspect.Signature | None:
    for found in (get_testing_overrides().get(function), function):
        try:
            return inspect.signature(found) if found else None
        except (TypeError, ValueError):
            continue
    return None


def arguments(op: Op) -> dict[str, Any]:
    """The arguments by their names; the first tensor is called input."""
    signature = _signature(op.function)
    if signature is None:
        return {"input": op.args[0], **op.kwargs} if op.args else dict(op.kwargs)
    try:
        bound = signature.bind(*op.args, **op.kwargs)
    except TypeError:  # the signatures that torch tells of leave some options out
        return dict(zip(signature.parameters, op.args, strict=False)) | op.kwargs
    named: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            named |= value
        else:
            named["input" if name in ("self", "x", "tensor") else name] = value
    return named


def equivalent(op: Op, named: dict[str, Any], x: Shape) -> nn.Module | None:
    """A module that does what the function does, with weights of the same shapes."""
    name = module_name(op, x.rank)
    if name is None:
        return None
    kind = getattr(nn, name)
    given = {key: value for key, value in named.items() if not isinstance(value, Value)} | shapes(short(op.name), named)
    taken = signature_names(kind)
    given = {key: value for key, value in given.items() if key in taken and key not in ("input", "inplace", "training")}
    try:
        with torch.device("meta"):
            made: nn.Module = kind(**given)
    except (TypeError, ValueError, RuntimeError, AssertionError):
        return None
    return made


@cache
def signature_names(kind: type) -> frozenset[str]:
    return frozenset(inspect.signature(kind).parameters)


def shapes(name: str, named: dict[str, Any]) -> dict[str, Any]:
    """What the shapes of the weights say: channels, features, kernels, and whether there is a bias."""
    weight, mean = named.get("weight"), named.get("running_mean")
    found: dict[str, Any] = {"bias": named.get("bias") is not None} if "weight" in named else {}
    if isinstance(mean, Value):
        found["num_features"] = mean.sizes[0]
        found["affine"] = isinstance(weight, Value)
        return found
    if "running_mean" in named:
        return found | {"track_running_stats": False}
    if not isinstance(weight, Value):
        return found | {"affine": False, "elementwise_affine": False}
    out, *rest = weight.sizes
    groups = named.get("groups", 1)
    if name.startswith("conv_transpose"):
        return found | {"in_channels": out, "out_channels": rest[0] * groups, "kernel_size": tuple(rest[1:])}
    if name.startswith("conv"):
        return found | {"in_channels": rest[0] * groups, "out_channels": out, "kernel_size": tuple(rest[1:])}
    if name == "linear":
        return found | {"in_features": rest[0], "out_features": out}
    if name == "prelu":
        return {"num_parameters": out}
    return found | {"num_channels": out}


def layer_of_function(op: Op, x: Shape) -> Layer | None:
    """The layer that runs the same function with the same arguments on this input."""
    named = arguments(op)
    if short(op.name) == "pad":
        return _pad(named, x)
    if short(op.name) == "batch_norm" and named.get("running_mean") is None:
        return None
    made = equivalent(op, named, x)
    return layer_of(made, x) if made is not None else None


MODES = {"constant": "Zero", "reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}


def _pad(named: dict[str, Any], x: Shape) -> Layer | None:
    """`F.pad` names the sides of as many axes as it is given, the last first."""
    amounts = tuple(named.get("pad", ()))
    if len(amounts) > 2 * x.rank or x.channels_last:
        return None
    amounts += (0,) * (2 * x.rank - len(amounts))
    value, mode = named.get("value") or 0.0, named.get("mode", "constant")
    made = getattr(nn, f"{MODES[mode]}Pad{x.rank}d")(amounts) if not value else None
    if value and mode == "constant":
        made = getattr(nn, f"ConstantPad{x.rank}d")(amounts, value)
    return layer_of(made, x) if made is not None else None
