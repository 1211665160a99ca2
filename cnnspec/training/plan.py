"""What a run needs, put together and checked before it leaves a trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from platform import node
from typing import Any

import torch
from torch import nn

from cnnspec.building import build_module
from cnnspec.data.facts import TorchvisionImages, suits
from cnnspec.data.loaders import load
from cnnspec.data.parts import SPEC_FOLDER, Data, Part
from cnnspec.network.model import Network
from cnnspec.recipe import Recipe
from cnnspec.requires import require
from cnnspec.training import record
from cnnspec.training.chance import seed_of
from cnnspec.training.config import AS_EVER, NO_EXTRAS, Config, Extras, How, config_of
from cnnspec.training.distributed import Team, team
from cnnspec.training.error import TrainError
from cnnspec.training.initial import initialise
from cnnspec.training.loop import placed
from cnnspec.training.memory import PARTS, enough_memory, still_to_come, too_much_for, weight_of
from cnnspec.training.objective import Objective, objective_of
from cnnspec.training.precision import Precision, choose
from cnnspec.training.sides import Side, about_sides, sides_of
from cnnspec.training.transform import Own
from cnnspec.words import counted

SAVE_EVERY = 10.0


@dataclass(frozen=True)
class Plan:
    network: Network
    recipe: Recipe
    device: torch.device
    objective: Objective
    sides: tuple[Side, ...]
    data: Data
    config: Config
    why_precision: str
    team: Team
    save_every: float = SAVE_EVERY
    """Minutes after which an epoch that lasts is saved on the way."""
    own: Own | None = None
    """The transform of the user, where there is one."""

    @property
    def portion(self) -> int:
        """How many samples of a batch this process takes."""
        return self.team.portion(self.recipe.batch)


def plan_run(
    network: Network, device: str | None, data_dir: Path | None, extras: Extras = NO_EXTRAS, how: How = AS_EVER
) -> Plan:
    """Raises `TrainError`, `NoDevice` or `DataError` for everything that can be known before the first step."""
    if extras.tensorboard:
        require("tensorboard")
    recipe = network.recipe or Recipe()
    ours = team()
    place = ours.device(device)
    objective, sides = objective_of(network), sides_of(network)
    if not network.parameters:
        raise TrainError(f"{network.name} has no parameters: there is nothing to train")
    with ours.in_turn() if isinstance(recipe.data, TorchvisionImages) else nullcontext():
        data = read_data(network, recipe, data_dir)
    precision, why = agreed(choose(recipe.precision, network, place), ours)
    loss = objective.about + about_sides(sides)
    config = config_of(
        network,
        recipe,
        data,
        device=str(place) if ours.size == 1 or place.index not in (None, ours.local_rank) else place.type,
        devices=ours.size,
        precision=precision,
        loss=loss,
        spec=record.sum_of_spec(network.source),
        data_dir=data_dir,
        extras=extras,
        how=how,
    )
    if json.loads(ours.told(json.dumps(config.samples.sums))) != config.samples.sums:
        raise TrainError(
            f"process {ours.rank} of {ours.size} finds other samples than the first one",
            f"it runs on {node()}; the data is {config.train['data']}",
        )
    return Plan(network, recipe, place, objective, sides, data, config, why, ours.on(place))


def agreed(choice: tuple[Precision, str], ours: Team) -> tuple[Precision, str]:
    """That of the first process, whose processor may be another."""
    precision, why = json.loads(ours.told(json.dumps(choice)))
    return precision, why


def read_data(network: Network, recipe: Recipe, data_dir: Path | None) -> Data:
    """The data of a recipe, which suits the network."""
    data = load(
        recipe.data,
        network.input,
        root=Path(network.folder),
        data_dir=data_dir,
        validation=recipe.validation,
        seed=recipe.seed,
        start="the working directory" if from_outside(network) else SPEC_FOLDER,
    )
    require_classes(network, data.classes)
    return data


def from_outside(network: Network) -> bool:
    """Whether the data is named by an option, or by a text that lies in no file."""
    place = network.places.get("data")
    return place is not None and place.source.name.startswith("<")


def require_classes(network: Network, classes: tuple[str, ...]) -> None:
    """The classes of some data sets are known only when they are read."""
    outputs = network.output.elements
    if suits(outputs, len(classes)):
        return
    raise TrainError(
        f"the data has {counted(len(classes), 'class')}, but {network.name} ends in {counted(outputs, 'output')}",
        f"the classes are {', '.join(classes[:10])}{', ...' if len(classes) > 10 else ''}",
        f"make {len(classes)} the output of the last layer",
    )


def ready(plan: Plan) -> tuple[nn.Module, Data]:
    """The model and the data, on the device; raises `TrainError` where they alone are too much for its memory."""
    network, device, train = plan.network, plan.device, plan.data.train
    with enough_memory(device, network.name, weight_of(network)):
        model = seeded_model(network, plan.recipe.seed, device, lambda model: begun(model, plan))
    with enough_memory(device, "the data", f"it has {counted(len(train), 'sample')} of {network.input} to train on"):
        share = plan.recipe.replace(batch=plan.portion, precision=plan.config.precision)
        kept = too_much_for(device, plan.data, still_to_come(network, share))
        here = on_device(plan.data, device, kept | {"train"} if plan.own else kept)
    if plan.team.rank:  # dropout draws other numbers in each
        torch.manual_seed(seed_of(f"rank {plan.team.rank} {plan.recipe.seed}"))
    return model, here


def begun(model: nn.Module, plan: Plan) -> nn.Module:
    """With the first weights of its recipe."""
    initialise(model, plan.network, plan.recipe.init, plan.data)
    return model


def seeded_model(
    network: Network, seed: int, device: torch.device, begun: Callable[[nn.Module], nn.Module] = lambda model: model
) -> nn.Module:
    """The same first weights for the same seed on every device."""
    torch.manual_seed(seed)
    return placed(begun(build_module(network)), network, device)


def on_device(data: Data, device: torch.device, kept: frozenset[str] = frozenset()) -> Data:
    """All parts but those named in `kept`, which stay in the memory of the host and come over in blocks."""

    def move(name: str) -> Part | None:
        part: Part | None = getattr(data, name)
        return part if part is None or name in kept else Part(part.x.to(device), part.y.to(device))

    parts: dict[str, Any] = {name: move(name) for name in PARTS}
    return replace(
        data,
        **parts,
        mean=data.mean.to(device),
        std=data.std.to(device),
    )
