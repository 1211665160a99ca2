"""Which classes the source has, what their constructors take, and what each line of them calls.

A block is expanded anew at each use. Here the uses are laid over one another again: where they call the same modules
they share a class, and the places in which their calls differ become arguments of its constructor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from keyword import kwlist
from typing import Any

from cnnspec.emit import written
from cnnspec.emit.express import Scope, Values, atom, constant, explain, literal, plain, same
from cnnspec.emit.written import names, python
from cnnspec.network.model import GroupNode, LayerNode, Node
from cnnspec.syntax import tree

RESERVED = frozenset({*kwlist, "nn", "torch", "OrderedDict", "self", "super", "layers"})
"""Names that are no names in Python, or that the source needs itself."""


WORD = re.compile(r"[A-Za-z_]\w*")


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
        if constant(values):
            return literal(plain(values[0]))
        if expression is None:
            mentioned = set(self.known)
        elif text := python(expression, self.known_text):
            return self.use(text)
        else:
            mentioned = names(expression) & self.known.keys()
        return self.express(values, {self.known[name]: self.scope[self.known[name]] for name in mentioned}, wanted)

    @property
    def known_text(self) -> dict[str, str]:
        """The parameters as expressions show them: those that are the same in all uses are numbers."""
        return {
            name: literal(self.scope[argument][0]) if constant(self.scope[argument]) else argument
            for name, argument in self.known.items()
        }

    def use(self, text: str) -> str:
        self.used |= set(WORD.findall(text)) & self.scope.keys()
        return text


def free(wanted: str, taken: Iterable[str]) -> str:
    """The name; with an underscore behind it where Python needs it, with a number where it is taken."""
    wanted, names = wanted + "_" * (wanted in RESERVED), set(taken)
    return wanted if wanted not in names else next(f"{wanted}{n}" for n in count(2) if f"{wanted}{n}" not in names)


Structure = tuple[Any, ...]
"""What the uses of one class have in common: keys, modules, and the number of their arguments."""


def structure(node: Node) -> Structure:
    if isinstance(node, LayerNode):
        call = node.torch
        unnamed = sorted(name for name in call.kwargs if field_of(node, name) is None)
        return (node.key, call.name, len(call.args), *unnamed)
    return (node.key, node.block.name if node.block else None, body(node))


def body(group: GroupNode) -> Structure:
    return tuple(map(structure, group.children))


def blocks(group: GroupNode) -> Iterator[GroupNode]:
    """All uses of blocks below, inner ones first."""
    for child in group.children:
        if isinstance(child, GroupNode):
            yield from blocks(child)
            if child.block:
                yield child


class Planner:
    """Plans the classes for some networks of one structure, of which the first is the one to emit.

    The others are the same model with other arguments: `offered` holds the model's parameters that may become
    arguments of its constructor, each with its value in every network; `known` tells what they are called there.
    Raises `Unexplained` where one may not.
    """

    def __init__(self, name: str, roots: Sequence[GroupNode], offered: Scope, known: Mapping[str, str]) -> None:
        self.taken = {name}
        self.uses: dict[int, tuple[ClassPlan, int]] = {}
        groups: dict[Structure, list[GroupNode]] = {}
        own: dict[Structure, int] = {}
        for root in roots:
            for use in blocks(root):
                assert use.block
                shape = (use.block.name, body(use))
                groups.setdefault(shape, []).append(use)
                own[shape] = own.get(shape, 0) + (root is roots[0])
        self.classes = [self.plan_block(tuple(uses), own[shape]) for shape, uses in groups.items()]
        model = ClassPlan(name, tuple(roots), _arriving("", roots), 1, dict(offered), False, dict(known))
        model.items = self.children(model, model.uses)
        self.model = model
        self.classes.append(model)

    def plan_block(self, uses: tuple[GroupNode, ...], own: int) -> ClassPlan:
        block = uses[0].block
        assert block
        name = free(block.name, self.taken)
        self.taken.add(name)
        plan = _block_plan(name, uses, own, self.taken)
        self.uses |= {id(use): (plan, index) for index, use in enumerate(uses)}
        plan.items = self.children(plan, uses)
        return plan

    def children(self, plan: ClassPlan, groups: tuple[GroupNode, ...]) -> tuple[Item, ...]:
        return tuple(self.item(plan, nodes) for nodes in zip(*(group.children for group in groups), strict=True))

    def item(self, plan: ClassPlan, nodes: tuple[Any, ...]) -> Item:
        first = nodes[0]
        if isinstance(first, LayerNode):
            arguments = layer_arguments(plan, nodes)
            return Item(first.key, nodes, first.torch.name, plan.flow, arguments)
        if first.block:
            return self.block_use(plan, nodes)
        children = self.children(plan, nodes)
        return Item(first.key, nodes, "nn.Sequential", plan.flow, children=children)

    def block_use(self, plan: ClassPlan, nodes: tuple[GroupNode, ...]) -> Item:
        inner = self.uses[id(nodes[0])][0]
        at = [self.uses[id(node)][1] for node in nodes]
        block = nodes[0].block
        assert block
        given = written.arguments(block.span, list(block.arguments))
        expressions = {inner.known[name]: given.get(name) for name in inner.known}
        texts: dict[str, str] = {}
        for name, values in inner.arguments.items():
            here = tuple(values[index] for index in at)
            own = name in expressions
            texts[name] = plan.written(here, expressions[name], name) if own else plan.incoming(here, name)
        plan.flow = self.through(inner, plan, texts, at)
        unnamed = (inner.arriving, next(iter(inner.scope)))
        arguments = tuple(text if name in unnamed else f"{name}={text}" for name, text in texts.items())
        return Item(nodes[0].key, nodes, inner.name, plan.flow, arguments)

    def through(self, inner: ClassPlan, plan: ClassPlan, texts: dict[str, str], at: list[int]) -> Flow:
        """The channels behind a use of a block: what its class says, with the arguments of the use put in."""
        values = tuple(inner.flow.values[index] for index in at)
        if constant(values):
            return Flow(str(values[0]), values)
        if inner.flow.text in texts:
            return Flow(texts[inner.flow.text], values)
        given = texts if inner.arriving in texts else {**texts, inner.arriving: plan.flow.text}
        return Flow(WORD.sub(lambda match: atom(given.get(match[0], match[0])), inner.flow.text), values)


def _block_plan(name: str, uses: tuple[GroupNode, ...], own: int, taken: set[str]) -> ClassPlan:
    """A class for uses of a block. Its places may be expressed in the block's parameters and the size that arrives."""
    arguments = [use.block.arguments for use in uses if use.block]
    scope: dict[str, Values] = {}
    known: dict[str, str] = {}
    for parameter in arguments[0]:
        values = tuple(plain(each[parameter]) for each in arguments)
        if all(isinstance(value, int | float | str | tuple) for value in values):
            known[parameter] = free(parameter, {*scope, *taken})
            scope[known[parameter]] = values
    arriving = free("in_channels" if uses[0].input.rank else "in_features", scope)
    flow = _arriving(arriving, uses)
    return ClassPlan(name, uses, flow, own, {**scope, arriving: flow.values}, True, known, arriving)


