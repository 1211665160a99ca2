"""What can be done with a finished run: measure it again, and name new samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor, nn

from cnnspec.building import build_module
from cnnspec.data.facts import SquareImages
from cnnspec.data.pictures import picture_mode, read_images
from cnnspec.data.square import adapt
from cnnspec.layers.base import Shape
from cnnspec.network.model import Network
from cnnspec.recipe import Recipe
from cnnspec.training import record
from cnnspec.training.config import Config, TestResult, Weights
from cnnspec.training.device import pick_device
from cnnspec.training.error import BadRun, TrainError
from cnnspec.training.loop import Measured, measure, placed, prepare
from cnnspec.training.memory import enough_memory
from cnnspec.training.objective import Objective, objective_of
from cnnspec.training.plan import on_device, read_data
from cnnspec.training.precision import has_bfloat16
from cnnspec.training.views import count, watched

AT_ONCE = 256

IMAGES = "predict takes the files of images, in PNG or JPEG for instance"


@dataclass(frozen=True)
class Finished:
    """A run, read back from its folder. `epoch` is the one the weights come from."""

    folder: Path
    config: Config
    network: Network
    recipe: Recipe
    model: nn.Module
    objective: Objective
    epoch: int
    device: torch.device

    @property
    def seen(self) -> nn.Module:
        """The network as it was measured in training: averaged over the views of its recipe."""
        return watched(self.model, self.recipe.views, self.objective)

    @property
    def scale(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of the samples it was trained on."""
        samples = self.config.samples
        return torch.tensor(samples.mean, device=self.device), torch.tensor(samples.std, device=self.device)


def open_run(
    folder: str | Path, *, weights: Weights = "best", data: str | None = None, device: str | None = None
) -> Finished:
    """The network of a run with its weights; `data`, in the language, replaces the data set it was trained on.

    Raises `BadRun` where files are missing or damaged, `NoDevice` for a device that is not there."""
    folder, place = Path(folder), pick_device(device)
    config = record.read_config(folder)
    network = record.read_network(folder, config, data)
    _require_scale(folder, config, network)
    tensors, epoch = record.read_weights(folder, weights)
    with enough_memory(place, network.name):
        model = placed(build_module(network), network, place)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        fault = str(error).splitlines()[1].strip()
        raise BadRun(f"the {weights} weights in {folder} are not those of {config.model}", fault) from None
    recipe = network.recipe or Recipe()
    return Finished(folder, config, network, recipe, model, objective_of(network), epoch, place)


def _require_scale(folder: Path, config: Config, network: Network) -> None:
    """One mean and one deviation per channel, or per feature of a vector."""
    mean, std = config.samples.mean, config.samples.std
    if not len(mean) == len(std) == network.input.channels or not all(map(isfinite, mean + std)) or min(std) <= 0:
        wanted = f"{network.input.channels} numbers each, the deviations above 0"
        raise BadRun(f"{folder / record.CONFIG} is damaged", f"samples.mean and samples.std should be {wanted}")


# ---------------------------------------------------------------------------------------------------- evaluation


@dataclass(frozen=True)
class Evaluation:
    """A measurement on a test set, and the one the run recorded with the same weights on the same data, if any."""

    weights: Weights
    epoch: int
    classes: tuple[str, ...]
    data: str
    measured: Measured
    recorded: TestResult | None
    messages: tuple[str, ...]
    views: int = 1
    """Over how many views of each sample the outputs were averaged."""


