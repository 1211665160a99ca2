"""What training can start from."""

from __future__ import annotations

import os
from typing import Any, Literal

from cnnspec.words import KINDS, Kind, Mismatch, Word, by_name, word_of


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


ORIGINS = by_name(OfRun, OfFile, OfTorchvision)


def _origin(value: Any) -> Origin:
    if isinstance(value, str):
        raise Mismatch(f"a text alone does not say what it names: {', '.join(f'{word}(...)' for word in ORIGINS)} do")
    found: Origin = word_of(ORIGINS, "a source of weights").read(value)
    return found


KINDS["Origin"] = Kind(f"a source of weights ({', '.join(ORIGINS)})", _origin, names=True)
