"""Network -> Python source that needs PyTorch alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from textwrap import wrap
from typing import get_args

from cnnspec.emission.copied import copied
from cnnspec.emission.layout import WIDTH, docstring
from cnnspec.emission.names import free
from cnnspec.emission.naming import Style
from cnnspec.emission.offer import plan
from cnnspec.emission.shapes import LETTERS, letters
from cnnspec.emission.source import ClassSource, arriving
from cnnspec.network.model import Network
from cnnspec.words import together

__all__ = ["Style", "emit"]

BATCH = 8
"""Samples in the demonstration; more than one, as batchnorm needs."""


def emit(network: Network, *, style: Style = "sequential") -> str:
    """Python source of the network: a class for each block and one for the model.

    "sequential" writes groups as `nn.Sequential`, "forward" writes every step out in a `forward`. Either way the
    parameters have the names that `build` gives them and, after the same seed, the same values.
    """
    if style not in get_args(Style):
        raise ValueError(f"style is one of {', '.join(get_args(Style))}, not {style}")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    planned = plan(class_name(network.name), network)
    classes = ["\n".join(ClassSource(each, style, network.parameters).lines()) for each in planned.classes]
    text = "\n".join(classes)
    modules = copied(text)
    sizes = dict.fromkeys(letter for each in planned.classes for letter in letters(arriving(each)))
    reading = legend(tuple(sizes), by_position="](x)" in text, in_order="next(layers)" in text)
    if network.open:
        reading += f" The input is {network.open.input}; what is shown is for {network.input}."
    environment = Environment(
        loader=PackageLoader("cnnspec.emission"),
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("module.py.jinja").render(
        docstring="\n".join(docstring((title(network), *wrap(reading, WIDTH)), 0)),
        imports=imports(text),
        classes=[*modules, *classes],
        model=planned.model.name,
        batch=", ".join(map(str, (BATCH, *network.input.sizes))),
        result=[BATCH, *network.output.sizes],
        sides=planned.model.sides,
    )


def class_name(name: str) -> str:
    """The name of a model as a class: `my_net` becomes `MyNet`."""
    words = [part[0].upper() + part[1:] for part in name.split("_") if part]
    return free("".join(words) or "Model", ())


def title(network: Network) -> str:
    """What the file holds and where it comes from."""
    file = PurePath(network.source.name).name
    origin = f" from {file}" if re.fullmatch(r"[\w.+-]{1,40}", file) else ""
    return f"{network.name}, written by cnnspec{origin}."


def legend(sizes: Sequence[str], *, by_position: bool, in_order: bool) -> str:
    """How the text is to be read. `sizes` are the letters that shapes are written with."""
    sentences = ["Comments give the shape that leaves a line, without the batch."]
    if sizes:
        meaning = [LETTERS[letter] for letter in sizes]
        verbs = ("is", "arrives") if len(sizes) == 1 else ("are", "arrive")
        sentences.append(f"In a block {together(sizes)} {verbs[0]} the {together(meaning)} that {verbs[1]}.")
    if by_position:
        sentences.append("A layer without a name is called by its position, which is its key in the state_dict.")
    if in_order:
        sentences.append("Where layers repeat, forward takes one after another, in the order they are made.")
    return " ".join(sentences)


IMPORTS = {
    "OrderedDict(": "from collections import OrderedDict",
    "Callable[": "from collections.abc import Callable",
    "partial(": "from functools import partial",
}
"""What the standard library gives, by the text that needs it."""


def imports(text: str) -> str:
    standard = [line for needed, line in IMPORTS.items() if needed in text]
    torch = ["import torch", "from torch import nn"]
    return "\n".join([*standard, "", *torch] if standard else torch)
