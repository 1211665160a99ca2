"""Loops: written out pass by pass where that is short, and as loops of Python where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnspec.emission.express import Values, bracketed, constant, literal, plain, same
from cnnspec.emission.frames import Frame, Passes
from cnnspec.emission.items import Assign, Child, Item, Loop
from cnnspec.emission.names import Flow, has_literal
from cnnspec.network.model import Choice, CombineNode, GroupNode, LayerNode, nodes
from cnnspec.network.model import Item as NetworkItem
from cnnspec.network.model import Loop as NetworkLoop
from cnnspec.syntax import tree

if TYPE_CHECKING:
    from cnnspec.emission.plan import Planner

LONGEST_WRITTEN_OUT = 16
"""A loop that takes more lines than this is written as a loop."""

LONGEST_HEADER = 60
"""What a loop inside a call runs through is not longer than this."""


def plan_loop(planner: Planner, frame: Frame, column: tuple[NetworkLoop, ...]) -> list[Item]:
    counts = [len(loop.passes) for loop in column]
    if not any(counts):
        return []
    if len(set(counts)) == 1 and (counts[0] == 1 or _short(frame, column)):
        return _written_out(planner, frame, column)
    return _as_loop(planner, frame, column, counts)


# ---------------------------------------------------------------------------------------------- pass after pass


def _short(frame: Frame, column: tuple[NetworkLoop, ...]) -> bool:
    inside: Frame | None = frame
    while inside:
        if isinstance(inside, Passes):
            return False
        inside = inside.parent
    return length([column[0]]) <= LONGEST_WRITTEN_OUT


def length(items: Sequence[NetworkItem]) -> int:
    """About how many lines some items take when written out; as many as count, at most."""
    total = 0
    for item in items:
        match item:
            case LayerNode() | GroupNode(block=tree.Node()):
                total += 1
            case GroupNode():
                total += 1 if item.block else 2 + length(item.items)
            case CombineNode():
                total += 1 + sum(map(length, item.branches))
            case Choice():
                total += length(item.items)
            case NetworkLoop():
                before: tuple[NetworkItem, ...] | None = None
                for each in item.passes:
                    total += 0 if before is not None and repeated(before, each) else length(each)
                    before = each
                    if total > LONGEST_WRITTEN_OUT:
                        break
        if total > LONGEST_WRITTEN_OUT:
            break
    return total


def repeated(one: Sequence[NetworkItem], other: Sequence[NetworkItem]) -> bool:
    """Whether two passes make the same single child, at a position."""
    left, right = list(nodes(tuple(one))), list(nodes(tuple(other)))
    if len(left) != 1 or len(right) != 1 or left[0].input != right[0].input:
        return False
    a, b = left[0], right[0]
    if isinstance(a, LayerNode) and isinstance(b, LayerNode):
        return not a.labelled and a.layer == b.layer
    if isinstance(a, GroupNode) and isinstance(b, GroupNode):
        return not a.labelled and bool(a.items) and a.items is b.items
    return False


def _written_out(planner: Planner, frame: Frame, column: tuple[NetworkLoop, ...]) -> list[Item]:
    found: list[Item] = []
    for number in range(len(column[0].passes)):
        values = [loop.values[number] for loop in column]
        for name in values[0] if values else ():
            here = [each[name] for each in values]
            frame.names.pop(name, None)
            if all(map(has_literal, here)) and constant(tuple(map(plain, here))):
                frame.names[name] = literal(plain(here[0]))
        items = planner.items(frame, [loop.passes[number] for loop in column])
        for item in items:
            if isinstance(item, Child):
                item.looped = True
        found += items
    return found


# ---------------------------------------------------------------------------------------------------- as a loop


def _as_loop(planner: Planner, frame: Frame, column: tuple[NetworkLoop, ...], counts: list[int]) -> list[Item]:
    index = [run for run, count in enumerate(counts) for _ in range(count)]
    before = frame.flow
    starts, ends = channels_along(column, before.values)
    inner = Passes(frame, index, before.at(index))
    for name in column[0].values[0] if column[0].values else _names(column):
        inner.declare(name, [each[name] for loop in column for each in loop.values])
    counting = not same(starts, inner.flow.values)
    prepared = start_counter(frame, inner, starts) if counting else []
    items = planner.items(inner, [each for loop in column for each in loop.passes])
    if counting and not same(inner.running or (), ends):
        items.append(Assign(inner.counter, inner.incoming(ends, "out_channels")))
        set_counter(inner, ends)
    _behind(frame, inner, index, before, counting)
    loop = _header(frame, inner, column, counts)
    loop.items = tuple(items)
    return [*prepared, loop]


def _names(column: tuple[NetworkLoop, ...]) -> list[str]:
    return next((list(loop.values[0]) for loop in column if loop.values), [])


def channels_along(column: tuple[NetworkLoop, ...], before: Values) -> tuple[Values, Values]:
    """The channels at the beginning and the end of each pass."""
    starts, ends = [], []
    for loop, channels in zip(column, before, strict=True):
        for each in loop.passes:
            made = list(nodes(each))
            starts.append(made[0].input.channels if made else channels)
            channels = made[-1].output.channels if made else channels
            ends.append(channels)
    return tuple(starts), tuple(ends)


def start_counter(frame: Frame, inner: Passes, starts: Values) -> list[Item]:
    """A variable that holds the channels from pass to pass."""
    root, entry = frame.root, frame.flow.values
    prepared: list[Item] = []
    if not frame.counter:
        frame.counter = root.free("features" if root.flat else "channels", {*frame.visible(), *inner.own})
        root.counters.add(frame.counter)
    if frame.running is None or not same(frame.running, entry):
        prepared.append(Assign(frame.counter, frame.incoming(entry, "in_channels")))
        set_counter(frame, entry)
    inner.counter = frame.counter
    set_counter(inner, starts)
    inner.flow = Flow(inner.counter, starts)
    return prepared


def set_counter(frame: Frame, values: Values) -> None:
    frame.running = frame.own[frame.counter] = values
    frame.cache.pop(frame.counter, None)


def _behind(frame: Frame, inner: Passes, index: list[int], before: Flow, counting: bool) -> None:
    """The channels behind a loop: those behind the last pass of each run."""
    after, running = list(before.values), list(frame.running or ())
    for at, run in enumerate(index):
        after[run] = inner.flow.values[at]
        if counting and inner.running:
            running[run] = inner.running[at]
    if counting:
        set_counter(frame, tuple(running))
    values = tuple(after)
    texts = (inner.flow.text, before.text, frame.counter)
    if constant(values):
        frame.flow = Flow(literal(values[0]), values)
    else:
        frame.flow = Flow(next((text for text in texts if text and frame.says(text, values)), None), values)


def _header(frame: Frame, inner: Passes, column: tuple[NetworkLoop, ...], counts: list[int]) -> Loop:
    """What the loop runs through, and the variables it needs."""
    variables = inner.variables
    statement = column[0].statement
    if not variables:
        expression = statement.count if isinstance(statement, tree.Repeat) else None
        times = frame.written(tuple(counts), expression, "depth")
        return Loop("_", f"range({times})", "", (), times)
    texts = {name: _through(frame, name, _by_run(values, counts), statement) for name, values in variables.items()}
    numbers = [name for name in texts if texts[name].startswith("range(") and len(texts) > 1]
    counted = next((name for name in numbers if _begins_the_same(variables[name], counts)), None)
    rest = [name for name in texts if name != counted]
    count = literal(counts[0]) if constant(tuple(counts)) else f"len({next(iter(texts.values()))})"
    columns = [_by_run(variables[name], counts) for name in rest]
    settled = [column[0] for column in columns] if all(map(constant, columns)) else []
    text = _together([texts[name] for name in rest], settled)
    rows = tuple(literal(row if len(settled) > 1 else row[0]) for row in zip(*settled, strict=True))
    targets = ", ".join(rest)
    if counted is None:
        return Loop(targets, text, "", rows, count)
    inside = f"({targets})" if len(rest) > 1 else targets
    return Loop(f"{counted}, {inside}", text, literal(variables[counted][0]), rows, count)


def _together(texts: list[str], columns: list[Values]) -> str:
    """What several variables run through: rows where they are written out, columns otherwise."""
    if len(texts) == 1:
        return texts[0]
    if columns:
        return bracketed(bracketed(map(literal, row)) for row in zip(*columns, strict=True))
    return f"zip({', '.join(texts)})"


def _by_run(values: Values, counts: list[int]) -> Values:
    found, at = [], 0
    for count in counts:
        found.append(tuple(values[at : at + count]))
        at += count
    return tuple(found)


def _begins_the_same(values: Values, counts: list[int]) -> bool:
    return len({each[0] for each in _by_run(values, counts) if each}) == 1


def _through(frame: Frame, name: str, tuples: Values, statement: tree.Repeat | tree.For) -> str:
    """What one variable of a loop runs through."""
    expression = statement.items if isinstance(statement, tree.For) and _single(statement, name) else None
    if expression is not None:
        for text in _iterables(frame, expression):
            if frame.says(f"tuple({text})", tuples):
                return frame.use(text)
    steps = {each[n + 1] - each[n] for each in tuples for n in range(len(each) - 1) if type(each[0]) is int}
    whole = all(type(value) is int for each in tuples for value in each)
    firsts = {each[0] for each in tuples if each}
    if whole and steps <= {1} and len(firsts) == 1:
        first = firsts.pop()
        stop = frame.written(tuple(first + len(each) for each in tuples), None, "stop")
        return f"range({stop})" if first == 0 else f"range({first}, {stop})"
    if constant(tuples):
        return literal(tuples[0])
    candidates = [text for text in frame.names.values() if isinstance(text, str)] if expression else []
    return frame.express(tuples, frame.scope(candidates), f"{name}s")


def _iterables(frame: Frame, expression: tree.Expr) -> list[str]:
    from cnnspec.emission.written import readings

    return [text for text in readings(expression, frame.lookup(frame.flow)) if len(text) <= LONGEST_HEADER]


def _single(statement: tree.For, name: str) -> bool:
    targets = statement.target.names
    return len(targets) == 1 and not isinstance(targets[0], tuple) and targets[0].text == name
