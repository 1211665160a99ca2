"""From a module of PyTorch to the layer of the language that becomes it.

Nothing is listed here: a layer is found by the class that its `torch` names, its arguments by trying which of them
reach which argument of that class, and what is found counts only if the module it becomes is the one it came from."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import product
from typing import Any

import torch
from torch import nn

import cnnspec.modules
from cnnspec.layers import ALL
from cnnspec.layers.base import Layer, Refused, Shape, TorchCall
from cnnspec.record import REQUIRED
from cnnspec.words import Like, Mismatch

RANKS = ("1d", "2d", "3d")


def base(name: str) -> str:
    """A name of torch without the rank: `Conv2d` is Conv."""
    return name[:-2] if name.endswith(RANKS) else name


def class_of(call: TorchCall) -> Any:
    home, _, name = call.name.rpartition(".")
    return getattr(import_module("torch.nn" if home == "nn" else "torch" if home else "cnnspec.modules"), name)


TRIED: tuple[Any, ...] = (1, 2, 3, 0.25, True, False, None, (2, 3), (3, 2), (1, 2, 3, 4), "same", "valid")
"""Values that arguments are tried with, and the names that an annotation lists."""

SHAPES = (Shape((24,)), Shape((24, 12)), Shape((24, 12, 12)), Shape((24, 12, 12), True), Shape((12, 12, 12, 12)))


class Entry:
    """A layer and what torch makes of its arguments: `sources` are, for each argument, the arguments of torch's class
    that it reaches."""

    def __init__(self, layer: type[Layer]) -> None:
        self.layer = layer
        self.classes: set[str] = set()
        self.sources: dict[str, set[str]] = {name: set() for name in layer.__fields__}
        self.literals = {name: _names(layer, name) for name in layer.__fields__}
        for made, x in _examples(layer, self.literals):
            self.learn(made, x)

    def learn(self, made: Layer, x: Shape) -> None:
        """What one set of arguments becomes, and what becomes of each of them alone when it changes."""
        bound = _bound(made, x)
        if bound is None:
            return
        self.classes.add(bound[0])
        for name in self.sources:
            for value in (*TRIED, x.channels, *self.literals[name]):
                other = _bound(_with(made, name, value), x)
                if other and other[0] == bound[0]:
                    self.sources[name] |= {key for key in other[1] if other[1][key] != bound[1].get(key)}
                elif other:
                    self.classes.add(other[0])


def _with(made: Layer, name: str, value: Any) -> Layer:
    """Another value of one argument; what copied it copies it again."""
    given = {key: each for key, each in made.__dict__.items() if key in made.__fields__}
    for key, default in made.__fields__.items():
        if isinstance(default, Like) and default.argument == name and given[key] == given[name]:
            given[key] = default
    return type(made)(**given | {name: value})


def _names(layer: type[Layer], argument: str) -> tuple[str, ...]:
    """The names that an argument takes, of a `Literal`."""
    for parent in layer.__mro__:
        text = str(inspect.get_annotations(parent).get(argument, ""))
        if text.startswith("Literal["):
            return tuple(part.strip(" '\"") for part in text[8 : text.index("]")].split(","))
    return ()


def _examples(layer: type[Layer], literals: dict[str, tuple[str, ...]]) -> Iterator[tuple[Layer, Shape]]:
    """Arguments that are accepted, with what arrives: one for every shape that is."""
    needed = [name for name, default in layer.__fields__.items() if default is REQUIRED]
    optional = [name for name, default in layer.__fields__.items() if default is None]
    for x in SHAPES:
        for values in product((2, 0.25, (4, 6), (24, 1, 1)), repeat=len(needed)):
            given = dict(zip(needed, values, strict=True))
            bases = [given, *(given | {name: 2} for name in optional)]
            found = [base for base in bases if _bound(layer(**base), x)]
            for base in found:
                yield layer(**base), x
                yield from ((layer(**base | other), x) for other in _others(layer, literals))
            if found:
                break


def _others(layer: type[Layer], literals: dict[str, tuple[str, ...]]) -> Iterator[dict[str, Any]]:
    """Settings under which others begin to count: modes, and a value to fill with."""
    yield from ({name: each} for name, names in literals.items() for each in names)
    yield from ({name: 0.25} for name, default in layer.__fields__.items() if default == 0.0 and default is not False)


def _bound(layer: Layer, x: Shape) -> tuple[str, dict[str, Any]] | None:
    """The name of torch's class without its rank and the values of its arguments, where torch takes them."""
    try:
        layer.output(x)
        call = layer.torch(x)
        made = class_of(call)
        bound = signature_of(made).bind(*call.args, **call.kwargs)
    except (Refused, TypeError, ValueError, AttributeError, ZeroDivisionError, IndexError, KeyError):
        return None
    bound.apply_defaults()
    return base(made.__name__), dict(bound.arguments)


signature_of = cache(inspect.signature)


