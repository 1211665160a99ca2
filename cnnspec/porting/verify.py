"""Whether a ported spec is the module it came from: the same names, the same count, and the same bits that come out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from cnnspec.building import build_module
from cnnspec.network import Network
from cnnspec.porting.values import each
from cnnspec.record import Record


class Verified(Record):
    """What was compared. `largest` is how far apart the outputs are, None where they could not be compared."""

    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    parameters: tuple[int, int]
    largest: float | None
    why: str = ""

    @property
    def fits(self) -> bool:
        """Whether names and the number of parameters are the same."""
        return not self.missing and not self.surplus and self.parameters[0] == self.parameters[1]

    @property
    def told(self) -> str:
        """In words."""
        ours, theirs = self.parameters
        if not self.fits:
            names = [f"{len(keys)} {what} ({keys[0]})" for keys, what in self._names() if keys]
            count = f"{ours:,} parameters where the original has {theirs:,}" if ours != theirs else ""
            return ", ".join([*filter(None, [count]), *names])
        same = f"the original's names and {ours:,} parameters"
        if self.largest is None:
            return f"{same}; {f'outputs not compared: {self.why}' if self.why else 'no numbers were put through it'}"
        if self.largest == 0:
            return f"{same}; with its weights the same comes out, bit for bit"
        return f"{same}; with its weights the output is up to {self.largest:.3g} apart"

    def _names(self) -> list[tuple[tuple[str, ...], str]]:
        return [(self.missing, "names of the original missing"), (self.surplus, "names that it does not have")]


class Unsteady(Exception):
    """The original draws numbers, so there is nothing to compare with."""


def verify(module: nn.Module, network: Network, *, numbers: bool = True) -> Verified:
    """The network with the module's weights, beside the module, in evaluation. `numbers` runs both."""
    with torch.device("meta"):
        ours = build_module(network)
    theirs = module.state_dict()
    own = ours.state_dict()
    missing = tuple(key for key in theirs if key not in own)
    surplus = tuple(key for key in own if key not in theirs)
    counts = sum(p.numel() for p in ours.parameters()), sum(p.numel() for p in module.parameters())
    wrong = [key for key in own if key in theirs and own[key].shape != theirs[key].shape]
    if surplus or wrong or not numbers or any(value.is_meta for value in theirs.values()):
        why = "" if not (surplus or wrong) else f"{(surplus or wrong)[0]} is not in the original as it is here"
        return Verified(missing, surplus, counts, None, why)
    ours.load_state_dict({key: theirs[key] for key in own}, strict=True, assign=True)
    try:
        return Verified(missing, surplus, counts, _apart(module, ours, network.input.sizes))
    except Unsteady as error:
        return Verified(missing, surplus, counts, None, str(error))
    except Exception as error:
        return Verified(missing, surplus, counts, None, f"{type(error).__name__}: {error}".splitlines()[0])


def _first(result: Any) -> Tensor:
    found: Tensor = next(leaf for leaf in each(result) if isinstance(leaf, Tensor))
    return found


def _apart(module: nn.Module, ours: nn.Module, sizes: tuple[int, ...]) -> float:
    """The largest difference between the outputs; infinite where their shapes differ, or one is no number
    where the other is."""
    like = next((value for value in module.state_dict().values() if value.is_floating_point()), torch.empty(0))
    x = torch.rand(1, *sizes, generator=torch.Generator().manual_seed(0)).to(like.device, like.dtype)
    training = {each_module: each_module.training for each_module in module.modules()}
    with torch.no_grad():
        expected = _first(module.eval()(x.clone()))
        found = ours.eval()(x)
        steady = torch.equal(found, expected) or torch.equal(expected, _first(module(x.clone())))
    for each_module, mode in training.items():
        each_module.training = mode
    if not steady and not expected.isnan().any():
        raise Unsteady("each time something else comes out of the original")
    if found.shape != expected.shape:
        return float("inf")
    if not torch.equal(found.isnan(), expected.isnan()):
        return float("inf")
    found, expected = found.nan_to_num(), expected.nan_to_num()
    return 0.0 if torch.equal(found, expected) else float((found - expected).abs().max())
