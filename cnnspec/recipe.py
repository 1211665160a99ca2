"""How a network is trained: what `train { }` says, and the defaults where it says nothing. No torch here."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Literal

from cnnspec.data.facts import Dataset, Digits
from cnnspec.words import (
    KINDS,
    Count,
    Kind,
    Mismatch,
    Natural,
    NonNegative,
    Positive,
    Probability,
    Share,
    Symbol,
    Word,
    by_name,
    describe,
    list_of,
    word_of,
)


class Optimizer(Word):
    """Base of the optimizers; their arguments are those of `torch.optim`."""


class Sgd(Optimizer):
    """Stochastic gradient descent, with momentum where wanted."""

    word = "sgd"
    lr: Positive = 0.1
    momentum: Share = 0.0
    weight_decay: NonNegative = 0.0
    nesterov: bool = False

    def contradiction(self) -> tuple[str, Word] | None:
        if self.nesterov and not self.momentum:
            return "nesterov needs a momentum, and sgd has none here", self.replace(momentum=0.9)
        return None


class Adam(Optimizer):
    """Adam (Kingma and Ba 2014)."""

    word = "adam"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 0.0


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017)."""

    word = "adamw"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 0.01


class Schedule(Word):
    """Base of the schedules: what becomes of the learning rate, step by step. `warmup` is the part of the run over
    which it rises, before the schedule begins."""


class Constant(Schedule):
    """The learning rate stays as it is, after a linear rise over the first `warmup` part."""

    word = "constant"
    warmup: Share = 0.0


class StepDown(Schedule):
    """The learning rate is multiplied by `gamma` after every `every` epochs, counted from the end of a linear rise over
    the first `warmup` part."""

    word = "step"
    every: Count
    gamma: Positive = 0.1
    warmup: Share = 0.0


class Cosine(Schedule):
    """From the learning rate down to zero along half a cosine, after a linear rise over the first `warmup` part."""

    word = "cosine"
    warmup: Share = 0.0


class OneCycle(Schedule):
    """Up from a 25th of the learning rate over the first `warmup` part, then down to nearly zero (Smith 2018)."""

    word = "onecycle"
    warmup: Share = 0.3


class Augmentation(Word):
    """Base of the augmentations: random changes to training images, drawn anew in every epoch."""

    channels: ClassVar[tuple[int, ...] | None] = None
    """How many channels an image may have, None for any number."""


class Crop(Augmentation):
    """Shift by up to `padding` pixels: pad with zeros on every side, cut the old size out at random."""

    word = "crop"
    padding: Count = 4


class Flip(Augmentation):
    """Mirror left and right."""

    word = "flip"
    p: Probability = 0.5


class Rotation(Augmentation):
    """Turn by up to `degrees` either way."""

    word = "rotation"
    degrees: Positive = 10.0


class ColorJitter(Augmentation):
    """Multiply brightness, contrast and saturation by random factors between 1 - v and 1 + v."""

    word = "color_jitter"
    channels = (1, 3, 4)
    brightness: Probability = 0.2
    contrast: Probability = 0.2
    saturation: Probability = 0.2


class Shift(Augmentation):
    """Move by up to `fraction` of the size either way, along each axis (an affine translation)."""

    word = "shift"
    fraction: Probability = 0.1


class Origin(Word):
    """Base of what training can start from: weights, by the names they have in a `state_dict`."""

    def at(self, folder: str) -> Origin:
        """With paths that start at this folder made such as start at the working directory."""
        paths = {name: getattr(self, name) for name in ("path", "file") if getattr(self, name, None)}
        return self.replace(**{name: os.path.join(folder, path) for name, path in paths.items()})


class OfRun(Origin):
    """The weights of a run, given as its folder: those of its best epoch or of its last."""

    word = "run"
    path: str
    which: Literal["best", "last"] = "best"


class OfFile(Origin):
    """A file of weights: safetensors, or a state_dict that `torch.save` wrote. `prefix` is what the names in the file
    begin with and those of the network do not."""

    word = "file"
    path: str
    prefix: str | None = None


class OfTorchvision(Origin):
    """Weights that torchvision publishes, by its name for them: `"ResNet18_Weights.IMAGENET1K_V1"`. They are looked for
    where `torch.hub` keeps what it has downloaded; `file` names another place."""

    word = "torchvision"
    name: str
    file: str | None = None


OPTIMIZERS = by_name(Sgd, Adam, AdamW)
SCHEDULES = by_name(Constant, StepDown, Cosine, OneCycle)
AUGMENTATIONS = by_name(Crop, Flip, Rotation, ColorJitter, Shift)
ORIGINS = by_name(OfRun, OfFile, OfTorchvision)

KINDS["Optimizer"] = word_of(OPTIMIZERS, "an optimizer")
KINDS["Schedule"] = word_of(SCHEDULES, "a schedule")
KINDS["Augmentations"] = list_of(word_of(AUGMENTATIONS, "an augmentation"), "a list of augmentations")

Augmentations = tuple[Augmentation, ...]


def _origin(value: Any) -> Origin:
    if isinstance(value, str):
        raise Mismatch(f"a text alone does not say what it names: {', '.join(f'{word}(...)' for word in ORIGINS)} do")
    found: Origin = word_of(ORIGINS, "a source of weights").read(value)
    return found


def _name(value: Any) -> str:
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, str) and value:
        return value
    raise Mismatch(f"{describe(value)} is no name")


KINDS["Origin"] = Kind(f"a source of weights ({', '.join(ORIGINS)})", _origin, names=True)
KINDS["Names"] = list_of(Kind("a name", _name), 'names of layers and groups ([features, "head.0"])')
KINDS["Epochs"] = Kind("a whole number from 1, or a list with one for each name of freeze", KINDS["Kernel"].read)

Names = tuple[str, ...]
Epochs = int | tuple[int, ...]


class Recipe(Word):
    """The settings of `train { }`, in the order they are documented."""

    word = "train"

    data: Dataset = Digits()
    augment: Augmentations = ()
    optimizer: Optimizer = AdamW()
    schedule: Schedule = Constant()
    batch: Count = 128
    epochs: Count = 10
    weights: Origin | None = None
    freeze: Names = ()
    unfreeze_after: Epochs | None = None
    clip: Positive | None = None
    label_smoothing: Share = 0.0
    ema: Share = 0.0
    patience: Count | None = None
    validation: Share = 0.1
    seed: Natural = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    about: ClassVar[dict[str, str]] = {
        "data": "where the samples come from",
        "augment": "random changes to training images",
        "optimizer": "how the weights follow the gradient",
        "schedule": "what becomes of the learning rate",
        "batch": "samples per step",
        "epochs": "passes over the training data",
        "weights": "what the network starts from; none draws its weights anew",
        "freeze": "layers and groups that keep their weights as they are",
        "unfreeze_after": "epochs after which what is frozen learns too; none keeps it frozen to the end",
        "clip": "longer gradients are shortened to this length (norm) before each step; none leaves them",
        "label_smoothing": "part of each label that is spread evenly over all classes while training",
        "ema": "decay of a running mean of the weights, which is then measured and kept; 0 for the weights themselves",
        "patience": "epochs without a better one on the validation part after which training ends; none trains all",
        "validation": "part of the training data that is held back to choose the best epoch; 0 holds nothing back",
        "seed": "fixes the split, the first weights, the order and the augmentation",
        "precision": "the numbers that convolutions and linear layers compute with; auto takes bfloat16 on a processor "
        "that has instructions for it, where the network is large enough to gain",
    }
