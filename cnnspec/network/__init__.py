"""From text to checked networks.

`check` gives every diagnostic of a spec and the networks that are right; `load` gives one network or raises.
"""

from __future__ import annotations

from collections.abc import Mapping

from cnnspec.diagnostics import SpecError
from cnnspec.network.model import BlockUse, CombineNode, GroupNode, LayerNode, Network, Node, PlacedLayer
from cnnspec.network.reading import UsageFault, read_source
from cnnspec.network.settings import overrides
from cnnspec.network.spec import Checked, Spec
from cnnspec.source import Source

__all__ = [
    "BlockUse",
    "Checked",
    "CombineNode",
    "GroupNode",
    "LayerNode",
    "Network",
    "Node",
    "PlacedLayer",
    "UsageFault",
    "check",
    "load",
    "read_source",
]


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
    open: bool = False,
) -> Network:
    """The one network of a spec, or the one called `model`; `open` tells that one will do whose input has open sizes,
    if its layers are the same for all of them.

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
    _require_sizes(networks[0], open)
    return networks[0]


def _require_sizes(network: Network, open: bool) -> None:
    """Refuse a network with open sizes where it has to have some."""
    left = network.open
    if left and not (open and not left.varies):
        names = " and ".join(left.names)
        why = f", and {left.varies} depends on {names}" if open else ""
        raise UsageFault(  # its input is one that runs
            f"{network.name} leaves {names} open{why}: give sizes with --input {network.input} (input= in Python)"
        )
