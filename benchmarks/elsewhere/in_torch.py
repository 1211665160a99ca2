"""A plan as PyTorch modules."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from cnnspec.layers import LAYERS
from elsewhere.plan import Group, Join, Part, Plan, Sizes, Unit

BATCH = 2

NAMES = {
    "kernel": "kernel_size",
    "ceil": "ceil_mode",
    "factor": "scale_factor",
    "slope": "negative_slope",
    "count": "num_parameters",
    "axis": "dim",
}


class Permute(nn.Module):
    def __init__(self, last: bool) -> None:
        super().__init__()
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        return x.movedim(1, -1) if self.last else x.movedim(-1, 1)


class Joined(nn.Module):
    """A forward that calls its branches and joins what they give."""

    def __init__(self, join: Join, branches: list[nn.Module]) -> None:
        super().__init__()
        self.word, self.split = join.word, join.split
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        inputs = x.chunk(len(self.branches), dim=1) if self.split else [x] * len(self.branches)
        outputs = [branch(each) for branch, each in zip(self.branches, inputs, strict=False)]
        Failing.entered = self  # the fault is here now, no longer in the last branch
        return joined(self.word, [*outputs, x] if self.word == "residual" else outputs)


class Failing:
    """Which layer was entered last."""

    entered: nn.Module | None = None


class Refuses(Exception):
    """A module that cannot be constructed."""

    def __init__(self, part: Unit | Join, wrong: Exception) -> None:
        super().__init__(str(wrong))
        self.part, self.wrong = part, wrong


def joined(word: str, outputs: list[Tensor]) -> Tensor:
    if word == "concat":
        return torch.cat(outputs, dim=1)
    total = outputs[0]
    for each in outputs[1:]:
        total = total * each if word == "multiply" else total + each
    return total


def measure(part: Unit | Join, arrived: Any) -> Any:
    """The sizes behind a layer or join, None where PyTorch refuses; the shares of a join that splits."""
    try:
        with torch.device("meta"):
            if isinstance(part, Unit):
                return tuple(layer(part)(torch.empty(BATCH, *arrived)).shape[1:])
            if arrived is None:
                shares = torch.empty(BATCH, *part.arrived).chunk(len_of(part), dim=1)
                return [tuple(share.shape[1:]) for share in shares]
            return tuple(joined(part.word, [torch.empty(BATCH, *sizes) for sizes in arrived]).shape[1:])
    except Exception:  # whatever a wrong layer raises
        return None


def len_of(part: Join) -> int:
    return max(2, len(part.branches))


def network(plan: Plan) -> nn.Module:
    """Raises `Refuses`."""
    return sequence(plan.parts)


def sequence(parts: list[Part]) -> nn.Module:
    made = nn.Sequential()
    for at, part in enumerate(parts):
        label = getattr(part, "label", None)
        key = label if label and label.isidentifier() and label not in made._modules else str(at)
        made.register_module(key, module(part))
    return made


def module(part: Part) -> nn.Module:
    if isinstance(part, Group):
        return sequence(part.children)
    try:
        made = layer(part) if isinstance(part, Unit) else None
    except Exception as wrong:  # whatever a wrong argument raises
        raise Refuses(part, wrong) from wrong  # type: ignore[arg-type]
    if made is None:
        made = Joined(part, [sequence(branch) for branch in part.branches])  # type: ignore[arg-type, union-attr]
    made.part = part  # type: ignore[assignment]
    made.register_forward_pre_hook(lambda own, _: setattr(Failing, "entered", own))
    return made


def rank(unit: Unit, sizes: Sizes) -> int:
    """Which of Conv1d, Conv2d and Conv3d was written: the kernel tells, or what arrives."""
    kernel = unit.get("kernel") if unit.word in ("conv", "conv_transpose") else None
    count = len(kernel) if isinstance(kernel, tuple) else len(sizes) - 1
    return min(count, 3) if count > 0 else 2


def layer(unit: Unit) -> nn.Module:
    """The call that a person would have written."""
    sizes = unit.arrived or ()
    axes = rank(unit, sizes)
    kwargs = {NAMES.get(name, name): value for name, value in unit.kwargs.items()}
    args = list(unit.args)
    channels = sizes[0]
    match unit.word:
        case "conv" | "conv_transpose":
            kwargs = {{"out": "out_channels"}.get(name, name): value for name, value in kwargs.items()}
            kind = getattr(nn, f"Conv{'Transpose' if unit.word == 'conv_transpose' else ''}{axes}d")
            return kind(unit.claim or channels, *args, **kwargs)
        case "linear":
            kwargs = {{"out": "out_features"}.get(name, name): value for name, value in kwargs.items()}
            return nn.Linear(unit.claim or sizes[-1], *args, **kwargs)
        case "maxpool" | "avgpool":
            return getattr(nn, f"{'Max' if unit.word == 'maxpool' else 'Avg'}Pool{axes}d")(*args, **kwargs)
        case "adaptive_avgpool" | "adaptive_maxpool":
            kwargs = {{"size": "output_size"}.get(name, name): value for name, value in kwargs.items()}
            return getattr(nn, f"Adaptive{'Avg' if 'avg' in unit.word else 'Max'}Pool{axes}d")(*args, **kwargs)
        case "batchnorm" | "instancenorm":
            kind = "BatchNorm" if unit.word == "batchnorm" else "InstanceNorm"
            of = axes if len(sizes) > 1 else 1
            return getattr(nn, f"{kind}{of}d")(*(args or [channels]), **kwargs)
        case "groupnorm":
            kwargs = {{"groups": "num_groups"}.get(name, name): value for name, value in kwargs.items()}
            return nn.GroupNorm(*args, num_channels=channels, **kwargs)
        case "layernorm":
            over = unit.get("over")
            kwargs.pop("over", None)
            return nn.LayerNorm(sizes if over == "all" else sizes[-1] if over == "last" else channels, **kwargs)
        case "channel_dropout":
            return getattr(nn, f"Dropout{axes}d")(*args, **kwargs)
        case "stochastic_depth" | "scale" | "identity":
            return nn.Identity()
        case "softmax" | "log_softmax":
            axis = unit.get("axis", 1)
            kind = nn.Softmax if unit.word == "softmax" else nn.LogSoftmax
            return kind(dim={"channels": 1, "last": -1}.get(axis, axis))
        case "glu":
            return nn.GLU(dim=1)
        case "prelu":
            return nn.PReLU(*args, **kwargs)
        case "flatten":
            return nn.Flatten(*args)
        case "unflatten":
            return nn.Unflatten(1, unit.get("shape"))
        case "channels_last" | "channels_first":
            return Permute(unit.word == "channels_last")
        case "channel_shuffle":
            return nn.ChannelShuffle(*args, **kwargs)
        case "pixel_shuffle" | "pixel_unshuffle":
            return (nn.PixelShuffle if unit.word == "pixel_shuffle" else nn.PixelUnshuffle)(unit.get("factor"))
        case "upsample":
            return nn.Upsample(unit.get("size"), unit.get("factor"), unit.get("mode", "nearest"))
        case "pad":
            mode = {"zeros": "Zero", "reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}
            return getattr(nn, f"{mode[unit.get('mode', 'zeros')]}Pad{axes}d")(unit.get("amount"))
        case "local_response_norm":
            return nn.LocalResponseNorm(*args, **kwargs)
    return getattr(nn, LAYERS[unit.word].module)(*args, **kwargs)  # type: ignore[attr-defined]
