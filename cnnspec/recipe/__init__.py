"""How a network is trained: what `train { }` says, and the defaults where it says nothing. No torch here."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnspec.data.facts import Dataset, Digits
from cnnspec.recipe.augmentations import (
    AUGMENTATIONS,
    Augmentation,
    Augmentations,
    ColorJitter,
    Crop,
    Cutout,
    Flip,
    RandomErasing,
    Rotation,
    Shift,
)
from cnnspec.recipe.inits import INITS, Init, Inits
from cnnspec.recipe.mixes import MIXES, CutMix, Mix, Mixes, Mixup
from cnnspec.recipe.names import Names
from cnnspec.recipe.optimizers import GROUPS, OPTIMIZERS, Adam, AdamW, Group, Groups, Muon, Optimizer, Sgd
from cnnspec.recipe.origins import ORIGINS, OfFile, OfRun, OfTorchvision, Origin
from cnnspec.recipe.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Linear,
    MultiStep,
    OneCycle,
    Plateau,
    Schedule,
    StepDown,
)
from cnnspec.recipe.views import VIEWS, Mirror, Moves, View, Views
from cnnspec.words import KINDS, Count, Kind, Natural, Positive, Share, Word

Epochs = int | tuple[int, ...]

KINDS["Epochs"] = Kind("a whole number from 1, or a list with one for each name of freeze", KINDS["Kernel"].read)


__all__ = [
    "AUGMENTATIONS",
    "GROUPS",
    "INITS",
    "MIXES",
    "OPTIMIZERS",
    "ORIGINS",
    "SCHEDULES",
    "VIEWS",
    "Adam",
    "AdamW",
    "Augmentation",
    "Augmentations",
    "ColorJitter",
    "Constant",
    "Cosine",
    "Crop",
    "CutMix",
    "Cutout",
    "Epochs",
    "Flip",
    "Group",
    "Groups",
    "Init",
    "Inits",
    "Linear",
    "Mirror",
    "Mix",
    "Mixes",
    "Mixup",
    "Moves",
    "MultiStep",
    "Muon",
    "Names",
    "OfFile",
    "OfRun",
    "OfTorchvision",
    "OneCycle",
    "Optimizer",
    "Origin",
    "Plateau",
    "RandomErasing",
    "Recipe",
    "Rotation",
    "Schedule",
    "Sgd",
    "Shift",
    "StepDown",
    "View",
    "Views",
]


class Recipe(Word):
    """The settings of `train { }`, in the order they are documented."""

    word = "train"

    data: Dataset = Digits()
    augment: Augmentations = ()
    mix: Mixes = ()
    optimizer: Optimizer = AdamW()
    groups: Groups = ()
    schedule: Schedule = Constant()
    batch: Count = 128
    accumulate: Count = 1
    epochs: Count = 10
    init: Inits = ()
    weights: Origin | None = None
    freeze: Names = ()
    unfreeze_after: Epochs | None = None
    clip: Positive | None = None
    label_smoothing: Share = 0.0
    ema: Share = 0.0
    views: Views = ()
    patience: Count | None = None
    validation: Share = 0.1
    seed: Natural = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    about: ClassVar[dict[str, str]] = {
        "data": "where the samples come from",
        "augment": "random changes to training images",
        "mix": "training samples made of two, one of these ways chosen for each",
        "optimizer": "how the weights follow the gradient",
        "groups": "parameters with a learning rate or weight decay of their own",
        "schedule": "what becomes of the learning rate",
        "batch": "samples per step; per pass, where gradients accumulate",
        "accumulate": "passes whose gradients are added up for one step of the optimizer",
        "epochs": "passes over the training data",
        "init": "how weights begin, where not as PyTorch begins them",
        "weights": "what the network starts from; none draws its weights anew",
        "freeze": "layers and groups that keep their weights as they are",
        "unfreeze_after": "epochs after which what is frozen learns too; none keeps it frozen to the end",
        "clip": "longer gradients are shortened to this length (norm) before each step; none leaves them",
        "label_smoothing": "part of each label that is spread evenly over all classes while training",
        "ema": "decay of a running mean of the weights, which is then measured and kept; 0 for the weights themselves",
        "views": "changed views of each sample that are averaged where the network is measured or asked",
        "patience": "epochs without a better one on the validation part after which training ends; none trains all",
        "validation": "part of the training data that is held back to choose the best epoch; 0 holds nothing back",
        "seed": "fixes the split, the first weights, the order and the augmentation",
        "precision": "the numbers that convolutions and linear layers compute with; auto takes bfloat16 on a processor "
        "that has instructions for it, where the network is large enough to gain",
    }