@cache
def table() -> dict[str, list[Entry]]:
    """The layers that may become a class of torch, by its name without the rank."""
    found: dict[str, list[Entry]] = {}
    for layer in ALL:
        if not layer.bare:
            entry = Entry(layer)
            for name in sorted(entry.classes):
                found.setdefault(name, []).append(entry)
    return found


ALIASES: dict[str, tuple[str, dict[str, str]]] = {"DropPath": ("StochasticDepth", {"p": "drop_prob"})}
"""Classes elsewhere that do what one of ours does: its name, and what they call its arguments."""


def is_known(module: nn.Module) -> bool:
    """Whether a module is of a class of torch that a layer may become, or of the name of one of our own."""
    kind = type(module)
    if kind.__name__ in ALIASES:
        return True
    known = base(kind.__name__) in table()
    return known and (getattr(nn, kind.__name__, None) is kind or hasattr(cnnspec.modules, kind.__name__))


def layer_of(module: nn.Module, x: Shape) -> Layer | None:
    """The layer that becomes this module for this input; None where there is none."""
    name, renamed = ALIASES.get(type(module).__name__, (type(module).__name__, {}))
    for entry in table().get(base(name), ()):
        for layer in candidates(entry, facts(module, renamed)):
            if becomes(layer, x, module, name, renamed):
                return layer
    return None


def facts(module: nn.Module, renamed: dict[str, str]) -> dict[str, Any]:
    """The values that torch's arguments have in a module: its attributes of the same names."""
    found = {key: _fixed(value) for key, value in vars(module).items() if not key.startswith("_")}
    for key in ("weight", "bias"):
        if key in module._parameters:
            found[key] = module._parameters[key] is not None
    return found | {ours: found.get(theirs) for ours, theirs in renamed.items()}


def _fixed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def simple(value: Any) -> Any:
    """One number for a tuple of equal ones."""
    if isinstance(value, list | tuple):
        values = tuple(simple(each) for each in value)
        return values[0] if values and all(each == values[0] for each in values) else values
    return value


def candidates(entry: Entry, found: dict[str, Any]) -> Iterator[Layer]:
    """Layers with these facts: what an argument reaches directly has that value, a name that is translated may be any
    of its names."""
    choices: list[list[Any]] = []
    fields = entry.layer.__fields__
    for name, sources in entry.sources.items():
        values = [each for key in sources if key in found for each in dict.fromkeys((simple(found[key]), found[key]))]
        default = fields[name]
        names = [*entry.literals[name]]
        if names:
            values = [value for value in values if value in names]
            names = [] if values else names
        values = [read for value in values for read in _read(entry.layer, name, value)]
        offered = [*values, *names, *([] if default is REQUIRED or isinstance(default, Like) else [default])]
        choices.append(list(dict.fromkeys(offered)) or [default])
    for values_ in product(*choices):
        if REQUIRED not in values_:
            yield entry.layer(**dict(zip(entry.sources, values_, strict=True)))


def _read(layer: type[Layer], name: str, value: Any) -> Iterator[Any]:
    """The value as the argument keeps it, where it takes it."""
    if isinstance(value, str):
        yield value
    elif value is None:
        parents = (inspect.get_annotations(parent) for parent in layer.__mro__)
        if any(str(found.get(name, "")).endswith("| None") for found in parents):
            yield None
    else:
        try:
            read = layer.parameters()[name].kind.read(value)
        except Mismatch:
            return
        if isinstance(read, tuple) <= isinstance(value, tuple):  # one number may stand for equal ones, not for a list
            yield read


def becomes(layer: Layer, x: Shape, module: nn.Module, name: str, renamed: dict[str, str]) -> bool:
    """Whether torch makes the same module of a layer."""
    try:
        layer.output(x)
        call = layer.torch(x)
        if class_of(call).__name__ != name:
            return False
        with torch.device("meta"):
            made: nn.Module = class_of(call)(*call.args, **call.kwargs)
    except (Refused, TypeError, ValueError, AttributeError):
        return False
    same = _settings(made) | ({} if renamed else {"": _shapes(made)})
    theirs = facts(module, renamed) | {"": _shapes(module)}
    if renamed:
        same = {key: same[key] for key in renamed}
    return all(_alike(key, value, theirs.get(key), x) for key, value in same.items())


IGNORED = {"training", "inplace", "_is_full_backward_hook", "call_super_init"}


def _settings(module: nn.Module) -> dict[str, Any]:
    return {key: value for key, value in facts(module, {}).items() if key not in IGNORED and not callable(value)}


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}


def _alike(key: str, ours: Any, theirs: Any, x: Shape) -> bool:
    if key == "dim" and isinstance(ours, int) and isinstance(theirs, int):
        axes = len(x.sizes) + 1
        return ours % axes == theirs % axes
    if ours is None or ours is False:
        return theirs is None or theirs is False
    return bool(simple(ours) == simple(theirs))
