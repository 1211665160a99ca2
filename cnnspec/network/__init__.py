"""From text to checked networks.

`check` gives every diagnostic of a spec and the networks that are right; `load` gives one network or raises.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from cnnspec.diagnostics import SpecError
from cnnspec.network.model import BlockUse, GroupNode, LayerNode, Network, Node
from cnnspec.network.settings import UsageFault, overrides
from cnnspec.network.spec import Checked, Spec
from cnnspec.source import Source

__all__ = [
    "BlockUse",
    "Checked",
    "GroupNode",
    "LayerNode",
    "Network",
    "Node",
    "UsageFault",
    "check",
    "load",
    "read_source",
]

LONGEST_FILE = 5_000_000
"""Files with more bytes than this are not read: no spec is that long."""


def check(
    source: Source,
    *,
    set: Mapping[str, object] | None = None,
    input: object | None = None,
    train: bool = False,
    only: str | None = None,
) -> Checked:
    """Everything that is wrong with a spec, and its networks.

    `set` overrides parameters (`{"classes": 100}`) and training settings (`{"train.epochs": 3}`); `input` tries
    another input; `train` fills in the default settings of a spec without `train { }`; `only` names the one model to
    look at. Raises `UsageFault` for overrides that suit no model.
    """
    given = overrides(set or {}, input)
    return Spec(source, given, train, only).check()


def load(
    source: Source,
    *,
    model: str | None = None,
    set: Mapping[str, object] | None = None,
    input: object | None = None,
    train: bool = False,
) -> Network:
    """The one network of a spec, or the one called `model`.

    Raises `SpecError` where the spec has errors, `UsageFault` where the choice is not clear.
    """
    checked = check(source, set=set, input=input, train=train, only=model)
    if checked.errors:
        raise SpecError(checked.errors)
    networks = checked.networks
    if len(networks) > 1:
        names = ", ".join(network.name for network in networks)
        raise UsageFault(f"{source.name} has several models: {names}; choose one with --model NAME (model= in Python)")
    if not networks:
        raise UsageFault(f"no model of {source.name} can be built: their parameters have no values")
    return networks[0]


def read_source(path: str | os.PathLike[str]) -> Source:
    """A file as a Source, standard input for `-`. Raises `UsageFault` where it cannot be read."""
    name = os.fspath(path)
    try:
        if name == "-":
            data = sys.stdin.buffer.read(LONGEST_FILE + 1)
        else:
            with open(name, "rb") as file:
                data = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise UsageFault(f"{name} cannot be read: {error.strerror}") from None
    if len(data) > LONGEST_FILE:
        raise UsageFault(f"{name} has more than {LONGEST_FILE:,} bytes: it is no spec")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageFault(f"{name} is not text in UTF-8: line {line} has a byte that cannot be read") from None
    return Source("<stdin>" if name == "-" else name, text)
