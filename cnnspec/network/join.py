"""Branches: what each receives, and what joins them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.layers.base import Refused, Shape
from cnnspec.layers.combine import COMBINATORS, Combinator
from cnnspec.network.evaluate import Scope, arguments
from cnnspec.network.flow import Flow
from cnnspec.network.model import CombineNode, Item, nodes
from cnnspec.network.projection import projections
from cnnspec.network.proof import Guess
from cnnspec.network.trail import Step, inside, shorten, written
from cnnspec.network.walk import Module, Walk
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words import CallValue, Faults, bind, closest

Expand = Callable[[tree.Body, Module, Scope, Flow], tuple[Item, ...]]


def combine(
    walk: Walk, step: tree.Step, module: Module, scope: Scope, flow: Flow, expand: Expand
) -> CombineNode | None:
    """A combinator with its branches; raises `Faults` for what is none. `expand` runs a branch."""
    op: tree.Combine = step.op  # type: ignore[assignment]
    word = combinator(step, scope)
    bodies = op.body.branches if isinstance(op.body, tree.Branches) else (op.body,)
    received: Sequence[Shape | None] = [None] * len(bodies)
    if flow.shape is not None:
        try:
            received = word.inputs(flow.shape, len(bodies))
        except Refused as refused:
            walk.ends(op.call.span, "branches", refused)
            walk.tell(module, _unshared(op, refused, flow.shape, _shares(walk, flow, len(bodies))))
    flows = [_branch(flow, shape, op.call.span) for shape in received]
    branches = tuple(expand(body, module, scope, each) for body, each in zip(bodies, flows, strict=True))
    before = flow.shape
    if before is None:
        flow.lose()
        return None
    if word.word == "aux":
        after: Shape | None = before
        if flows[0].shape is None:
            return None
    else:
        after = joined(walk, word, op, module, scope, flow, flows, branches)
    outputs = [each.shape for each in flows]
    if after is None or None in outputs:
        _go_on(flow, word, outputs, op.call.span)
        return None
    options = {name: getattr(word, name) for name in word.__fields__}
    node = CombineNode(word.word, branches, options, before, after, step)  # type: ignore[arg-type]
    if word.word != "aux":
        flow.believed = _believed(word, flow.believed, flows)
    flow.pass_through(node)
    walk.placed.append(node)
    return node


def _believed(word: Combinator, before: Shape | None, flows: Sequence[Flow]) -> Shape | None:
    """What comes out in the author's mind."""
    outputs = [flow.believed for flow in flows if flow.believed]
    try:
        return word.output(before, outputs) if before and len(outputs) == len(flows) else None
    except Refused:
        return None


def combinator(step: tree.Step, scope: Scope) -> Combinator:
    """The combinator a call names, with its arguments; raises `Faults`."""
    op: tree.Combine = step.op  # type: ignore[assignment]
    call = op.call
    word = COMBINATORS.get(call.name.text)
    if word is None:
        raise Faults(_no_combinator(step, op))
    if step.label:
        name = step.label.text
        message = f"{name} names a submodule, and {word.word} makes none"
        braces = Fix("braces around it make one", (Edit(Span(op.span.source, op.span.start, op.span.start), "{ "),
                     Edit(Span(op.span.source, op.span.end, op.span.end), " }")))  # fmt: skip
        raise Faults(Diagnostic("E402", message, step.label.span, "names nothing here", fixes=(braces,)))
    bars = isinstance(op.body, tree.Branches)
    if word.bars != bars:
        if any(isinstance(node, tree.Faulty) for node in tree.walk(op.body)):
            raise Faults()
        raise Faults(_bars(word, op))
    if bars and len(op.body.branches) < 2:  # type: ignore[union-attr]
        message = f"{word.word} joins branches, and here is only one"
        note = "residual { ... } adds what comes in to what its body makes of it" if word.word == "add" else ""
        raise Faults(Diagnostic("E402", message, call.name.span, "one branch", notes=(note,) if note else ()))
    return bind(word, CallValue(word.word, arguments(call, scope), call.span, call.name.span))


def joined(
    walk: Walk,
    word: Combinator,
    op: tree.Combine,
    module: Module,
    scope: Scope,
    flow: Flow,
    flows: Sequence[Flow],
    branches: Sequence[tuple[Item, ...]],
) -> Shape | None:
    """The shape behind the branches; None where one is not known, or where they do not fit together."""
    before = flow.shape
    assert before is not None
    outputs = [each.shape for each in flows]
    known = [shape for shape in outputs if shape is not None]
    if len(known) < len(outputs):
        return None
    try:
        after = word.output(before, known)
    except Refused as refused:
        walk.ends(op.call.span, "branches", refused)
        names = None if walk.uses.once(op.call) else scope
        fault = mismatch(word, op, before, known, refused, names)
        walk.tell(module, _explained(walk, fault, word, op, flow, known, branches))
        return None
    joins = (*known, *_own(word, before))
    if walk.guesses and word.word in ("add", "residual") and any(shape != after for shape in joins):
        shapes = " and ".join(dict.fromkeys(map(str, joins)))
        message = f"{word.word} stretches its branches to one shape: {shapes} become {after}"
        note = "sizes of 1 are repeated, as PyTorch's broadcasting does"
        walk.tell(module, Diagnostic("W004", message, op.call.span, "is that meant?", notes=(note,)))
    return after


