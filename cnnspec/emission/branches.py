"""Conditions and combinators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnspec.emission.express import Values, constant, explain, literal, over, same, tidy
from cnnspec.emission.frames import Frame, Let
from cnnspec.emission.items import Choice, Item, Join, Side
from cnnspec.emission.names import LONGEST, Flow
from cnnspec.emission.written import arguments
from cnnspec.network.model import Choice as NetworkChoice
from cnnspec.network.model import CombineNode, GroupNode, LayerNode, nodes
from cnnspec.syntax import tree

if TYPE_CHECKING:
    from cnnspec.emission.plan import Planner


# ---------------------------------------------------------------------------------------------------- conditions


def plan_choice(planner: Planner, frame: Frame, column: tuple[NetworkChoice, ...]) -> list[Item]:
    taken = tuple(choice.taken for choice in column)
    if len(set(taken)) == 1:
        return planner.items(frame, [choice.items for choice in column]) if taken[0] is not None else []
    sides: list[Side] = []
    flows: list[tuple[list[int], Frame]] = []
    reached = list(range(len(column)))
    entry = frame.flow
    for number in sorted({side for side in taken if side is not None}):
        at = [run for run in reached if taken[run] == number]
        test = _test(frame.where(reached), column, number, [run in at for run in reached]) if at != reached else ""
        inner = frame.where(at)
        items = planner.items(inner, [column[run].items for run in at])
        flows.append((at, inner))
        if items:
            sides.append(Side(test, tuple(items)))
        elif test:
            sides.append(Side(test, ()))
        reached = [run for run in reached if run not in set(at)]
    frame.flow = _merged(frame, entry, flows)
    _merge_counter(frame, flows)
    while sides and not sides[-1].items:
        sides.pop()
    return [Choice(tuple(sides), column[0].statement)] if sides else []


def _test(frame: Frame, column: tuple[NetworkChoice, ...], number: int, values: list[bool]) -> str:
    """Python for the condition of one side, wherever the sides before it are not taken."""
    part: tree.If | tree.Body | None = column[0].statement
    for _ in range(number):
        assert isinstance(part, tree.If)
        part = part.otherwise
    expression = part.condition if isinstance(part, tree.If) else None
    if expression is None:
        return ""
    return frame.written(tuple(values), expression, _condition_name(column, number))


def _condition_name(column: tuple[NetworkChoice, ...], number: int) -> str:
    """What a condition is called that Python cannot say: what it makes, as far as that has a name."""
    items = next(choice.items for choice in column if choice.taken == number)
    labelled = [node for node in nodes(items) if isinstance(node, LayerNode | GroupNode) and node.labelled]
    first = labelled[0].key if labelled and labelled[0].key.isidentifier() else "more"
    return f"with_{first}"


def _merged(frame: Frame, entry: Flow, sides: list[tuple[list[int], Frame]]) -> Flow:
    """The channels behind a condition."""
    values = list(entry.values)
    for at, inner in sides:
        for run, value in zip(at, inner.flow.values, strict=True):
            values[run] = value
    found = tuple(values)
    if constant(found):
        return Flow(literal(found[0]), found)
    texts = [entry.text, *(inner.flow.text for _, inner in sides)]
    says = (text for text in dict.fromkeys(texts) if text and frame.says(text, found))
    return Flow(next(says, None), found)


def _merge_counter(frame: Frame, sides: list[tuple[list[int], Frame]]) -> None:
    if frame.running is None:
        return
    running = list(frame.running)
    for at, inner in sides:
        assert inner.running is not None
        for run, value in zip(at, inner.running, strict=True):
            running[run] = value
    frame.running = frame.own[frame.counter] = tuple(running)


# --------------------------------------------------------------------------------------------------- combinators


def plan_join(planner: Planner, frame: Frame, column: tuple[CombineNode, ...]) -> Join:
    first = column[0]
    expressions = arguments(first.step.op.call, list(first.options))  # type: ignore[union-attr]
    when = tuple(node.options.get("when", True) for node in column)
    condition = "" if all(when) else frame.written(when, expressions.get("when"), "skip")
    entry, split = frame.flow, bool(first.options.get("split"))
    received = _shares(frame, column) if split else entry
    cut = frame.express(tuple(node.input.channel_axis for node in column), {}, "dim") if split else ""
    branches, flows = [], []
    for number in range(len(first.branches)):
        frame.flow, names = received, dict(frame.names)
        branches.append(tuple(planner.items(frame, [node.branches[number] for node in column])))
        flows.append(frame.flow)
        frame.names = names
    outputs = [node.output for node in column]
    frame.flow = _joined(frame, first.kind, entry, flows, tuple(shape.channels for shape in outputs))
    dim = frame.express(tuple(shape.channel_axis for shape in outputs), {}, "dim") if first.kind == "concat" else ""
    return Join(first.kind, tuple(branches), first.step, dim, cut, condition, outputs, frame, frame.flow)


def _shares(frame: Frame, column: tuple[CombineNode, ...]) -> Flow:
    parts = len(column[0].branches)
    values: Values = tuple(node.input.channels // parts for node in column)
    if constant(values):
        return Flow(literal(values[0]), values)
    for known in frame.names.values():
        if isinstance(known, Let) and known.frame is frame and same(known.values, values):
            return Flow(known.resolve(), values)
    text = over(frame.flow.text, parts) if frame.flow.text else None
    return Flow(text if text and frame.says(text, values) else None, values)


def _joined(frame: Frame, kind: str, entry: Flow, flows: list[Flow], values: Values) -> Flow:
    """The channels behind branches."""
    if constant(values):
        return Flow(literal(values[0]), values)
    if kind == "aux":
        return entry
    texts = [flow.text for flow in flows]
    if kind != "concat":
        texts += [entry.text] if kind == "residual" else []
        return Flow(next((text for text in texts if text and frame.says(text, values)), None), values)
    if None in texts:
        return Flow(None, values)
    text = _sum([str(text) for text in texts])
    if len(text) > LONGEST or not frame.says(text, values):
        return Flow(None, values)
    mentioned = frame.scope([text])
    return Flow((explain(values, mentioned) if len(mentioned) == 1 else None) or text, values)


def _sum(texts: list[str]) -> str:
    """The sum of some expressions: equal ones as a product, numbers added up."""
    numbers = sum(int(text) for text in texts if text.isdigit())
    parts = []
    for text in dict.fromkeys(text for text in texts if not text.isdigit()):
        times = texts.count(text)
        parts.append(f"({text})" if times == 1 else f"{times} * ({text})")
    return tidy(" + ".join([*parts, *([str(numbers)] if numbers else [])]))
