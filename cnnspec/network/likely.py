"""What was probably meant by names and values from outside that cannot be taken. Loaded where there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnnspec.recipe import Recipe
from cnnspec.words import closest
from cnnspec.words.wrong import ELSEWHERE, meant


def likely(text: str) -> Iterator[str]:
    """What may be a value where a text is none: `10%`, `adam lr=0.1`, `mixup=0.2`, `flip, crop`, `[flip crop]`."""
    if percent := re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?%", text):
        yield f"{float(percent[1]) / 100:g}"
    if call := re.fullmatch(r"(\w+)[ :,]+(\w+ ?=.+)", text) or re.fullmatch(r"([a-z]\w*)(?: ?=| +(?=[0-9]))(.+)", text):
        yield f"{call[1]}({call[2].strip()})"
    yield from (f"[{text}]", f"{text}]", f"{text})", f"{text})]")
    spaced = re.sub(r"(?<=[\w)]) +(?=\w)", ", ", text)
    yield from (spaced, f"[{spaced}]")


def instead(name: str) -> str:
    """What to write in the place of a setting that there is not."""
    inside, _, argument = name.rpartition(".")
    if inside in Recipe.parameters():
        return f"{argument} stands inside of train.{inside}, as lr in train.optimizer=sgd(lr=0.1)"
    return _near(name) or f"there are {', '.join(Recipe.parameters())}"


def no_parameter(name: str, known: list[str]) -> str:
    """What a name is, or may be, that is no parameter of a model."""
    there_are = f"there are {', '.join(known)}" if known else ""
    if name in Recipe.parameters():
        told = f"train.{name} is the setting of train {{ }}"
    else:
        told = next((f"did you mean {near}?" for near in closest(name, known)), "") or _near(name)
    return "".join(f"; {each}" for each in (there_are, told) if each)


def _near(name: str) -> str:
    settings = meant(name, Recipe.parameters())
    return f"did you mean train.{settings[0]}?" if settings else ELSEWHERE.get(name, "")
