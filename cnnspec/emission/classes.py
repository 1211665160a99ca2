"""The classes of the source while they are planned: what they hold, and what their constructors take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from keyword import kwlist

from cnnspec.emission.express import Scope, Values, constant, explain, holds, literal, plain, words
from cnnspec.emission.written import names, python
from cnnspec.network.model import GroupNode, Node
from cnnspec.syntax import tree

RESERVED = frozenset({*kwlist, "nn", "torch", "OrderedDict", "self", "super", "layers"})
"""Names that are no names in Python, or that the source needs itself."""

LONGEST = 60
"""What says more than this in one place gets a name instead."""


class Unexplained(Exception):
    """A place of the model changes with an argument that is offered, and no expression says how."""


@dataclass(frozen=True)
class Flow:
    """How many channels there are at a place of a class: as Python, and in each use. Behind a layer that changes
    their number without being told it (flatten), the number before it."""

    text: str
    values: Values


@dataclass(frozen=True)
class Item:
    """One child of a module: a call, or braces with `children`. `nodes` are its nodes in the uses of the class, and
    `flow` tells the channels behind it."""

    key: str
    nodes: tuple[Node, ...]
    head: str
    flow: Flow
    arguments: tuple[str, ...] = ()
    children: tuple[Item, ...] | None = None


@dataclass
class ClassPlan:
    """A class of the source. `arguments` are those its constructor takes, each with its value per use."""

    name: str
    uses: tuple[GroupNode, ...]
    flow: Flow
    """The channels at the place that is being planned; in the end, behind the last."""
    shown: int
    """How many of the uses belong to the network itself; shapes are told of these."""
    scope: dict[str, Values]
    block: bool
    known: dict[str, str]
    """The parameters of the block or model, and what the arguments for them are called."""
    arriving: str = ""
    """The name of the size that arrives; it comes first among the arguments."""
    used: set[str] = field(default_factory=set)
    items: tuple[Item, ...] = ()

    @property
    def arguments(self) -> dict[str, Values]:
        names = sorted(self.used, key=list(self.scope).index)
        return {name: self.scope[name] for name in sorted(names, key=lambda name: name != self.arriving)}

    def incoming(self, values: Values, wanted: str) -> str:
        """Python for a size that arrives at a layer."""
        return self.express(values, {self.flow.text: self.flow.values}, wanted)

    def express(self, values: Values, scope: Scope, wanted: str) -> str:
        """Python for a place with these values, in terms of `scope`; where that cannot be, a new argument, named as
        `wanted`."""
        values = tuple(map(plain, values))
        text = explain(values, scope)
        if text is None:
            if not self.block:
                raise Unexplained(wanted)
            text = free(wanted, self.scope)
            self.scope[text] = values
        return self.use(text)

    def written(self, values: Values, expression: tree.Expr | None, wanted: str) -> str:
        """Python for a place for which the spec has an expression, or None where it leaves out an argument."""
        values = tuple(map(plain, values))
        if constant(values):
            return literal(values[0])
        if expression is None:
            mentioned = set(self.known)
        elif text := self.translated(values, expression):
            return self.use(text)
        else:
            mentioned = names(expression)
        scope = {argument: self.scope[argument] for name, argument in self.known.items() if name in mentioned}
        return self.express(values, scope, wanted)

    def translated(self, values: Values, expression: tree.Expr) -> str | None:
        """What the spec says, where Python says the same, in short."""
        texts = (python(expression, self.known_text, slash) for slash in ("//", "/"))
        return next((t for t in texts if t and len(t) <= LONGEST and holds(t, values, self.scope)), None)

    @property
    def known_text(self) -> dict[str, str]:
        """The parameters as expressions show them: those that are the same in all uses are numbers."""
        return {
            name: literal(self.scope[argument][0]) if constant(self.scope[argument]) else argument
            for name, argument in self.known.items()
        }

    def use(self, text: str) -> str:
        self.used |= words(text) & self.scope.keys()
        return text


def free(wanted: str, taken: Iterable[str]) -> str:
    """The name; with an underscore behind it where Python needs it, with a number where it is taken."""
    wanted, names = wanted + "_" * (wanted in RESERVED), set(taken)
    return wanted if wanted not in names else next(f"{wanted}{n}" for n in count(2) if f"{wanted}{n}" not in names)
