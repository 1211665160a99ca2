"""The weights that torchvision publishes: their names, where their files lie, and how their samples are scaled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch

from cnnspec.data.vision import impatient, import_torchvision
from cnnspec.training.error import TrainError


@dataclass(frozen=True)
class Published:
    """One entry. Images are scaled by `mean` and `std`, with bytes as 0 to 1; it was measured on images of `size`."""

    name: str
    url: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    size: int

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def promise(self) -> str:
        """The beginning of the SHA-256, which the name of the file tells."""
        return self.file.rpartition("-")[2].partition(".")[0]


def entries() -> Iterator[Published]:
    """All those of classifiers."""
    models = import_torchvision().models
    for name in models.list_models(module=models):
        for weights in models.get_model_weights(name):
            yield _entry(weights)


RESCALED = ("GoogLeNet_Weights", "Inception_V3_Weights")
"""torchvision's networks of these turn the scale of ImageNet into another one, inside, before their first layer."""


def _entry(weights: Any) -> Published:
    transforms = weights.transforms()
    mean, std = tuple(transforms.mean), tuple(transforms.std)
    if type(weights).__name__ in RESCALED:
        mean, std = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    return Published(str(weights), weights.url, mean, std, transforms.crop_size[0])


def by_name(name: str) -> Published:
    """Raises `TrainError` with what comes near where there is none of that name."""
    known = {entry.name: entry for entry in entries()}
    if name in known:
        return known[name]
    model, _, variant = name.partition(".")
    plain = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), plain, 3) or get_close_matches(
        f"{model.lower()}_weights.imagenet1k_v1", plain, 3
    )
    notes = (f"near it are {', '.join(plain[each] for each in near)}",) if near else ()
    if variant == "DEFAULT":
        notes = ("which ones are the default changes with torchvision: name them", *notes)
    raise TrainError(f"torchvision publishes no weights called {name}", *notes)


def by_file(name: str) -> Published | None:
    """The entry whose file has this name."""
    return next((entry for entry in entries() if entry.file == name), None)


def fetched(weights: Published) -> Path:
    """The file where `torch.hub` keeps it, downloaded where it is not there yet."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / weights.file
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with impatient():
            torch.hub.download_url_to_file(weights.url, str(path), weights.promise, progress=False)
    except Exception as error:  # the network raises many things
        raise TrainError(
            f"{weights.name} is not in {path.parent}, and could not be downloaded",
            f"its file is {weights.file}, from {weights.url}",
            f"the reason: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            "put it there, or name it where it is: --weights FILE",
        ) from None
    return path
