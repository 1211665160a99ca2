"""The configuration and the result of a run, as they are written to its folder and read back."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from cnnspec.data.facts import Dataset, TorchvisionImages
from cnnspec.data.loaders import default_data_dir
from cnnspec.data.parts import Data, Part
from cnnspec.network.model import Network
from cnnspec.recipe import Recipe
from cnnspec.training.compiling import Compiling
from cnnspec.training.precision import Precision
from cnnspec.words import Word, show

Weights = Literal["best", "last"]


class Strict(BaseModel):
    """Unknown and missing fields are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Samples(Strict):
    """How the data was divided, and how the samples are scaled: (x - mean) / std, bytes counted as 0 to 1."""

    train: int
    validation: int
    test: int
    bytes: bool
    mean: list[float]
    std: list[float]
    sums: dict[str, str] = {}
    """SHA-256 over the samples and classes of each part; empty in runs of older versions."""


class Extras(NamedTuple):
    """What is recorded beside the usual, and has no say in anything."""

    test_every_epoch: bool = False
    """The test set after every epoch."""
    watch: bool = False
    """How every layer does after every epoch."""
    tensorboard: bool = False
    """The same figures once more, for TensorBoard."""


NO_EXTRAS = Extras()


class How(NamedTuple):
    """How steps are made on the device; what comes of them differs in the last digits at most."""

    compiling: Compiling = "auto"
    deterministic: bool = False
    """The same bits every time, on a GPU too."""

    @property
    def compiling_steps(self) -> Compiling:
        """What is chosen by the clock is not the same every time."""
        return "off" if self.deterministic and self.compiling == "auto" else self.compiling


AS_EVER = How()


class Start(Strict):
    """The weights that a run began with. `layers` are those that were taken, `parameters` how many numbers these learn;
    `fresh` says why the others were not, `unused` what else was there, `notes` how samples are scaled and the like."""

    origin: str
    file: str
    sha256: str
    layers: list[str]
    parameters: int
    fresh: dict[str, str]
    unused: list[str]
    notes: list[str]


class Config(Strict):
    """What was trained, and how; values of the language are written as in a spec, with every default filled in."""

    format: Literal[1] = 1
    model: str
    arguments: dict[str, str]
    input: str
    parameters: int
    classes: list[str]
    train: dict[str, str]
    spec: str = ""
    """SHA-256 over the spec and the files it uses; empty in runs of older versions."""
    data_dir: str | None
    """Where the data set was found, for one that is downloaded."""
    device: str
    devices: int = 1
    """How many processes trained together when it began, each on its own."""
    precision: Precision = "float32"
    """What `train` asks for, or what was chosen for auto."""
    loss: str
    test_every_epoch: bool = False
    watch: bool = False
    tensorboard: bool = False
    compiling: Compiling = "auto"
    deterministic: bool = False
    transform: str = ""
    """What Python prints of the user's own transform of training samples, which no file can keep."""
    samples: Samples
    start: Start | None = None
    """None where the weights were drawn."""

    @property
    def extras(self) -> Extras:
        return Extras(self.test_every_epoch, self.watch, self.tensorboard)

    @property
    def how(self) -> How:
        return How(self.compiling, self.deterministic)

    @property
    def data_name(self) -> str:
        return self.train["data"].partition("(")[0]


class TestResult(Strict):
    """The one measurement on the test set, made at the end."""

    __test__ = False

    weights: Weights
    epoch: int
    loss: float
    accuracy: float
    views: int = 1
    """Over how many views of each sample the outputs were averaged."""


class ReadingResult(Strict):
    verdict: str
    because: list[str]
    advice: list[str]


class Result(Strict):
    """How a run ended."""

    status: Literal["finished", "interrupted", "diverged", "failed"]
    fault: str
    epochs: int
    best_epoch: int | None
    best_epoch_chosen_by: str
    test: TestResult | None
    resumed: int = 0
    """How often."""
    test_accuracy_mean_of_last_three_epochs: float | None
    """Only where the test set was recorded in every epoch."""
    reading: ReadingResult
    layers: list[str] = []
    """In words, how they did at the end, where they were watched."""
    preparing_seconds: float = 0.0
    """Reading the data, building the network and making the steps fast."""
    training_seconds: float
    seconds: float


def config_of(
    network: Network,
    recipe: Recipe,
    data: Data,
    *,
    device: str,
    devices: int = 1,
    precision: Precision,
    loss: str,
    spec: str,
    data_dir: Path | None,
    extras: Extras,
    how: How,
) -> Config:
    """Everything it takes to load the network and its data again, from whatever working directory."""
    here = recipe.replace(data=with_whole_paths(recipe.data, Path(network.folder)))
    return Config(
        model=network.name,
        arguments={name: spelled(value) for name, value in network.arguments.items()},
        input=str(network.input),
        parameters=network.parameters,
        classes=list(data.classes),
        train=_arguments(here),
        data_dir=str((data_dir or default_data_dir()).absolute())
        if isinstance(recipe.data, TorchvisionImages)
        else None,
        device=device,
        devices=devices,
        precision=precision,
        spec=spec,
        loss=loss,
        **extras._asdict(),
        **how._asdict(),
        samples=Samples(
            train=len(data.train),
            validation=len(data.validation or ()),
            test=len(data.test),
            bytes=not data.train.x.is_floating_point(),
            mean=data.mean.tolist(),
            std=data.std.tolist(),
            sums=sums_of(data),
        ),
    )


def sums_of(data: Data) -> dict[str, str]:
    """They tell later whether the data is still the same."""
    parts = {"training": data.train, "validation": data.validation, "test": data.test}
    return {name: sum_of(part) for name, part in parts.items() if part}


def sum_of(part: Part) -> str:
    digest = sha256(repr((part.x.shape, part.x.dtype)).encode())
    for tensor in (part.x, part.y):
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def with_whole_paths(dataset: Dataset, folder: Path) -> Dataset:
    """The data set with paths that start at the root of the file system."""
    paths = {name: getattr(dataset, name) for name in ("path", "test") if getattr(dataset, name, None)}
    return dataset.replace(**{name: (folder / path).resolve().as_posix() for name, path in paths.items()})


def _arguments(word: Word) -> dict[str, str]:
    """Every argument of a word; one of several names is written without quotes."""
    values = {parameter: getattr(word, name) for name, parameter in word.parameters().items()}
    return {p.name: value if isinstance(value, str) and p.kind.names else spelled(value) for p, value in values.items()}


def spelled(value: Any) -> str:
    """A value as it is written in a spec, with every argument of its words."""
    match value:
        case Word():
            inside = ", ".join(f"{name}={text}" for name, text in _arguments(value).items())
            return f"{value.word}({inside})" if inside else value.word
        case tuple() if None not in value:
            return "[" + ", ".join(map(spelled, value)) + "]"
        case str():
            return f'"{value}"'
        case float():
            return repr(value)
    return show(value)