def mismatch(
    word: Combinator,
    op: tree.Combine,
    before: Shape,
    outputs: Sequence[Shape],
    refused: Refused,
    names: Mapping[str, Any] | None,
) -> Diagnostic:
    """Branches that do not fit together, each with its shape, and the projection that would mend a sum."""
    labels = [Label(place, f"{shape} comes out here") for place, shape in zip(ends(op), outputs, strict=True)]
    if word.word == "residual":
        message = f"residual adds {before}, which comes in, to {outputs[0]}, which its body makes of it"
    else:
        each = [f"branch {n} gives {shape}" for n, shape in enumerate(outputs, 1)]
        message = f"{refused.message}: {', '.join(shorten(each))}"
    fixes = projections(word, op, before, outputs, names) if word.word in ("add", "residual") else ()
    return Diagnostic("E401", message, op.call.span, f"{before} comes in", tuple(labels), fixes=fixes)


def _explained(
    walk: Walk,
    fault: Diagnostic,
    word: Combinator,
    op: tree.Combine,
    flow: Flow,
    outputs: Sequence[Shape],
    branches: Sequence[tuple[Item, ...]],
) -> Diagnostic:
    """The fault with the sizes along its branches, and with what might bring them together."""
    from cnnspec.network.rejoin import Meeting, guesses, why

    assert flow.shape is not None
    trail = walk.trail(flow)
    ran = [[Step(node, walk.site(node)) for node in inside(nodes(items))] for items in branches]
    meeting = Meeting(word, op, word.inputs(flow.shape, len(branches)), outputs, ran)
    tried = tuple(guesses(meeting, trail)) if walk.guesses else ()
    return fault.replace(why=why(meeting, trail.span), fixes=(*fault.fixes, *tried))


def ends(op: tree.Combine) -> list[Span]:
    """Where the output of each branch is made: its last step, or the place of an empty one."""
    bodies = op.body.branches if isinstance(op.body, tree.Branches) else (op.body,)
    return [_end(body) for body in bodies]


def _end(body: tree.Body) -> Span:
    steps = [s for s in body.statements if not isinstance(s, tree.Let | tree.Assert | tree.Input)]
    if not steps:
        return Span(body.span.source, body.span.start, min(body.span.start + 1, body.span.end))
    last = steps[-1]
    if isinstance(last, tree.Chain):
        op = last.steps[-1].op
        return (
            op.call.span
            if isinstance(op, tree.Combine)
            else op.span.first_word
            if isinstance(op, tree.Group)
            else op.span
        )
    return last.span.first_word


def _own(word: Combinator, before: Shape) -> tuple[Shape, ...]:
    return (before,) if word.word == "residual" and word.when else ()  # type: ignore[attr-defined]


def _branch(flow: Flow, shape: Shape | None, span: Span) -> Flow:
    if shape is None and flow.shape is not None:
        branch = flow.fork()
        branch.lose()
        return branch
    if shape != flow.shape:
        return Flow(shape, span)
    return flow.fork()


def _go_on(flow: Flow, word: Combinator, outputs: Sequence[Shape | None], span: Span) -> None:
    """Behind branches with a fault: where one of a sum is known, the others were meant to give the same."""
    known = [shape for shape in outputs if shape is not None]
    if word.word in ("add", "multiply") and len(known) == 1:
        flow.restart(known[0], span)
    else:
        flow.lose()


def _shares(walk: Walk, flow: Flow, branches: int) -> Iterator[Fix]:
    """Numbers of channels that can be divided, from the layer that sets them."""
    from cnnspec.network.mends import source_of_channels

    found = source_of_channels(walk.trail(flow), None) if walk.guesses else None
    if found:
        call, given, channels = found
        for count in (channels - channels % branches, channels - channels % branches + branches):
            if count:
                message = f"let {written(call)} on line {call.span.line} give {count}"
                yield Guess(message, (Edit(given.span, str(count)),))


def _unshared(op: tree.Combine, refused: Refused, shape: Shape, guesses: Iterator[Fix]) -> Diagnostic:
    fixes = (*((Fix(refused.help),) if refused.help else ()), *guesses)
    label = f"{shape} arrives here"
    return Diagnostic(refused.code, refused.message, op.call.span, label, why=refused.why, fixes=fixes)


def _bars(word: type[Combinator], op: tree.Combine) -> Diagnostic:
    span = op.call.name.span
    if word.bars:
        message = f"{word.word} has no branches: what stands in its braces runs one step after another"
        note = f"branches begin with bars: {word.word} {{ | ... | ... }}"
        return Diagnostic("E402", message, span, "joins branches", notes=(note,))
    body = Span(op.body.span.source, op.body.span.start, op.body.span.start + 1)
    message = f"{word.word} has one body, and these are branches"
    note = "add, multiply and concat join branches"
    return Diagnostic("E402", message, span, "takes no bars", (Label(body, "branches begin here"),), notes=(note,))


def _no_combinator(step: tree.Step, op: tree.Combine) -> Diagnostic:
    name, span = op.call.name.text, op.call.name.span
    meant = next(iter(closest(name.lower(), COMBINATORS)), None)
    if meant:
        fix = Fix(f"did you mean {meant}?", (Edit(span, meant),))
        return Diagnostic("E201", f"{name} does not combine branches", span, "not known", fixes=(fix,))
    if op.call.span.end == span.end and not step.label and isinstance(op.body, tree.Body):
        fix = Fix("write a colon behind the name of a group", (Edit(span, f"{name}:"),))
        return Diagnostic("E201", f"{name} has no colon behind it", span, "the name of a group?", fixes=(fix,))
    note = "braces follow add, multiply, concat, residual and aux"
    return Diagnostic("E201", f"{name} does not combine branches", span, "not known", notes=(note,))
