"""Blocks in the place of a value: one call that makes one of several classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnspec.emission.calls import layer_maker
from cnnspec.emission.express import Maker, Values, plain
from cnnspec.emission.frames import Frame
from cnnspec.emission.items import ClassPlan
from cnnspec.emission.names import ANY, Flow
from cnnspec.emission.written import arguments
from cnnspec.network.model import GroupNode, LayerNode
from cnnspec.syntax import tree

if TYPE_CHECKING:
    from cnnspec.emission.plan import Planner

Nodes = tuple[Any, ...]


def blocks_as_values(planner: Planner, frame: Frame, nodes: Nodes, wanted: str) -> tuple[str, tuple[str, ...]]:
    """Different blocks, or blocks and layers, in one place: a name that stands for each of them. What all of them
    take is handed over in the call, the rest is bound to the class."""
    plans = {id(plan): plan for plan in (planner.uses[id(node)][0] for node in nodes if isinstance(node, GroupNode))}
    shared = _shared(list(plans.values())) if all(isinstance(node, GroupNode) for node in nodes) else []
    given = [_values(planner, node) for node in nodes]
    expressions = _expressions(nodes[0])
    passed: list[str] = []
    named, every, op = False, list(plans.values()), nodes[0].step.op
    unnamed = list(expressions)[: sum(argument.name is None for argument in op.arguments)]
    for place, name in enumerate(shared):
        values = tuple(each[name] for each in given)
        arriving = all(plan.arriving == name for plan in plans.values())
        text = frame.incoming(values, name) if arriving else frame.written(values, expressions.get(name), name)
        named = named or not (arriving or (name in unnamed and all(_place(plan, name) == place for plan in every)))
        passed.append(f"{name}={text}" if named else text)
    makers = tuple(_maker(planner, node, shared) for node in nodes)
    channels: Values = tuple(node.output.channels for node in nodes)
    head = frame.express(makers, {}, wanted)
    texts = [text.partition("=")[2] or text for text in passed]
    flow = next((text for text in (frame.flow.text, *texts) if text and frame.says(text, channels)), None)
    frame.flow = Flow(flow, channels)
    return head, tuple(passed)


def _shared(plans: list[ClassPlan]) -> list[str]:
    """The arguments that all classes take."""
    return [name for name in plans[0].arguments if all(name in plan.arguments for plan in plans)]


def _place(plan: ClassPlan, name: str) -> int:
    return list(plan.arguments).index(name)


def _values(planner: Planner, node: Any) -> dict[str, Any]:
    if isinstance(node, LayerNode):
        return {}
    plan, at = planner.uses[id(node)]
    return {name: values[at] for name, values in plan.arguments.items()}


def _expressions(node: Any) -> dict[str, tree.Expr]:
    op = node.step.op
    block = node.block if isinstance(node, GroupNode) else None
    return arguments(op, list(block.arguments) if block else []) if isinstance(op, tree.Call) else {}


def _maker(planner: Planner, node: Any, shared: list[str]) -> Maker:
    if isinstance(node, LayerNode):
        return layer_maker(node, leave_last=False)
    plan, _ = planner.uses[id(node)]
    bound = {name: value for name, value in _values(planner, node).items() if name not in shared and value is not ANY}
    defaults = plan.defaults
    return Maker(
        plan.name,
        (),
        tuple((name, plain(value)) for name, value in bound.items() if name not in defaults or defaults[name] != value),
    )
