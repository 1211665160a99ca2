"""The checked network: blocks expanded, names resolved, every shape known. Immutable and complete.

Equal uses of a block share their nodes, so a node knows its key and not its path; `Network.layers` gives paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

from cnnspec.layers.base import Layer, Shape, TorchCall, Weights
from cnnspec.recipe import Recipe
from cnnspec.record import Record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree


class LayerNode(Record):
    """One layer at its place. `key` is the last part of its name in the `state_dict`; `labelled` tells whether it was
    written or is a position. `step` is its place in the text."""

    key: str
    labelled: bool
    layer: Layer
    input: Shape
    output: Shape
    step: tree.Step

    @property
    def span(self) -> Span:
        return self.step.op.span

    @cached_property
    def weights(self) -> Weights:
        return self.layer.weights(self.input)

    @property
    def torch(self) -> TorchCall:
        return self.layer.torch(self.input)

    @property
    def parameters(self) -> int:
        return self.weights.count

    @property
    def modules(self) -> int:
        return 1


class BlockUse(Record):
    """The block a group was expanded from, and the values of all its arguments, defaults included. `span` is the
    call."""

    definition: tree.Block
    arguments: dict[str, Any]
    span: Span

    @property
    def name(self) -> str:
        return self.definition.name.text


class _Parent(Record):
    """What holds items that run one after another, or branches of them."""

    @property
    def inside(self) -> tuple[Node, ...]:
        raise NotImplementedError

    @cached_property
    def parameters(self) -> int:
        """How many numbers are learned inside, those of side outputs included."""
        return sum(node.parameters for node in self.inside)

    @cached_property
    def modules(self) -> int:
        """The number of layers and groups inside, this one included."""
        return 1 + sum(node.modules for node in self.inside)


class GroupNode(_Parent):
    """A submodule: braces, a block (`block` says which) or the whole model (`key` is empty and `step` None).

    `items` are what its body came to, with the loops and conditions it was made by; `children` the nodes in them,
    which run one after another."""

    key: str
    labelled: bool
    items: tuple[Item, ...]
    block: BlockUse | None
    input: Shape
    output: Shape
    step: tree.Step | None
    span: Span

    @cached_property
    def children(self) -> tuple[Node, ...]:
        return tuple(nodes(self.items))

    @property
    def inside(self) -> tuple[Node, ...]:
        return self.children


class CombineNode(_Parent):
    """Branches that each receive the input, and what joins their outputs. It adds no level of names: its layers and
    groups are children of the module around it.

    `add`, `multiply` and `concat` have a branch for each bar; an empty one passes its input on. `residual` has one
    branch, whose output is added to the input where `options["when"]` is true, and is the output otherwise. `aux` has
    one branch, which is a side output of training; its input passes on. `options` are the arguments: `when` of
    residual, `split` of concat and multiply (each branch receives an equal share of the channels), `weight` of aux
    (in the loss)."""

    kind: Literal["add", "multiply", "concat", "residual", "aux"]
    branches: tuple[tuple[Item, ...], ...]
    options: dict[str, Any]
    input: Shape
    output: Shape
    step: tree.Step

    @property
    def span(self) -> Span:
        return self.step.op.span

    @property
    def inside(self) -> tuple[Node, ...]:
        return tuple(node for branch in self.branches for node in nodes(branch))


class Choice(Record):
    """What an `if` came to: `taken` numbers the body that was chosen (`if` is 0, the first `else if` 1, ...) and is
    None where there was none to choose; `items` are what it came to."""

    statement: tree.If
    taken: int | None
    items: tuple[Item, ...]


class Loop(Record):
    """What a `repeat` or `for` came to, pass by pass. `values` are those of the loop's names, for each pass."""

    statement: tree.Repeat | tree.For
    passes: tuple[tuple[Item, ...], ...]
    values: tuple[dict[str, Any], ...]


class Binding(Record):
    """A `let` inside a body, and its value there."""

    statement: tree.Let
    value: Any


Node = LayerNode | GroupNode | CombineNode
Item = LayerNode | GroupNode | CombineNode | Choice | Loop | Binding


def nodes(items: tuple[Item, ...]) -> Iterator[Node]:
    """The nodes of a body, in the order they run, without the loops and conditions that made them."""
    for item in items:
        if isinstance(item, Choice):
            yield from nodes(item.items)
        elif isinstance(item, Loop):
            for each in item.passes:
                yield from nodes(each)
        elif not isinstance(item, Binding):
            yield item


class PlacedLayer(Record):
    """A layer with its full name: `path` is what the names of its parameters in the `state_dict` begin with
    (`features.0.conv1`). `side` tells that it belongs to a side output (`aux`), which runs only in training."""

    path: str
    node: LayerNode
    side: bool

    @property
    def layer(self) -> Layer:
        return self.node.layer

    @property
    def input(self) -> Shape:
        return self.node.input

    @property
    def output(self) -> Shape:
        return self.node.output

    @property
    def span(self) -> Span:
        return self.node.span

    @property
    def weights(self) -> Weights:
        return self.node.weights

    @property
    def torch(self) -> TorchCall:
        return self.node.torch


def layers(items: tuple[Item, ...], prefix: str = "", side: bool = False) -> Iterator[PlacedLayer]:
    """All layers below, in the order they run, branch by branch. `prefix` is the path of the module with a point
    behind it."""
    for node in nodes(items):
        if isinstance(node, LayerNode):
            yield PlacedLayer(prefix + node.key, node, side)
        elif isinstance(node, GroupNode):
            yield from layers(node.items, f"{prefix}{node.key}.", side)
        else:
            for branch in node.branches:
                yield from layers(branch, prefix, side or node.kind == "aux")


class Open(Record):
    """Sizes of the input that a spec leaves open: the input as it is written (`3xHxW`), the names of these sizes, and
    what comes out, as a formula. `varies` tells which layer is not the same for all sizes, where one is not."""

    input: str
    names: tuple[str, ...]
    output: str
    varies: str


class Network(Record):
    """A model of a spec that was checked without errors.

    `recipe` is None where the spec says nothing about training; relative paths in it start at `folder`, and `places`
    tells where the text has its settings. Where the spec leaves sizes of the input `open`, and nothing outside of it
    closes them, the shapes are those for one input among all that run."""

    name: str
    source: Source
    root: GroupNode
    arguments: dict[str, Any]
    recipe: Recipe | None
    folder: str
    places: dict[str, Span] = {}  # noqa: RUF012  (never changed: records are immutable)
    open: Open | None = None

    def __repr__(self) -> str:
        return f"<Network {self.name}: {self.input} -> {self.output}, {self.parameters:,} parameters>"

    @property
    def input(self) -> Shape:
        return self.root.input

    @property
    def output(self) -> Shape:
        return self.root.output

    @cached_property
    def layers(self) -> tuple[PlacedLayer, ...]:
        """All layers, in the order they run; those of branches branch by branch."""
        return tuple(layers(self.root.items))

    @property
    def parameters(self) -> int:
        """How many numbers the network learns."""
        return self.root.parameters
