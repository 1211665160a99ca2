"""What could bring branches together that do not fit, as guesses: one argument in one of them, a step behind one, or
another input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cnnspec.diagnostics import Edit
from cnnspec.layers.axes import Sliding
from cnnspec.layers.base import Layer, Refused, Shape
from cnnspec.layers.combine import Combinator
from cnnspec.layers.conv import ConvTranspose
from cnnspec.network import trail as trails
from cnnspec.network.edits import set_argument
from cnnspec.network.model import LayerNode
from cnnspec.network.proof import Guess
from cnnspec.network.trail import Stage, Step, Trail, written
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.words import show

MOST_HALVINGS = 6


class Meeting:
    """Branches that were to be joined: what each receives, does and gives."""

    def __init__(
        self,
        word: Combinator,
        op: tree.Combine,
        inputs: Sequence[Shape],
        outputs: Sequence[Shape],
        branches: Sequence[list[Step]],
    ) -> None:
        self.word, self.op, self.inputs, self.outputs, self.branches = word, op, inputs, outputs, branches
        self.bodies = op.body.branches if isinstance(op.body, tree.Branches) else (op.body,)

    def fits(self, at: int, output: Shape | None) -> bool:
        """Whether all would be well if one branch gave this."""
        if output is None:
            return False
        outputs = [output if n == at else shape for n, shape in enumerate(self.outputs)]
        try:
            self.word.output(self.inputs[0], outputs)
        except Refused:
            return False
        return self.word.word in ("concat", "multiply") or len({*outputs, *self.own}) == 1

    @property
    def own(self) -> tuple[Shape, ...]:
        return self.inputs[:1] if self.word.word == "residual" else ()  # type: ignore[return-value]

    def wanted(self, at: int) -> list[Shape]:
        """What the other branches give."""
        others = [shape for n, shape in enumerate(self.outputs) if n != at]
        return list(dict.fromkeys((*others, *self.own)))

    def output(self, x: Shape) -> Shape:
        """What comes of another input; raises `Refused`. Stands in a chain as a layer does."""
        shapes = self.word.inputs(x, len(self.branches))
        outputs = []
        for steps, shape in zip(self.branches, shapes, strict=True):
            for step in steps:
                shape = step.stage.output(shape)
            outputs.append(shape)
        return self.word.output(x, outputs)


def why(meeting: Meeting, origin: Span) -> str:
    """The sizes along each branch that changes them, where the branches differ in size."""
    if len({shape.spatial for shape in meeting.outputs}) == 1 and not meeting.own:
        return ""
    lines = []
    for number, (steps, shape) in enumerate(zip(meeting.branches, meeting.inputs, strict=True), 1):
        chain = trails.chain_of_sizes(Trail(shape, origin, tuple(steps), False))
        if chain:
            name = "the body" if meeting.own else f"branch {number}"
            lines.append(f"{name}: " + chain.replace("\n", "\n  "))
    return "\n".join(lines)


def guesses(meeting: Meeting, trail: Trail) -> Iterator[Guess]:
    """The likeliest first."""
    yield from _input(meeting, trail)
    for at in reversed(range(len(meeting.branches))):
        yield from _arguments(meeting, at)
    for at in reversed(range(len(meeting.branches))):
        yield from _conditions(meeting, at)
        yield from _steps(meeting, at)


def _input(meeting: Meeting, trail: Trail) -> Iterator[Guess]:
    """An input whose sizes can be halved as often as a branch halves them."""
    origin = trail.origin
    near = all(
        abs(a - b) * 8 <= max(a, b, 8)
        for one in meeting.outputs
        for a, b in zip(one.spatial, meeting.outputs[0].spatial, strict=False)
    )
    if not (trail.whole and origin.rank and near):
        return
    for power in range(1, MOST_HALVINGS + 1):
        divisor = 2**power
        sizes = tuple(-(-size // divisor) * divisor for size in origin.spatial)
        shape = Shape((origin.channels, *sizes))
        if shape != origin and trails.run([*trail.stages, meeting], shape) is not None:  # type: ignore[list-item]
            message = f"make the input {shape}, whose sizes can be divided by {divisor}"
            yield Guess(message, (Edit(trail.span, str(shape)),))


def _arguments(meeting: Meeting, at: int) -> Iterator[Guess]:
    """One argument of one layer, the last layer first."""
    steps = meeting.branches[at]
    stages: list[Stage] = [step.stage for step in steps]
    for place in reversed(range(len(steps))):
        step = steps[place]
        if not isinstance(step.node, LayerNode) or not step.site.direct:
            continue
        for name, value, text in _changes(meeting, at, step.node.layer, step.node.input):
            changed = _changed(step.node.layer, name, value)
            output = trails.run([*stages[:place], changed, *stages[place + 1 :]], meeting.inputs[at])
            if meeting.fits(at, output):
                edit = set_argument(step.call, changed.parameters(), name, text)
                call = f"{written(step.call)} on line {step.call.span.line}"
                yield Guess(f"write {name}={text} in {call}", (edit,))


def _changed(layer: Layer, name: str, value: Any) -> Layer:
    if layer.word == "upsample" and name == "size":
        return layer.replace(size=value, factor=None)
    return layer.replace(**{name: value})


def _changes(meeting: Meeting, at: int, layer: Layer, shape: Shape) -> Iterator[tuple[str, Any, str]]:
    """Other values for arguments of a layer, and how they are written."""
    kernel = getattr(layer, "kernel", None)
    if isinstance(layer, Sliding | ConvTranspose) and isinstance(kernel, int):
        if isinstance(layer, Sliding) and "padding" in layer.__fields__:
            yield "padding", kernel // 2, str(kernel // 2)
        for value, text in dict.fromkeys([*_strides(meeting, at), (1, "1")]):
            if value != getattr(layer, "stride", None):
                yield "stride", value, text
    if isinstance(layer, ConvTranspose) and isinstance(layer.stride, int):
        yield "kernel", layer.stride, str(layer.stride)
        yield "output_padding", layer.stride - 1, str(layer.stride - 1)
    for wanted in meeting.wanted(at):
        if layer.claims:
            yield "out", wanted.channels, str(wanted.channels)


def _strides(meeting: Meeting, at: int) -> Iterator[tuple[int, str]]:
    """The strides that the other branches have, as they are written there."""
    for number, steps in enumerate(meeting.branches):
        for step in steps if number != at else ():
            stride = getattr(step.layer, "stride", None)
            if isinstance(stride, int) and stride > 1:
                names = list(step.layer.parameters()) if step.layer else []
                for place, argument in enumerate(step.call.arguments):
                    if (argument.name.text if argument.name else names[place]) == "stride":
                        yield stride, argument.value.span.text


def _conditions(meeting: Meeting, at: int) -> Iterator[Guess]:
    """`| if stride != 1 { projection }` where only the channels change."""
    if len(meeting.bodies) != len(meeting.branches) or meeting.branches[at]:
        return
    statements = meeting.bodies[at].statements
    if len(statements) != 1 or not isinstance(statements[0], tree.If) or statements[0].otherwise:
        return
    condition = statements[0].condition.span
    for steps in meeting.branches:
        for step in reversed(steps):
            if step.layer and step.layer.claims and step.call.arguments:
                out = step.call.arguments[0].value.span.text
                text = f" or x.channels != {out}"
                message = "project the other branch also where the channels alone change"
                yield Guess(message, (Edit(Span(condition.source, condition.end, condition.end), text),))
                return


def _steps(meeting: Meeting, at: int) -> Iterator[Guess]:
    """A further step at the end of a branch."""
    given = meeting.outputs[at]
    for wanted in meeting.wanted(at):
        for step, result in _further(given, wanted):
            if meeting.fits(at, result):
                edit = _at_end(meeting, at, step)
                if edit:
                    yield Guess(f"end branch {at + 1} with {step}", (edit,))


def _further(given: Shape, wanted: Shape) -> Iterator[tuple[str, Shape | None]]:
    if not given.rank and wanted.rank:
        ones = (given.channels, *[1] * wanted.rank)
        yield f"unflatten({'x'.join(map(str, ones))})", Shape(ones)
    elif given.rank and not wanted.rank:
        yield "flatten", Shape((given.elements,))
    elif given.rank == wanted.rank and given.rank:
        ratios = {b / a for a, b in zip(given.spatial, wanted.spatial, strict=True)}
        ratio = ratios.pop()
        result = Shape((given.channels, *wanted.spatial))
        if not ratios and ratio > 1 and ratio % 1 == 0:
            yield f"upsample({int(ratio)})", result
        margins = {a - b for a, b in zip(given.spatial, wanted.spatial, strict=True)}
        margin = margins.pop()
        if not margins and margin > 0 and margin % 2 == 0:
            yield f"pad({-margin // 2})", result
        if all(abs(a - b) <= 1 for a, b in zip(given.spatial, wanted.spatial, strict=True)):
            yield (
                f"upsample(size={show(wanted.spatial if len(set(wanted.spatial)) > 1 else wanted.spatial[0])})",
                result,
            )


def _at_end(meeting: Meeting, at: int, step: str) -> Edit | None:
    """In the place of an empty branch or of `identity`, or behind the last step."""
    from cnnspec.network.projection import idle

    if len(meeting.bodies) != len(meeting.branches):
        return None
    body = meeting.bodies[at]
    place = idle(body)
    if place:
        return Edit(place, step if place.end > place.start else f" {step}")
    last = body.statements[-1]
    if not isinstance(last, tree.Chain) or last.prediction is not None:
        return None
    end = last.steps[-1].span.end
    return Edit(Span(body.span.source, end, end), f", {step}")
