"""What a class of the source is made of, once it is planned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cnnspec.emission.express import Values, constant
from cnnspec.emission.frames import ClassFrame, Frame, Let
from cnnspec.emission.names import ANY, Flow
from cnnspec.layers.base import Shape
from cnnspec.network.model import GroupNode, LayerNode, Node
from cnnspec.syntax import tree


@dataclass
class Child:
    """A child of a module: a call, or braces with `items`. `nodes` are what it came to wherever its text runs.

    `key` is the name itself, or Python for it where it changes (`computed`); empty for a position. `looped` tells that
    it was written out from a loop."""

    key: str
    computed: bool
    nodes: tuple[LayerNode | GroupNode, ...]
    frame: Frame
    flow: Flow
    head: str
    arguments: tuple[str, ...] = ()
    items: tuple[Item, ...] | None = None
    cls: ClassPlan | None = None
    looped: bool = False

    @property
    def first(self) -> LayerNode | GroupNode:
        return self.nodes[0]

    @property
    def position(self) -> str:
        """The key of a child without a name, where it is the same wherever its text runs; otherwise empty."""
        return self.first.key if len({node.key for node in self.nodes}) == 1 else ""

    @property
    def silent(self) -> bool:
        """Whether it passes its input on."""
        return self.head == "nn.Identity" and not self.stateful

    @property
    def bare(self) -> bool:
        return isinstance(self.first, LayerNode) and self.first.layer.bare

    @property
    def stateful(self) -> bool:
        """Whether it has a part in the state_dict."""
        return any(map(keeps, self.nodes))

    @property
    def sides(self) -> bool:
        """Whether it returns side outputs beside its output."""
        return self.cls is not None and self.cls.sides

    @property
    def outputs(self) -> list[Shape]:
        return [node.output for node in self.nodes]

    @property
    def pointwise(self) -> bool:
        """Whether it works value by value, so that its shape is not worth telling."""
        first = self.first
        return isinstance(first, LayerNode) and first.layer.reach == "point" and first.output == first.input


def keeps(node: Node) -> bool:
    if isinstance(node, LayerNode):
        return bool(node.weights.parameters or node.weights.buffers)
    return any(map(keeps, node.inside))


@dataclass
class Join:
    """Branches and what joins them, along the axis `dim`. With `cut` each receives a part of the channels, cut along
    that axis; `when` is Python for the condition of a residual. These are empty where they say nothing."""

    kind: str
    branches: tuple[tuple[Item, ...], ...]
    step: tree.Step
    dim: str
    cut: str
    when: str
    outputs: list[Shape]
    frame: Frame
    flow: Flow


@dataclass
class Ask:
    """The place of a join in a constructor, which may have to keep its condition for `forward`."""

    join: Join


@dataclass
class Side:
    """One side of an `if`; the test is empty for `else`."""

    test: str
    items: tuple[Item, ...]


@dataclass
class Choice:
    sides: tuple[Side, ...]
    statement: tree.If


@dataclass
class Loop:
    """`for targets in iterable`, or in `enumerate(iterable, start)` where there is a start. `rows` are what it runs
    through, to be listed above the loop where its line gets too long; `count` tells how often it runs."""

    targets: str
    iterable: str
    start: str
    rows: tuple[str, ...]
    count: str
    items: tuple[Item, ...] = ()

    def over(self, iterable: str) -> str:
        """What stands behind `in`."""
        if not self.start:
            return iterable
        return f"enumerate({iterable})" if self.start == "0" else f"enumerate({iterable}, {self.start})"


@dataclass
class Assign:
    name: str
    text: str


Item = Child | Join | Choice | Loop | Let | Assign | Ask


@dataclass
class ClassPlan:
    """A class of the source."""

    name: str
    uses: tuple[GroupNode, ...]
    shown: int
    """How many of the uses belong to the network itself; shapes are told of these."""
    frame: ClassFrame
    arriving: str = ""
    """The name of the size that arrives; it comes first among the arguments."""
    parameters: dict[str, str] = field(default_factory=dict)
    """The parameters of the block, and what the arguments for them are called."""
    given: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    """For each call in the spec the use it came to, and the parameters that it gives."""
    items: tuple[Item, ...] = ()
    flow: Flow | None = None
    """The channels behind the last item."""

    @property
    def block(self) -> bool:
        return self.frame.block

    @property
    def arguments(self) -> dict[str, Values]:
        """What the constructor takes, each with its value per use; those without a default come first."""
        names = [name for name in self.frame.own if name in self.frame.used and self.is_argument(name)]
        order = list(self.parameters.values())
        names.sort(key=lambda name: order.index(name) if name in order else len(order))
        defaults = self.defaults
        names.sort(key=lambda name: (name != self.arriving, name in defaults))
        return {name: self.frame.own[name] for name in names}

    def is_argument(self, name: str) -> bool:
        return name not in self.frame.lets and name not in self.frame.counters

    @property
    def defaults(self) -> dict[str, object]:
        """Arguments with a default: where the spec's calls leave the parameter out, it has always the same value."""
        if not self.block:
            return {name: values[0] for name, values in self.frame.own.items()}
        found = {}
        for parameter, name in {**self.parameters, **{name: name for name in self.frame.made}}.items():
            values = self.frame.own.get(name, ())
            left_out = [values[use] for use, given in self.given if values and parameter not in given]
            left_out = [value for value in left_out if value is not ANY]
            if left_out and constant(tuple(left_out)) and self.optional(parameter):
                found[name] = left_out[0]
            elif ANY in values:
                found[name] = None
        return found

    def optional(self, parameter: str) -> bool:
        """Whether the block in the spec gives the parameter a default."""
        block = self.uses[0].block
        params = block.definition.params if block else ()
        return any(param.name.text == parameter and param.default is not None for param in params)

    @property
    def sides(self) -> bool:
        """Whether it has side outputs, of its own or of a child."""
        return any(
            item.kind == "aux" if isinstance(item, Join) else isinstance(item, Child) and item.sides
            for item in below(self.items)
        )


def below(items: Sequence[Item]) -> Iterator[Item]:
    """All items of one module: those in its loops, conditions and branches too."""
    for item in items:
        yield item
        if isinstance(item, Choice):
            for side in item.sides:
                yield from below(side.items)
        elif isinstance(item, Loop):
            yield from below(item.items)
        elif isinstance(item, Join):
            for branch in item.branches:
                yield from below(branch)


def without_joins(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items of branches in the place of the joins."""
    found: list[Item] = []
    for item in items:
        if isinstance(item, Join):
            found.append(Ask(item))
            found += (inner for branch in item.branches for inner in without_joins(branch))
        else:
            found.append(item)
    return tuple(found)


def children(items: Sequence[Item]) -> list[Child]:
    return [item for item in below(items) if isinstance(item, Child)]


def alike(one: Child, other: Child) -> bool:
    """Whether two children are made by the same text, at positions."""
    plain = not (one.key or other.key or one.items or other.items)
    return plain and (one.head, one.arguments) == (other.head, other.arguments)


def needs_forward(items: Sequence[Item]) -> bool:
    """Whether children do not simply run one after another."""
    return any(
        isinstance(item, Join) or (isinstance(item, Child) and (item.bare or item.sides)) for item in below(items)
    )
