"""Which classes the source has, what their constructors take, and what each line of them calls.

A block is expanded anew at each use. Here all uses are laid over one another again: they come from the same statements,
so they have the same items, and the places in which these differ become arguments of one constructor.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from cnnspec.emission.blocks import Found, find
from cnnspec.emission.branches import plan_choice, plan_join
from cnnspec.emission.calls import layer_call, layers_as_values, regular, value_name
from cnnspec.emission.express import Scope, Values, constant, explain, literal, put_in, words
from cnnspec.emission.frames import ClassFrame, Frame, Let
from cnnspec.emission.items import Child, ClassPlan, Item, needs_forward
from cnnspec.emission.labels import key_of
from cnnspec.emission.loops import plan_loop
from cnnspec.emission.names import ANY, Flow, free
from cnnspec.emission.units import blocks_as_values
from cnnspec.emission.written import arguments
from cnnspec.network.model import Binding, Choice, CombineNode, GroupNode, LayerNode
from cnnspec.network.model import Item as NetworkItem
from cnnspec.network.model import Loop as NetworkLoop
from cnnspec.syntax import tree


class Planner:
    """Plans the classes for some networks, of which the first is the one to emit.

    The others are the same model with other arguments: `fixed` are all arguments of the first; `offered` holds the
    model's parameters that may become arguments of its constructor, each with its value in every network; `known`
    tells what they are called there. Raises `Unexplained` where one may not.
    """

    def __init__(
        self,
        name: str,
        roots: Sequence[GroupNode],
        fixed: Mapping[str, Any],
        offered: Scope,
        known: Mapping[str, str],
    ) -> None:
        self.classes: list[ClassPlan] = []
        self.uses: dict[int, tuple[ClassPlan, int]] = {}
        found = find(roots)
        self.taken = {name, *(each.name for each in found)}
        names: set[str] = {name}
        for each in found:
            chosen = free(each.name, names)
            names.add(chosen)
            self.taken.add(chosen)
            self.plan_block(chosen, each)
        frame = class_frame(roots, str(roots[0].input.channels), block=False, reserved={*self.taken, *offered})
        for parameter, value in fixed.items():
            if parameter not in known:
                frame.declare(parameter, [value] * len(frame))
        frame.own.update(offered)
        frame.names.update(known)
        self.model = self.finish(ClassPlan(name, tuple(roots), 1, frame))

    def plan_block(self, name: str, found: Found) -> None:
        uses = tuple(found.uses)
        wanted = "in_channels" if uses[0].input.rank else "in_features"
        frame = class_frame(uses, wanted, block=True, reserved=self.taken)
        plan = ClassPlan(name, uses, found.own, frame, given=found.given)
        given = [use.block.arguments for use in uses if use.block]
        for parameter in given[0]:
            frame.declare(parameter, [each[parameter] for each in given])
        plan.parameters = {p: text for p in given[0] if (text := frame.names.get(p)) in frame.own}
        plan.arriving = arrive(frame, wanted)
        self.uses |= {id(use): (plan, index) for index, use in enumerate(uses)}
        for node, index in found.others:
            self.uses[id(node)] = (plan, index)
        self.finish(plan)

    def finish(self, plan: ClassPlan) -> ClassPlan:
        plan.items = tuple(self.items(plan.frame, [use.items for use in plan.uses]))
        plan.flow = plan.frame.flow
        self.classes.append(plan)
        return plan

    # ------------------------------------------------------------------------------------------------------ items

    def items(self, frame: Frame, bodies: Sequence[tuple[NetworkItem, ...]]) -> list[Item]:
        """What the same statements came to in each run, laid over one another."""
        found: list[Item] = []
        for column in zip(*bodies, strict=True):
            found += self.item(frame, column)
        return found

    def item(self, frame: Frame, column: tuple[Any, ...]) -> list[Item]:
        first = column[0]
        if isinstance(first, Binding):
            return self.binding(frame, column)
        if isinstance(first, Choice):
            return plan_choice(self, frame, column)
        if isinstance(first, NetworkLoop):
            return plan_loop(self, frame, column)
        if isinstance(first, CombineNode):
            return [plan_join(self, frame, column)]
        return [self.child(frame, column)]

    def binding(self, frame: Frame, column: tuple[Binding, ...]) -> list[Item]:
        name = column[0].statement.name.text
        frame.declare(name, [each.value for each in column])
        text = frame.names.get(name)
        if not isinstance(text, str) or text not in frame.own:
            return []
        values = frame.own.pop(text)
        let = Let(frame, name, text, values, column[0].statement.value, frame.flow)
        frame.names[name] = let
        return [let]

    def child(self, frame: Frame, nodes: tuple[Any, ...]) -> Child:
        key, computed = key_of(frame, nodes)
        head, given, items, cls = self.made(frame, nodes)
        return Child(key, computed, nodes, frame, frame.flow, head, given, items, cls)

    def made(
        self, frame: Frame, nodes: tuple[Any, ...]
    ) -> tuple[str, tuple[str, ...], tuple[Item, ...] | None, ClassPlan | None]:
        """What makes a child: the head of a call and its arguments, or items; and the class that is called."""
        if all(isinstance(node, LayerNode) for node in nodes):
            if regular(nodes):
                return *layer_call(frame, nodes), None, None
            return *layers_as_values(frame, nodes, value_name(nodes)), None, None
        if nodes[0].block is None and isinstance(nodes[0].step.op, tree.Group):
            return self.group(frame, nodes)
        classes = {id(self.uses[id(node)][0]) if isinstance(node, GroupNode) else 0 for node in nodes}
        if len(classes) == 1:
            inner = self.uses[id(nodes[0])][0]
            return inner.name, self.block_arguments(frame, inner, nodes), None, inner
        head, given = blocks_as_values(self, frame, nodes, value_name(nodes))
        return head, given, None, None

    def block_arguments(self, frame: Frame, inner: ClassPlan, nodes: tuple[GroupNode, ...]) -> tuple[str, ...]:
        at = [self.uses[id(node)][1] for node in nodes]
        block, call = nodes[0].block, nodes[0].step
        assert block
        assert call
        assert isinstance(call.op, tree.Call)
        given = arguments(call.op, list(block.arguments))
        expressions = {inner.parameters.get(name, name): expression for name, expression in given.items()}
        own = {*inner.parameters.values(), *block.arguments}
        texts: dict[str, str] = {}
        for name, values in inner.arguments.items():
            here = tuple(values[index] for index in at)
            wanted = frame.written(here, expressions.get(name), name) if name in own else frame.incoming(here, name)
            texts[name] = wanted
        frame.flow = through(inner, frame, texts, at)
        unnamed = {inner.parameters.get(name, name) for name in unnamed_in(call.op, list(block.arguments))}
        return call_arguments(inner, texts, unnamed)

    # ------------------------------------------------------------------------------------------- groups in braces

    def group(
        self, frame: Frame, nodes: tuple[GroupNode, ...]
    ) -> tuple[str, tuple[str, ...], tuple[Item, ...] | None, ClassPlan | None]:
        """Braces: a Sequential, or a class of its own where its children do not simply run one after another."""
        if any(map(branched, nodes)):
            inner = self.group_class(frame, nodes)
            texts = {name: self.handed(frame, inner, name, nodes) for name in inner.arguments}
            frame.flow = through(inner, frame, texts, list(range(len(nodes))))
            return inner.name, call_arguments(inner, texts), None, inner
        names, before = dict(frame.names), frame.flow
        items = tuple(self.items(frame, [node.items for node in nodes]))
        frame.names = names
        assert not needs_forward(items), before
        return "nn.Sequential", (), items, None

    def group_class(self, frame: Frame, nodes: tuple[GroupNode, ...]) -> ClassPlan:
        """A class for braces. What is known around them is known in it; what it mentions becomes an argument."""
        wanted = "in_channels" if nodes[0].input.rank else "in_features"
        label = nodes[0].key if nodes[0].labelled and nodes[0].key.isidentifier() else "Branches"
        name = free("".join(part[:1].upper() + part[1:] for part in label.split("_")) or "Branches", self.taken)
        self.taken.add(name)
        inner = class_frame(nodes, wanted, block=True, reserved={*self.taken, *frame.visible()})
        for known in sorted(frame.visible()):
            values = frame.values(known)
            if values is not None and ANY not in values:
                inner.own[known] = values
        inner.names = {name: text for name, text in frame.names.items() if isinstance(text, str)}
        for spec, text in frame.names.items():
            if isinstance(text, Let) and text.frame is frame:
                inner.declare(spec, text.values)
        shown = len(nodes) if frame.root.block else 1
        plan = ClassPlan(name, nodes, shown, inner)
        plan.arriving = arrive(inner, wanted)
        return self.finish(plan)

    def handed(self, frame: Frame, inner: ClassPlan, name: str, nodes: tuple[GroupNode, ...]) -> str:
        values = inner.frame.own[name]
        if name == inner.arriving:
            return frame.incoming(values, name)
        if (known := frame.values(name)) is not None and known == values:
            return frame.use(name)
        spec = next((spec for spec, text in inner.frame.names.items() if text == name), None)
        let = frame.names.get(spec) if spec else None
        if isinstance(let, Let) and let.values == values:
            return frame.use(let.resolve())
        return frame.written(values, None, name)


def class_frame(uses: Sequence[GroupNode], arriving: str, *, block: bool, reserved: set[str]) -> ClassFrame:
    values = tuple(use.input.channels for use in uses)
    flow = Flow(str(values[0]) if constant(values) else arriving, values)
    frame = ClassFrame(len(uses), flow, block=block, reserved=reserved)
    frame.flat = not uses[0].input.rank
    return frame


def arrive(frame: ClassFrame, wanted: str) -> str:
    """The name of the size that arrives, which is an argument where it is mentioned."""
    name = frame.free(wanted)
    frame.own[name] = frame.flow.values
    if not constant(frame.flow.values):
        frame.flow = Flow(name, frame.flow.values)
    return name


def branched(group: GroupNode) -> bool:
    """Whether the children of a group do not simply run one after another."""
    return any(
        isinstance(child, CombineNode)
        or (isinstance(child, LayerNode) and child.layer.bare)
        or (isinstance(child, GroupNode) and has_sides(child))
        for child in group.children
    )


def has_sides(node: Any) -> bool:
    if isinstance(node, LayerNode):
        return False
    known: bool | None = node.__dict__.get("_sides")
    if known is None:
        aux = isinstance(node, CombineNode) and node.kind == "aux"
        known = node.__dict__["_sides"] = aux or any(map(has_sides, node.inside))
    return known


def unnamed_in(call: tree.Call, parameters: list[str]) -> list[str]:
    """The parameters that a call in the spec gives by position."""
    return parameters[: sum(argument.name is None for argument in call.arguments)]


def call_arguments(inner: ClassPlan, texts: Mapping[str, str], unnamed: Container[str] = ()) -> tuple[str, ...]:
    """The arguments of a call of a class that are not its defaults: the size that arrives, then those that the spec
    gives by position, then the others by their names."""
    defaults = inner.defaults
    passed: list[str] = []
    named = False
    for name in inner.arguments:
        text = texts[name]
        if name in defaults and text == literal(defaults[name]):
            named = True
            continue
        named = named or (name != inner.arriving and name not in unnamed)
        passed.append(f"{name}={text}" if named else text)
    return tuple(passed)


def through(inner: ClassPlan, frame: Frame, texts: Mapping[str, str], at: list[int]) -> Flow:
    """The channels behind a use of a block: what its class says, with the arguments of the use put in."""
    flow = inner.flow
    assert flow
    values: Values = tuple(flow.values[index] for index in at)
    if constant(values):
        return Flow(str(values[0]), values)
    given = {inner.arriving: frame.flow.text, **texts}
    put = {name: text for name, text in given.items() if text is not None}
    if flow.text is None or not words(flow.text) & inner.frame.visible() <= put.keys():
        return Flow(None, values)
    text = put_in(flow.text, put)
    mentioned = frame.scope([text])
    simple = explain(values, mentioned) if len(mentioned) == 1 else None
    chosen = simple or text
    return Flow(chosen if frame.says(chosen, values) else None, values)
