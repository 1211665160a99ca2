"""Names of Python, values that a place may have, and what flows through it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from keyword import kwlist
from typing import Any

from cnnspec.emission.express import FUNCTIONS, Values, same
from cnnspec.layers import LAYERS
from cnnspec.syntax import tree
from cnnspec.words import CallValue, Symbol

RESERVED = frozenset({*kwlist, *FUNCTIONS, "nn", "torch", "partial", "Callable", "OrderedDict", "self", "super", "x"})
"""Names that are no names in Python, or that the source needs itself."""

LONGEST = 60
"""What says more than this in one place gets a name instead."""


class _Any:
    def __repr__(self) -> str:
        return "ANY"


ANY: Any = _Any()
"""The value of an argument where nothing asks for it."""


class Unexplained(Exception):
    """A place of the model changes with an argument that is offered, and no expression says how."""


@dataclass(frozen=True)
class Flow:
    """How many channels there are at a place: as Python, and in each run. Behind a layer that changes their number
    without being told it (flatten), the number before it. Without a text where none says it."""

    text: str | None
    values: Values

    def at(self, index: Sequence[int]) -> Flow:
        return Flow(self.text, tuple(self.values[at] for at in index))


def merged(one: Values, other: Values) -> Values | None:
    """Both in one, where they agree."""
    found = []
    for a, b in zip(one, other, strict=True):
        if a is not ANY and b is not ANY and not same([a], [b]):
            return None
        found.append(b if a is ANY else a)
    return tuple(found)


def item_name(expression: tree.Expr) -> str:
    """What one of some `widths` is called."""
    match expression:
        case tree.Index(base=tree.Name(text=name)) if len(name) > 2 and name.endswith("s"):
            return name[:-1]
    return ""


def has_literal(value: Any) -> bool:
    """Whether a value of the language is one in Python: not a layer or a block."""
    if isinstance(value, tuple):
        return all(map(has_literal, value))
    if isinstance(value, Symbol):
        return value.name not in LAYERS and not value.name[:1].isupper()
    return not isinstance(value, CallValue)


def free(wanted: str, taken: Iterable[str]) -> str:
    """The name; with an underscore behind it where Python needs it, with a number where it is taken."""
    wanted, names = wanted + "_" * (wanted in RESERVED), set(taken)
    return wanted if wanted not in names else next(f"{wanted}{n}" for n in count(2) if f"{wanted}{n}" not in names)