def _arriving(name: str, groups: Sequence[GroupNode]) -> Flow:
    return Flow(name, tuple(group.input.channels for group in groups))


def layer_arguments(plan: ClassPlan, nodes: tuple[LayerNode, ...]) -> tuple[str, ...]:
    """The arguments of one layer's call, in terms of the class's; the plan's flow goes on behind the layer."""
    layer = nodes[0].layer
    expressions = written.arguments(nodes[0].span, list(layer.__fields__))
    texts = []
    for position, values in enumerate(zip(*(node.torch.args for node in nodes), strict=True)):
        name = _stands_for(nodes, position, values)
        wanted = _size_name(nodes, values) if name in (None, "out") else str(name)
        texts.append(plan.written(values, expressions.get(name), wanted) if name else plan.incoming(values, wanted))
    for keyword, name, values in _keywords(nodes):
        text = plan.written(values, expressions.get(name), keyword) if name else plan.express(values, {}, keyword)
        texts.append(f"{keyword}={text}")
    if layer.claims in expressions:
        values = tuple(getattr(node.layer, layer.claims) for node in nodes)
        plan.flow = Flow(plan.written(values, expressions[layer.claims], ""), values)
    return tuple(texts)


def _stands_for(nodes: tuple[LayerNode, ...], position: int, values: Values) -> str | None:
    """The argument of the layer that a positional argument of its call is; None for a size that arrives."""
    incoming = tuple(node.layer.incoming(node.input) for node in nodes)
    if position == 0 and same(incoming, values):
        return None
    fields = nodes[0].layer.__fields__
    return next((name for name in fields if same(tuple(getattr(n.layer, name) for n in nodes), values)), None)


def _size_name(nodes: tuple[LayerNode, ...], values: Values) -> str:
    if isinstance(values[0], tuple):
        return "shape"
    arrives = same(tuple(node.layer.incoming(node.input) for node in nodes), values)
    return ("in_" if arrives else "out_") + ("channels" if nodes[0].input.rank else "features")


def _keywords(nodes: tuple[LayerNode, ...]) -> Iterator[tuple[str, str | None, Values]]:
    """The keywords of the calls, what they stand for, and their values, in the order of the layer's signature."""
    calls = [node.torch.kwargs for node in nodes]
    order = list(nodes[0].layer.__fields__)
    stands_for = {keyword: field_of(node, keyword) for node, call in zip(nodes, calls, strict=True) for keyword in call}
    for keyword, name in sorted(stands_for.items(), key=lambda pair: order.index(pair[1]) if pair[1] else len(order)):
        pairs = zip(nodes, calls, strict=True)
        yield keyword, name, tuple(c[keyword] if keyword in c else getattr(node.layer, str(name)) for node, c in pairs)


def field_of(node: LayerNode, keyword: str) -> str | None:
    """The argument of the layer that a keyword of its call stands for: a call that leaves the keyword out means the
    default of that argument."""
    value = node.torch.kwargs[keyword]
    changed = [name for name in node.layer.__fields__ if same([getattr(node.layer, name)], [value])]
    return keyword if keyword in changed else next((name for name in changed if node.layer.keywords(name)), None)
