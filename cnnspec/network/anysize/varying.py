"""Whether a model with open sizes is one network: the same layers, with the same weights, whatever the sizes are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

from cnnspec.layers.base import TorchCall
from cnnspec.network.anysize.runs import Fit, Module, Refusal, Visit, in_box
from cnnspec.record import Record
from cnnspec.sizes.cases import Found
from cnnspec.sizes.number import Number
from cnnspec.sizes.sets import Box


class Varying(Record):
    """A layer that is not the same for all sizes, and the number that differs, as a formula where it has one for some
    sizes. `names` are what it is called for the sizes of the box and for others, where only that differs; `partly`: it
    is there for some sizes only."""

    visit: Visit
    formula: str
    box: Box
    names: tuple[str, ...] = ()
    partly: bool = False


def weights(module: Module) -> Any:
    return (*module.weights.parameters.values(), *module.weights.buffers.values())


def torch(module: Module) -> Any:
    return (module.torch,)


def varying(runs: Sequence[Found[Fit | Refusal]], of: Callable[[Module], Any]) -> Varying | None:
    """The first layer of which `of` says something else for other sizes that run."""
    first: list[Any] | None = None
    for run in runs:
        if not isinstance(run.outcome, Fit):
            continue
        found = list(_plain_of(run.outcome, of, run.box))
        for visit, *_, plain in found:
            formula = next(_formulas(plain), None)
            if formula is not None:
                return Varying(visit, formula, run.box)
        if first is None:
            first = found
        for one, other in zip_longest(first, found):
            if one is None or other is None or one[1:] != other[1:]:
                return _partly(first, found, run.box) or _apart(one, other, run.box)
    return None


def _partly(first: Sequence[Any], found: Sequence[Any], box: Box) -> Varying | None:
    calls, others = ({id(visit.call) for visit, *_ in run} for run in (first, found))
    visit = next((visit for visit, *_ in (*first, *found) if id(visit.call) in calls ^ others), None)
    return visit and Varying(visit, "", box, partly=True)


def _apart(one: Any, other: Any, box: Box) -> Varying:
    visit = (other or one)[0]
    renamed = one and other and one[0].call is visit.call and one[2:] == other[2:]
    return Varying(visit, "", box, (other[1], one[1]) if renamed else ())


class _Formula(str):
    """What a number is worth that is not the same for all sizes of a run."""


def _plain_of(fit: Fit, of: Callable[[Module], Any], box: Box) -> Iterator[tuple[Visit, str, str, Any]]:
    for visit, module in zip(fit.visits, fit.modules, strict=True):
        if what := of(module):
            yield visit, module.path, module.torch.name, _plain(what, box)


def _plain(value: Any, box: Box) -> Any:
    """The value with numbers for what is one number in a box."""
    if type(value) is Number:
        known = in_box(value, box)
        return known if type(known) is int else _Formula(known)
    if type(value) is tuple:
        return tuple(_plain(each, box) for each in value)
    if type(value) is TorchCall:
        return tuple(_plain(each, box) for each in (*value.args, *sorted(value.kwargs.items())))
    return value


def _formulas(value: Any) -> Iterator[str]:
    if type(value) is _Formula:
        yield str(value)
    elif type(value) is tuple:
        for each in value:
            yield from _formulas(each)
