"""Weights to start from, laid onto a network: layer by layer, by name, where the shapes are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cnnspec.data.parts import Data
from cnnspec.layers.base import Shape
from cnnspec.network.model import Network, PlacedLayer
from cnnspec.recipe import Recipe
from cnnspec.recipe.names import covers
from cnnspec.training.config import Start, spelled
from cnnspec.training.error import BadRun, TrainError
from cnnspec.training.mismatch import require_plausible
from cnnspec.training.sources import Found, Scale, find

if TYPE_CHECKING:
    from cnnspec.training.plan import Plan

COUNTER = "num_batches_tracked"
"""Of batchnorm, which older files do not have; it has no part in what a network computes."""


@dataclass(frozen=True)
class Fitted:
    """`tensors` are those of the layers that were found, by the names of the network's `state_dict`; `scale` is how
    samples are to be scaled, None where it stays that of the data."""

    tensors: dict[str, Tensor]
    scale: Scale | None
    start: Start


def with_start(plan: Plan) -> tuple[Plan, dict[str, Tensor]]:
    """A plan with what it starts from, and the weights of the layers that were found; raises `TrainError`."""
    origin = plan.recipe.weights
    if origin is None:
        return plan, {}
    fitted = fit_weights(find(origin), plan.network, plan.recipe, plan.data)
    scale, config = fitted.scale, plan.config
    data = rescaled(plan.data, scale.mean, scale.std) if scale else plan.data
    changed = {
        "start": fitted.start,
        "train": config.train | {"weights": spelled(origin.at(Path.cwd().as_posix()))},
        "samples": config.samples.model_copy(update={"mean": data.mean.tolist(), "std": data.std.tolist()}),
    }
    return replace(plan, data=data, config=config.model_copy(update=changed)), fitted.tensors


def same_start(plan: Plan, start: Start) -> dict[str, Tensor]:
    """The weights that a run began with, read again; raises `BadRun` where they are others now."""
    assert plan.recipe.weights
    found = find(plan.recipe.weights)
    if found.sum != start.sha256:
        raise BadRun(
            f"{start.file} is not the file that the run began with",
            "it was stopped before its first checkpoint, so there is nothing to lose: begin a new run",
        )
    return fit_weights(found, plan.network, plan.recipe, plan.data).tensors


def fit_weights(found: Found, network: Network, recipe: Recipe, data: Data) -> Fitted:
    """Raises `TrainError` where nothing fits, or where it looks like a mistake."""
    theirs = {name.removeprefix(found.prefix): tensor for name, tensor in found.tensors.items()}
    layers = [placed for placed in network.layers if any(shapes_of(placed))]
    why = {placed.path: why_not(placed, theirs) for placed in layers}
    loaded = [placed for placed in layers if not why[placed.path]]
    tensors = {name: theirs[name] for placed in loaded for name in shapes_of(placed) if name in theirs}
    fresh = {path: reason for path, reason in why.items() if reason}
    ours = [name for placed in layers for name in shapes_of(placed)]
    require_plausible(found, theirs, ours, sum(placed.node.parameters for placed in loaded), fresh)
    _require_frozen_loaded(found, recipe.freeze, fresh)
    scale, about_scale = _scale(found, data)
    start = Start(
        origin=found.about,
        file=str(found.path.resolve()),
        sha256=found.sum,
        layers=[placed.path for placed in loaded],
        parameters=sum(placed.node.parameters for placed in loaded),
        fresh=fresh,
        unused=[name for name in theirs if name not in ours],
        notes=[about_scale, *_about_size(found, network)],
    )
    return Fitted(tensors, scale, start)


def shapes_of(placed: PlacedLayer) -> dict[str, tuple[int, ...]]:
    """What a layer keeps in the `state_dict`, by full name; a bare parameter has the name of its layer."""
    weights = placed.weights
    inside = weights.parameters | weights.buffers
    return {f"{placed.path}.{name}" if name else placed.path: shape for name, shape in inside.items()}


def why_not(placed: PlacedLayer, theirs: dict[str, Tensor]) -> str:
    """Why a layer cannot be taken from there; nothing where it can. A layer comes as a whole, or not at all."""
    wanted = shapes_of(placed)
    missing = [name for name in wanted if name not in theirs and not name.endswith(COUNTER)]
    if len(missing) == len([name for name in wanted if not name.endswith(COUNTER)]):
        return "not there"
    if missing:
        return f"there is no {missing[0]}"
    for name, shape in wanted.items():
        other = tuple(theirs[name].shape) if name in theirs else shape
        if other != shape:
            return f"{_written(other)} there, {_written(shape)} here"
        if name in theirs and not theirs[name].isfinite().all():
            return "its numbers there are not finite"
    return ""


def _written(shape: tuple[int, ...]) -> str:
    return str(Shape(shape)) if shape else "one number"


def _require_frozen_loaded(found: Found, frozen: Sequence[str], fresh: dict[str, str]) -> None:
    """Random weights that never learn are a mistake where others were to be had."""
    for part in frozen:
        for path, reason in fresh.items():
            if covers(part, path):
                raise TrainError(
                    f"{part} is frozen, and {path} in it would stay random: it is not taken from {found.about}",
                    f"{path}: {reason}",
                    "leave it out of freeze, or make it as it is there",
                )


# ------------------------------------------------------------------------------------------------------- samples


def _scale(found: Found, data: Data) -> tuple[Scale | None, str]:
    """How samples are to be scaled, and a word on it."""
    scale, own = found.scale, "samples are scaled by the mean and deviation of the data"
    if scale is None:
        return None, f"{own}: a file of weights does not tell what it was trained on"
    if scale.bytes != (not data.train.x.is_floating_point()):
        kinds = ("images", "other numbers")
        there, here = kinds if scale.bytes else kinds[::-1]
        return None, f"{own}: they are {here}, and the weights were trained on {there}"
    if len(scale.mean) != len(data.mean):
        return None, f"{own}: they have {len(data.mean)} channels, and the weights were trained on {len(scale.mean)}"
    numbers = f"mean {_numbers(scale.mean)}, deviation {_numbers(scale.std)}"
    same = torch.allclose(data.mean, torch.tensor(scale.mean), atol=5e-4)
    same = same and torch.allclose(data.std, torch.tensor(scale.std), atol=5e-4)
    own = (
        "as the data has it"
        if same
        else f"the data has {_numbers(data.mean.tolist())} and {_numbers(data.std.tolist())}"
    )
    return scale, f"samples are scaled as those it was trained on: {numbers}; {own}"


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values[:4]) + (", ..." if len(values) > 4 else "")


def _about_size(found: Found, network: Network) -> Iterator[str]:
    if found.input and found.input != str(network.input):
        yield f"it was trained on {found.input}, and the input here is {network.input}"


def rescaled(data: Data, mean: Sequence[float], std: Sequence[float]) -> Data:
    """Data that is scaled by other figures than its own."""
    return replace(data, mean=torch.tensor(mean), std=torch.tensor(std))
