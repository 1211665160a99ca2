"""Which classes the source has, what their constructors take, and what each line of them calls.

A block is expanded anew at each use. Here the uses are laid over one another again: where they call the same modules
they share a class, and the places in which their calls differ become arguments of its constructor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cnnspec.emission.calls import field_of, layer_arguments
from cnnspec.emission.classes import ClassPlan, Flow, Item, free
from cnnspec.emission.express import Scope, Values, constant, explain, plain, put_in, words
from cnnspec.emission.written import arguments
from cnnspec.network.model import GroupNode, LayerNode, Node

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
        model = ClassPlan(
            name, tuple(roots), _arriving(str(roots[0].input.channels), roots), 1, dict(offered), False, dict(known)
        )
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
            texts = layer_arguments(plan, nodes)
            return Item(first.key, nodes, first.torch.name, plan.flow, texts)
        if first.block:
            return self.block_use(plan, nodes)
        children = self.children(plan, nodes)
        return Item(first.key, nodes, "nn.Sequential", plan.flow, children=children)

    def block_use(self, plan: ClassPlan, nodes: tuple[GroupNode, ...]) -> Item:
        inner = self.uses[id(nodes[0])][0]
        at = [self.uses[id(node)][1] for node in nodes]
        block = nodes[0].block
        assert block
        given = arguments(block.span, list(block.arguments))
        expressions = {inner.known[name]: given.get(name) for name in inner.known}
        texts: dict[str, str] = {}
        for name, values in inner.arguments.items():
            here = tuple(values[index] for index in at)
            own = name in expressions
            texts[name] = plan.written(here, expressions[name], name) if own else plan.incoming(here, name)
        plan.flow = self.through(inner, plan, texts, at)
        unnamed = (inner.arriving, next(iter(inner.scope)))
        passed = tuple(text if name in unnamed else f"{name}={text}" for name, text in texts.items())
        return Item(nodes[0].key, nodes, inner.name, plan.flow, passed)

    def through(self, inner: ClassPlan, plan: ClassPlan, texts: dict[str, str], at: list[int]) -> Flow:
        """The channels behind a use of a block: what its class says, with the arguments of the use put in."""
        values = tuple(inner.flow.values[index] for index in at)
        if constant(values):
            return Flow(str(values[0]), values)
        text = put_in(inner.flow.text, {inner.arriving: plan.flow.text, **texts})
        mentioned = {name: plan.scope[name] for name in words(text) & plan.scope.keys()}
        simple = explain(values, mentioned) if len(mentioned) == 1 else None
        return Flow(simple or text, values)


def _block_plan(name: str, uses: tuple[GroupNode, ...], own: int, taken: set[str]) -> ClassPlan:
    """A class for uses of a block. Its places may be expressed in the block's parameters and the size that arrives."""
    given = [use.block.arguments for use in uses if use.block]
    scope: dict[str, Values] = {}
    known: dict[str, str] = {}
    for parameter in given[0]:
        values = tuple(plain(each[parameter]) for each in given)
        if all(isinstance(value, int | float | str | tuple) for value in values):
            known[parameter] = free(parameter, {*scope, *taken})
            scope[known[parameter]] = values
    arriving = free("in_channels" if uses[0].input.rank else "in_features", scope)
    flow = _arriving(arriving, uses)
    return ClassPlan(name, uses, flow, own, {**scope, arriving: flow.values}, True, known, arriving)


def _arriving(name: str, groups: Sequence[GroupNode]) -> Flow:
    return Flow(name, tuple(group.input.channels for group in groups))