def evaluate(
    folder: str | Path,
    *,
    weights: Weights = "best",
    data: str | None = None,
    data_dir: str | Path | None = None,
    device: str | None = None,
) -> Evaluation:
    """Measure a run on the test set of its data, or of other `data` with the same classes.

    Samples are scaled as those it was trained on. Raises as `open_run` does, and `DataError`."""
    run = open_run(folder, weights=weights, data=data, device=device)
    where = data_dir or run.config.data_dir
    read = read_data(run.network, run.recipe, Path(where) if where else None)
    if list(read.classes) != run.config.classes:
        raise TrainError(
            "the classes of this data are not those that the run was trained on",
            f"it knows {', '.join(run.config.classes[:10])}",
            f"the data has {', '.join(read.classes[:10])}",
        )
    mean, std = run.scale
    with enough_memory(run.device, "the data and the network"):
        here = replace(on_device(read, run.device), mean=mean, std=std)
        precision = run.config.precision if run.device.type != "cpu" or has_bfloat16(run.device) else "float32"
        measured = measure(run.seen, here.test, here, run.objective, run.recipe.batch, precision)
    result, views = record.read_result(run.folder), count(run.recipe.views)
    recorded = result.test if result and weights == "best" and data is None else None
    return Evaluation(weights, run.epoch, read.classes, run.recipe.data.word, measured, recorded, read.messages, views)


# ---------------------------------------------------------------------------------------------------- prediction


@dataclass(frozen=True)
class Prediction:
    """What a run takes a sample for: class names with probabilities, the likeliest first."""

    sample: str
    classes: tuple[tuple[str, float], ...]


def predict(
    folder: str | Path, samples: Sequence[str | Path] | str, *, weights: Weights = "best", device: str | None = None
) -> list[Prediction]:
    """Name image files, of any size and mode, brought to the input as the training images were; or, for a network whose
    input is a vector, samples written as numbers (`0.5,-0.25`).

    Raises as `open_run` does, and `DataError` naming the files that are no images."""
    run = open_run(folder, weights=weights, device=device)
    names = [samples] if isinstance(samples, str) else [str(sample) for sample in samples]
    found: list[Prediction] = []
    for start in range(0, len(names), AT_ONCE):
        chunk = names[start : start + AT_ONCE]
        for name, row in zip(chunk, _probabilities(run, chunk).tolist(), strict=True):
            ranked = sorted(zip(run.config.classes, row, strict=True), key=lambda pair: -pair[1])
            found.append(Prediction(name, tuple(ranked)))
    return found


@torch.inference_mode()
def _probabilities(run: Finished, names: Sequence[str]) -> Tensor:
    run.model.eval()
    x = (_vectors if run.network.input.rank == 0 else _images)(run, names).to(run.device)
    return run.objective.probabilities(run.seen(prepare(x, *run.scale))).cpu()


def _images(run: Finished, names: Sequence[str]) -> Tensor:
    """Files as the data set's reader makes them: brought to the size of its images first, where they all have one."""
    shape, data = run.network.input, run.recipe.data
    picture_mode(shape, "predict")
    if not run.config.samples.bytes:
        raise TrainError(
            f"{run.config.model} was trained on numbers that are no pixels, and an image file holds pixels",
            "cnnspec eval measures it on other samples of their kind: --data other.npz",
        )
    missing = next((name for name in names if not Path(name).is_file()), None)
    if missing is not None:
        is_folder = Path(missing).is_dir()
        raise TrainError(f"{missing} is a folder" if is_folder else f"there is no file {missing}", IMAGES)
    paths = [Path(name) for name in names]
    if not isinstance(data, SquareImages):
        return read_images(paths, shape, IMAGES)[0]
    return adapt(read_images(paths, Shape((len(data.mean), data.size, data.size)), IMAGES)[0], data, shape)


def _vectors(run: Finished, names: Sequence[str]) -> Tensor:
    wanted = run.network.input.elements
    rows = [_numbers(name) for name in names]
    for name, row in zip(names, rows, strict=True):
        if row is None or len(row) != wanted:
            given = "is none" if row is None else f"has {len(row)}"
            example = ",".join(["0.5", "-0.25"][:wanted]) + (",..." if wanted > 2 else "")
            raise TrainError(
                f"{run.config.model} takes {wanted} numbers per sample, and {name} {given}",
                f"write a sample as numbers with commas between them: {example}",
            )
        if not all(map(isfinite, row)):
            raise TrainError(f"a sample is made of finite numbers, and {name} has others")
    return torch.tensor(rows, dtype=torch.float32)


def _numbers(text: str) -> list[float] | None:
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        return None
