"""A look at every layer while a network trains: its output, its dead units, its gradient.

The look is a step on samples set aside for it that changes nothing: neither weights, nor what norms have measured, nor
the random numbers that training goes on with.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.hooks import RemovableHandle

from cnnspec.data.parts import Data, Part
from cnnspec.files import write
from cnnspec.layers.activation import Activation
from cnnspec.network.model import Network, PlacedLayer
from cnnspec.training.error import BadRun
from cnnspec.training.loop import prepare
from cnnspec.training.objective import Objective
from cnnspec.training.sides import Side, loss_of_sides, parted

SAMPLES = 128
"""Enough for a share of dead units that means something, few enough to cost a step."""


@dataclass(frozen=True)
class Look:
    """One layer after one epoch.

    `activation` is the mean of |output|. `dead` is the share of its units (channels of a map, numbers of a vector) that
    are zero for all samples everywhere. `gradient` is the mean of |d loss / d output|. `ratio` is the norm of the
    gradient of its weights over the norm of the weights; None for a layer without weights that are learnt.
    """

    epoch: int
    layer: str
    kind: str
    activation: float
    dead: float
    gradient: float
    ratio: float | None


@dataclass
class _Seen:
    """Tensors, so that the device is waited for once."""

    activation: Tensor
    dead: Tensor
    gradient: Tensor
    ratio: Tensor | None = None


def look(
    model: nn.Module, network: Network, data: Data, objective: Objective, sides: Sequence[Side], epoch: int
) -> list[Look]:
    """Every layer that has weights or is an activation, in the order in which they run, seen on the first samples of
    the training part without augmentation, by a model in training. What never runs is left out."""
    device = data.mean.device  # the samples may lie elsewhere
    part = Part(data.train.x[:SAMPLES].to(device), data.train.y[:SAMPLES].to(device))
    watched = {placed.path: placed for placed in network.layers if _worth_a_look(placed)}
    seen: dict[str, _Seen] = {}
    handles = [_watch(model.get_submodule(path), path, seen) for path in watched if _is_module(model, path)]
    devices = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices):
            _step(model, part, data, objective, sides, seen)
    finally:
        for handle in handles:
            handle.remove()
    return [_as_look(epoch, watched[path], found) for path, found in seen.items()]


def _worth_a_look(placed: PlacedLayer) -> bool:
    return bool(placed.weights.parameters) or isinstance(placed.layer, Activation)


def _is_module(model: nn.Module, path: str) -> bool:
    """A lone parameter has no output of its own."""
    parent, _, name = path.rpartition(".")
    return name in dict(model.get_submodule(parent).named_children())


def _watch(module: nn.Module, path: str, seen: dict[str, _Seen]) -> RemovableHandle:
    def note(module: nn.Module, inputs: object, output: Tensor) -> None:
        values = output.detach()
        units = values.flatten(2).abs().amax((0, 2)) if values.dim() > 2 else values.abs().amax(0)
        found = seen[path] = _Seen(
            values.abs().mean(), (units == 0).float().mean(), torch.zeros((), device=output.device)
        )

        def note_gradient(gradient: Tensor) -> None:
            found.gradient = gradient.abs().mean()

        if output.requires_grad:
            output.register_hook(note_gradient)  # type: ignore[no-untyped-call]

    return module.register_forward_hook(note)


def _step(
    model: nn.Module, part: Part, data: Data, objective: Objective, sides: Sequence[Side], seen: dict[str, _Seen]
) -> None:
    """Forward and backward, with norms that measure into copies."""
    copies = {name: buffer.clone() for name, buffer in model.named_buffers()}
    x = prepare(part.x, data.mean, data.std)
    output, side_outputs = parted(functional_call(model, copies, (x,)))
    loss = objective.loss(output, part.y) + loss_of_sides(sides, side_outputs, part.y)
    learnt = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    gradients = torch.autograd.grad(loss, list(learnt.values()), allow_unused=True)
    for (name, weight), gradient in zip(learnt.items(), gradients, strict=True):
        path, _, kind = name.rpartition(".")
        if kind == "weight" and path in seen and gradient is not None:
            seen[path].ratio = gradient.norm() / weight.detach().norm()


def _as_look(epoch: int, placed: PlacedLayer, found: _Seen) -> Look:
    ratio = None if found.ratio is None else found.ratio.item()
    figures = found.activation.item(), found.dead.item(), found.gradient.item()
    return Look(epoch, placed.path, placed.layer.word, *figures, ratio)


# ------------------------------------------------------------------------------------------------------ in words

Verdict = str

LARGE, STRONG, WEAK, HALF = 1e3, 10.0, 1e-4, 0.5

RULES: dict[Verdict, str] = {
    "exploding": f"its output is not finite or over {LARGE:,.0f} on average, or the gradient of its weights is more "
    f"than {STRONG:g} times as large as the weights",
    "dying": "half of its units or more are zero for every sample: no gradient reaches them, and they learn no more",
    "vanishing": f"the gradient of its weights, relative to the weights, is less than {WEAK:g} times that of the layer "
    "where it is largest",
    "healthy": "none of this",
}
"""What is said of a layer, in the order in which it is tried."""

ADVICE: dict[Verdict, str] = {
    "exploding": "a learning rate ten times smaller, clip: 1, or batchnorm after each convolution",
    "dying": "a smaller learning rate, leaky_relu or gelu in place of relu, or batchnorm before the activation",
    "vanishing": "relu in place of sigmoid or tanh, batchnorm after each convolution, or residual { } around pairs of "
    "layers",
}


def verdicts(looks: Iterable[Look]) -> dict[str, Verdict]:
    """By layer, of the looks of one epoch."""
    looks = list(looks)
    most = max((found.ratio for found in looks if found.ratio is not None and isfinite(found.ratio)), default=0.0)
    return {found.layer: _verdict(found, most) for found in looks}


def _verdict(found: Look, most: float) -> Verdict:
    figures = [found.activation, found.gradient, found.ratio or 0.0]
    if not all(map(isfinite, figures)) or found.activation > LARGE or (found.ratio or 0.0) > STRONG:
        return "exploding"
    if found.dead >= HALF:
        return "dying"
    if found.ratio is not None and found.ratio < WEAK * most:
        return "vanishing"
    return "healthy"


def in_words(looks: Sequence[Look]) -> Iterator[tuple[str, str]]:
    """What the last look says, each sentence behind what it begins with; nothing where there is none."""
    if not looks:
        return
    last = [found for found in looks if found.epoch == looks[-1].epoch]
    found = verdicts(last)
    ill = {verdict: [look for look in last if found[look.layer] == verdict] for verdict in ADVICE}
    if not any(ill.values()):
        yield "layers: ", f"healthy, all {len(last)} that were watched"
    for verdict, those in ill.items():
        if those:
            yield "layers: ", f"{verdict.upper()}: {', '.join(map(_figure[verdict], those[:4]))}{_more(those)}"
            yield "  because ", RULES[verdict]
            yield "  try     ", ADVICE[verdict]


def _more(those: Sequence[Look]) -> str:
    return f", and {len(those) - 4} more" if len(those) > 4 else ""


_figure: dict[Verdict, Callable[[Look], str]] = {
    "exploding": lambda it: f"{it.kind} {it.layer} (output {it.activation:.3g}, gradient / weight {it.ratio or 0:.2g})",
    "dying": lambda it: f"{it.kind} {it.layer} ({it.dead:.0%} of its units)",
    "vanishing": lambda it: f"{it.kind} {it.layer} (gradient / weight {it.ratio or 0:.1g})",
}

# ------------------------------------------------------------------------------------------------------ the file

FILE = "layers.csv"


def write_looks(folder: Path, looks: Sequence[Look]) -> None:
    """A row per epoch and layer."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([field.name for field in fields(Look)])
    writer.writerows(["" if value is None else value for value in vars(found).values()] for found in looks)
    write(folder / FILE, table.getvalue())


def read_looks(folder: Path, epochs: int) -> list[Look]:
    """Those of the first `epochs` epochs; none where there is no file. Raises `BadRun` where it is damaged."""
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        with path.open(newline="") as file:
            found = [_read(row) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadRun(f"{path} is damaged", str(error)) from None
    return [one for one in found if one.epoch <= epochs]


def _read(row: dict[str, str]) -> Look:
    return Look(
        int(row["epoch"]),
        row["layer"],
        row["kind"],
        float(row["activation"]),
        float(row["dead"]),
        float(row["gradient"]),
        float(row["ratio"]) if row["ratio"] else None,
    )
