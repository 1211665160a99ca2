"""Habits and slips that a fault outside of the shapes comes from, and the edits that mend it: inputs and outputs,
names that stand elsewhere, layers in the place of branches."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.layers import LAYERS
from cnnspec.layers.base import Shape
from cnnspec.network.proof import Guess
from cnnspec.network.trail import Trail, written
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words.edits import remove

PICTURES = ("1x28x28", "3x32x32", "3x224x224")
"""Inputs that are tried where there is none."""


# ------------------------------------------------------------------------------------------------ input and output


def inputs(model: tree.Model, data: Shape | None) -> tuple[Fix, ...]:
    """A first line for a model that has none."""
    start = model.body.span.start + 1
    source = model.span.source
    text = source.text
    at = start + len(text[start:]) - len(text[start:].lstrip(" \t\r\n"))
    line_start = text.rfind("\n", 0, at) + 1
    indent = text[line_start:at] if line_start >= start else " "
    proposals = dict.fromkeys([*([str(data)] if data else []), *PICTURES])
    words = "begin with the shape of one sample, {} for instance"
    place = source.span(at, at)
    return tuple(Guess(words.format(shape), (Edit(place, f"input {shape}\n{indent}"),)) for shape in proposals)


def moved_up(first: tree.Statement, late: tree.Statement) -> Fix:
    """A statement that stands too late, put before another one."""
    start = first.span.start
    indent = first.span.source.text[first.span.source.text.rfind("\n", 0, start) + 1 : start]
    edits = (Edit(Span(first.span.source, start, start), f"{late.span.text}\n{indent}"), remove(late.span))
    return Fix(f"put it above line {first.span.line}", edits)


def without_batch(span: Span, sizes: tuple[int, ...]) -> Fix:
    text = "x".join(map(str, sizes[1:]))
    return Guess(f"an input is one sample, without the batch: {text}", (Edit(span, text),))


def unquoted(value: str, span: Span) -> tuple[Fix, ...]:
    """`input "3x32x32"`"""
    sizes = re.findall(r"[0-9]+", value)
    if not re.fullmatch(r"[0-9x×*, ()\[\]]+", value) or not sizes:
        return ()
    return (Fix("a shape stands without quotes", (Edit(span, "x".join(sizes)),)),)


def outputs(trail: Trail, model: tree.Model, classes: int) -> tuple[Fix, ...]:
    """The last layer that sets the number of outputs, or the parameter it takes it from, set to the classes."""
    for step in reversed(trail.steps):
        if step.layer and step.layer.claims:
            for position, argument in enumerate(step.call.arguments):
                if (argument.name.text if argument.name else step.layer.claims if position == 0 else "") == "out":
                    return tuple(_output(argument.value, step.call, model, classes))
        if step.node.input.channels != step.node.output.channels:
            break
    return ()


def _output(value: tree.Expr, call: tree.Call, model: tree.Model, classes: int) -> Iterator[Fix]:
    if isinstance(value, tree.Number):
        yield Fix(f"let {written(call)} give {classes}", (Edit(value.span, str(classes)),))
    for param in model.params if isinstance(value, tree.Name) else ():
        if param.name.text == value.span.text and param.default is not None:
            yield Fix(f"write {param.name.text}={classes}", (Edit(param.default.span, str(classes)),))


# ------------------------------------------------------------------------------------------------------------ names


def defined_elsewhere(fault: Diagnostic, owner: tree.Node) -> Diagnostic:
    """What is said of a name that is not known here, where it has a value further down or inside a loop."""
    name, place = fault.span.text, fault.span
    if fault.code != "E206" or not name.isidentifier():
        return fault
    for node in tree.walk(owner):
        if not isinstance(node, tree.Let | tree.For) or node.span.source is not place.source:
            continue
        if isinstance(node, tree.Let) and node.name.text == name and node.span.start > place.start:
            label = Label(node.span, "it gets its value here, below")
            first = _statement(owner, place)
            fixes = (moved_up(first, node),) if first else ()
            return fault.replace(labels=(label, *fault.labels), notes=(), fixes=fixes)
        if isinstance(node, tree.For) and node.span.end <= place.start and name in _bound(node.target):
            label = Label(node.target.span, f"{name} is known in this loop alone")
            return fault.replace(labels=(label, *fault.labels), notes=(), fixes=_last_value(node, place))
    return fault


def _bound(target: tree.Target) -> list[str]:
    return [node.text for node in tree.walk(target) if isinstance(node, tree.Identifier)]


def _last_value(loop: tree.For, place: Span) -> tuple[Fix, ...]:
    if not isinstance(loop.items, tree.List) or len(loop.target.names) > 1 or not loop.items.items:
        return ()
    last = loop.items.items[-1].span.text
    return (Fix(f"write the value it had last, {last}", (Edit(place, last),)),)


def _statement(owner: tree.Node, place: Span) -> tree.Statement | None:
    """The statement of a body that a place stands in."""
    found: tree.Statement | None = None
    for node in tree.walk(owner):
        if isinstance(node, tree.Body):
            for statement in node.statements:
                if statement.span.start <= place.start < statement.span.end and not isinstance(found, tree.Chain):
                    found = statement
    return found


def renamed(name: str, span: Span, taken: set[str]) -> Fix:
    """Another name in the place of one that is taken: `conv2` for `conv1`."""
    stem = name.rstrip("0123456789")
    number = int(name[len(stem) :] or 1) + 1
    while f"{stem}{number}" in taken:
        number += 1
    quote = '"' if span.text.startswith('"') else ""
    return Fix(f"call it {stem}{number}", (Edit(span, f"{quote}{stem}{number}{quote}"),))


def renamed_from(name: tree.Identifier, owner: tree.Node, taken: set[str]) -> tuple[Fix, ...]:
    """Another name for a second value, from its `let` on."""
    first = renamed(name.text, name.span, taken)
    let = next((n for n in tree.walk(owner) if isinstance(n, tree.Let) and n.name.span == name.span), None)
    if let is None:
        return ()
    other = first.edits[0].text
    later = [n for n in tree.walk(owner) if isinstance(n, tree.Name) and n.text == name.text]
    edits = dict.fromkeys(Edit(node.span, other) for node in later if node.span.start >= let.span.end)
    return (Guess(f"call it {other} from here on", (*first.edits, *edits)),)


def everywhere(name: str, other: str, items: tree.Node | tuple[tree.Node, ...]) -> tuple[Edit, ...]:
    """Edits that rename a block where it is defined and used."""
    nodes = [node for node in tree.walk(items) if isinstance(node, tree.Identifier | tree.Name)]
    return tuple(dict.fromkeys(Edit(node.span, other) for node in nodes if node.text == name))


# ------------------------------------------------------------------------------------------------------------ calls


def activation(call: tree.Call, fault: Diagnostic) -> Diagnostic:
    """`conv(64, 3, activation="relu")`"""
    if fault.code != "E202" or fault.span.text != "activation":
        return fault
    for argument in call.arguments:
        word = argument.value.span.text.strip('"')
        if argument.name and argument.name.text == "activation" and word in LAYERS:
            edits = (remove(argument.span), Edit(Span(call.span.source, call.span.end, call.span.end), f", {word}"))
            return fault.replace(fixes=(Fix(f"put {word} behind it, as a layer of its own", edits),))
    return fault


def branches(call: tree.Call) -> tuple[Fix, ...]:
    """`add(conv(32, 3), identity)`"""
    if not call.arguments or any(argument.name for argument in call.arguments):
        return ()
    inside = " ".join(f"| {argument.span.text}" for argument in call.arguments)
    return (Fix("give the branches in braces", (Edit(call.span, f"{call.name.text} {{ {inside} }}"),)),)


MEANS = {
    "globalaveragepooling": "adaptive_avgpool(1), flatten",
    "globalavgpool": "adaptive_avgpool(1), flatten",
    "global_avg_pool": "adaptive_avgpool(1), flatten",
    "globalmaxpooling": "adaptive_maxpool(1), flatten",
    "globalmaxpool": "adaptive_maxpool(1), flatten",
}
"""What one layer of Keras is in several here."""


def several(call: tree.Call, fault: Diagnostic) -> Diagnostic:
    means = MEANS.get(re.sub(r"[123][dD]$", "", call.name.text).lower())
    if means is None:
        return fault
    return fault.replace(notes=(), fixes=(Fix(f"write {means}", (Edit(call.span, means),)),))


def exchanged(argument: tree.Argument, arriving: int, out: object, claimed: object) -> Fix | None:
    """`conv(64 -> 32, 3)` where 32 arrive."""
    incoming, value = argument.incoming, argument.value
    if out != arriving or incoming is None or claimed == out or not isinstance(incoming, tree.Number):
        return None
    edits = (Edit(incoming.span, value.span.text), Edit(value.span, incoming.span.text))
    return Guess("the numbers around the arrow are exchanged: what arrives stands before it", edits)
