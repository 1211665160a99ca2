"""The zoo: published networks, each a model in one of the files of `examples/zoo`. Wherever a file can be given,
`zoo:resnet50` can."""

from __future__ import annotations

import os
import re
from functools import cache

MODEL = re.compile(r"^model (\w+)", re.MULTILINE)


def folder() -> str:
    """Inside the package when it is installed, beside it in a checkout."""
    package = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(package, "examples", "zoo")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "examples", "zoo")


def files() -> list[str]:
    """Paths of the files, in alphabetical order."""
    try:
        names = sorted(os.listdir(folder()))
    except OSError:
        return []
    return [os.path.join(folder(), name) for name in names if name.endswith(".cnn")]


@cache
def models() -> dict[str, str]:
    """The file of each model. A name that begins with a capital is a family's, whose networks are the presets."""
    found = {}
    for path in files():
        with open(path, encoding="utf-8") as file:
            found.update(dict.fromkeys(MODEL.findall(file.read()), path))
    return found


def names() -> list[str]:
    """The networks, as torchvision calls them."""
    return sorted(name for name in models() if name[0].islower())


def unknown(name: str) -> str:
    """What to say of a name that is not in the zoo."""
    from difflib import get_close_matches

    family = [model for model in models() if model[0].islower() and name and model.startswith(name.lower())]
    close = family[:3] or get_close_matches(name, names(), 3)
    meant = f"did you mean {', '.join(close)}? " if close else ""
    return f"there is no {name or 'network without a name'} in the zoo; {meant}cnnspec zoo lists what there is"
