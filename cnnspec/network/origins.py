"""Short forms of what is given from outside: weights as a path or a name, names as a list with commas."""

from __future__ import annotations

import os
import re

from cnnspec.network.reading import UsageFault


def origin_text(text: str) -> str:
    """Weights to start from in the language: the path of a run or of a file, and torchvision's name for its own, become
    the call that reads them. Raises `UsageFault` for a path where there is nothing."""
    path = os.path.expanduser(text).replace(os.sep, "/")
    if text == "none" or ("(" in text and not os.path.exists(path)):
        return text
    if os.path.isdir(path):
        return f'run("{path}")'
    if os.path.exists(path):
        return f'file("{path}")'
    if re.fullmatch(r"\w+_Weights\.\w+", text):
        return f'torchvision("{text}")'
    what = "neither the folder of a run nor a file, nor a name like ResNet18_Weights.IMAGENET1K_V1"
    raise UsageFault(f"there are no weights at {text}: it is {what}")


def names_text(text: str) -> str:
    """`features, head.0` as a list in the language."""
    if text == "none" or not re.fullmatch(r"[\w.]+(\s*,\s*[\w.]+)*", text):
        return text
    return "[" + ", ".join(f'"{name.strip()}"' for name in text.split(",")) + "]"
