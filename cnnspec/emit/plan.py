"""Which classes the source has, what their constructors take, and what each line of them calls.

A block is expanded anew at each use. Here the uses are laid over one another again: where they call the same modules
they share a class, and the places in which their calls differ become arguments of its constructor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from keyword import kwlist
from typing import Any

from cnnspec.emit.express import Scope, Values, constant, explain, plain, same
from cnnspec.network.model import GroupNode, LayerNode, Node

RESERVED = frozenset({*kwlist, "nn", "torch", "OrderedDict", "self", "super", "layers"})
"""Names that are no names in Python, or that the source needs itself."""


class Unexplained(Exception):
    """A place of the model changes with an argument that is offered, and no expression says how."""


@dataclass(frozen=True)
class Item:
    """One child of a module: a call, or braces with `children`. `nodes` are its nodes in the uses of the class."""

    key: str
    nodes: tuple[Node, ...]
    head: str
    arguments: tuple[str, ...] = ()
    children: tuple[Item, ...] | None = None


@dataclass
class ClassPlan:
    """A class of the source. `arguments` are those its constructor takes, each with its value per use."""

    name: str
    uses: tuple[GroupNode, ...]
    shown: int
    """How many of the uses belong to the network itself; shapes are told of these."""
    scope: dict[str, Values]
    block: bool
    arriving: str = ""
    """The name of the size that arrives; it comes first among the arguments."""
    used: set[str] = field(default_factory=set)
    items: tuple[Item, ...] = ()

    @property
    def arguments(self) -> dict[str, Values]:
        names = sorted(self.used, key=list(self.scope).index)
        return {name: self.scope[name] for name in sorted(names, key=lambda name: name != self.arriving)}

    @property
    def shown_scope(self) -> Scope:
        """The arguments in the uses that shapes are told of; a model's are left out, its shapes are numbers."""
        return {name: values[: self.shown] for name, values in self.arguments.items()} if self.block else {}

    def express(self, values: Values, wanted: str) -> str:
        """An expression for a place with these values; a new argument, named as `wanted`, where there is none."""
        values = tuple(map(plain, values))
        text = explain(values, self.scope)
        if text is None:
            if not self.block:
                raise Unexplained(wanted)
            text = free(wanted, self.scope)
            self.scope[text] = values
        self.used |= {name for name in self.scope if name in _names(text)}
        return text


def _names(text: str) -> set[str]:
    return set(text.replace("(", " ").replace(")", " ").replace(",", " ").split())


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

    The others are the same model with other arguments: `offered` holds the model's arguments that may become
    arguments of its constructor, each with its value in every network. Raises `Unexplained` where one may not.
    """

    def __init__(self, name: str, roots: Sequence[GroupNode], offered: Scope) -> None:
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
        model = ClassPlan(name, tuple(roots), 1, dict(offered), block=False)
        model.items = self.children(model, model.uses)
        self.model = model
        self.classes.append(model)

    def plan_block(self, uses: tuple[GroupNode, ...], own: int) -> ClassPlan:
        block = uses[0].block
        assert block
        name = free(block.name, self.taken)
        self.taken.add(name)
        scope = _block_scope(uses, self.taken)
        plan = ClassPlan(name, uses, own, scope, block=True, arriving=next(reversed(scope)))
        self.uses |= {id(use): (plan, index) for index, use in enumerate(uses)}
        plan.items = self.children(plan, uses)
        return plan

    def children(self, plan: ClassPlan, groups: tuple[GroupNode, ...]) -> tuple[Item, ...]:
        return tuple(self.item(plan, nodes) for nodes in zip(*(group.children for group in groups), strict=True))

    def item(self, plan: ClassPlan, nodes: tuple[Any, ...]) -> Item:
        first = nodes[0]
        if isinstance(first, LayerNode):
            return Item(first.key, nodes, first.torch.name, layer_arguments(plan, nodes))
        if first.block:
            return self.block_use(plan, nodes)
        return Item(first.key, nodes, "nn.Sequential", children=self.children(plan, nodes))

    def block_use(self, plan: ClassPlan, nodes: tuple[GroupNode, ...]) -> Item:
        inner = self.uses[id(nodes[0])][0]
        at = [self.uses[id(node)][1] for node in nodes]
        texts: list[str] = []
        for name, values in inner.arguments.items():
            text = plan.express(tuple(values[index] for index in at), name)
            texts.append(text if name in (inner.arriving, next(iter(inner.scope))) else f"{name}={text}")
        return Item(nodes[0].key, nodes, inner.name, tuple(texts))


def _block_scope(uses: tuple[GroupNode, ...], taken: set[str]) -> dict[str, Values]:
    """What a block's places may be expressed in: its own parameters, and last the size that arrives."""
    arguments = [use.block.arguments for use in uses if use.block]
    scope: dict[str, Values] = {}
    for name in arguments[0]:
        values = tuple(plain(each[name]) for each in arguments)
        if all(isinstance(value, int | float | str | tuple) for value in values):
            scope[free(name, {*scope, *taken})] = values
    arriving = "in_channels" if uses[0].input.rank else "in_features"
    scope[free(arriving, scope)] = tuple(use.input.channels for use in uses)
    return scope


def layer_arguments(plan: ClassPlan, nodes: tuple[LayerNode, ...]) -> tuple[str, ...]:
    """The arguments of one layer's call, in terms of the class's."""
    texts = [
        plan.express(values, _argument_name(nodes, values))
        for values in zip(*(node.torch.args for node in nodes), strict=True)
    ]
    for name, values in _keywords(nodes):
        texts.append(f"{name}={plan.express(values, name)}")
    return tuple(texts)


def _keywords(nodes: tuple[LayerNode, ...]) -> Iterator[tuple[str, Values]]:
    """The keywords of the calls with their values, in the order of the layer's signature."""
    calls = [node.torch.kwargs for node in nodes]
    order = list(nodes[0].layer.__fields__)
    stands_for = {name: field_of(node, name) for node, call in zip(nodes, calls, strict=True) for name in call}
    for name, argument in sorted(stands_for.items(), key=lambda pair: order.index(pair[1]) if pair[1] else len(order)):
        pairs = zip(nodes, calls, strict=True)
        yield name, tuple(call[name] if name in call else getattr(node.layer, str(argument)) for node, call in pairs)


def field_of(node: LayerNode, keyword: str) -> str | None:
    """The argument of the layer that a keyword of its call stands for: a call that leaves the keyword out means the
    default of that argument."""
    value = node.torch.kwargs[keyword]
    changed = [name for name in node.layer.__fields__ if same([getattr(node.layer, name)], [value])]
    return keyword if keyword in changed else next((name for name in changed if node.layer.keywords(name)), None)


def _argument_name(nodes: tuple[LayerNode, ...], values: Values) -> str:
    """What a positional argument should be called: as the layer calls it, or by the size that arrives."""
    if constant(values):
        return ""
    sizes = "channels" if nodes[0].input.rank else "features"
    for name in nodes[0].layer.__fields__:
        if same(tuple(getattr(node.layer, name) for node in nodes), values):
            return f"out_{sizes}" if name == "out" else name
    return "shape" if isinstance(values[0], tuple) else f"in_{sizes}"
