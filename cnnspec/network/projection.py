"""Repairs for branches whose shapes cannot be added: the convolution that brings one to the shape of the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cnnspec.diagnostics import Edit, Fix
from cnnspec.layers.base import Shape
from cnnspec.layers.combine import Combinator
from cnnspec.record import Record
from cnnspec.source import Span
from cnnspec.syntax import tree

LARGEST_STRIDE = 32


def projections(
    word: Combinator, op: tree.Combine, before: Shape, outputs: Sequence[Shape], names: Mapping[str, Any] | None
) -> tuple[Fix, ...]:
    """A projection in the branch that passes its input on, to the shape of the other branch. `names` are the values by
    name at a place with several uses, where other shapes may arrive; None at one with a single use."""
    if word.word == "residual":
        layer = projection(before, outputs[0], names)
        return (_beside(op, layer),) if layer and not op.call.arguments else ()
    bodies = op.body.branches if isinstance(op.body, tree.Branches) else ()
    if len(bodies) != 2:
        return ()
    return tuple(_instead(bodies, before, outputs, names))


class Projection(Record):
    """The layer that makes one shape of another, and the condition under which it is needed. It is `sure` where all
    uses of its place can have it."""

    layer: str
    condition: str = ""
    sure: bool = True

    def __str__(self) -> str:
        return f"if {self.condition} {{ {self.layer} }}" if self.condition else self.layer


def projection(given: Shape, wanted: Shape, names: Mapping[str, Any] | None = None) -> Projection | None:
    """A linear layer, or a 1x1 convolution with a stride."""
    if given.rank != wanted.rank or given.channels_last or wanted.channels_last:
        return None
    strides = [_stride(a, b) for a, b in zip(given.spatial, wanted.spatial, strict=True)]
    if None in strides:
        return None
    channels = _named(wanted.channels, names)
    stride = _named(strides[0], names) if len(set(strides)) == 1 else str(strides)
    if not given.rank:
        layer = f"linear({channels})"
    else:
        layer = f"conv({channels}, 1)" if set(strides) == {1} else f"conv({channels}, 1, stride={stride})"
    if names is None:
        return Projection(layer)
    needed = [f"x.{'channels' if given.rank else 'features'} != {channels}"]
    needed += [f"{stride} != 1"] if stride.isidentifier() else []
    always = bool(strides) and set(strides) != {1} and not stride.isidentifier()
    return Projection(layer, "" if always else " or ".join(needed), channels.isidentifier())


def _named(value: int | None, names: Mapping[str, Any] | None) -> str:
    """The one name that stands for a number, or the number."""
    found = [name for name, known in (names or {}).items() if type(known) is int and known == value != 1]
    return found[0] if len(found) == 1 else str(value)


def _stride(given: int, wanted: int) -> int | None:
    """The stride with which a kernel of 1 makes one size of the other."""
    return next((s for s in range(1, LARGEST_STRIDE + 1) if (given - 1) // s + 1 == wanted), None)


def _instead(
    bodies: Sequence[tree.Body], before: Shape, outputs: Sequence[Shape], names: Mapping[str, Any] | None
) -> Iterator[Fix]:
    """In the place of a branch that does nothing."""
    for at, body in enumerate(bodies):
        layer = projection(before, outputs[1 - at], names)
        place = idle(body)
        if outputs[at] == before and place and layer:
            text = str(layer) if place.end > place.start else f" {layer}"
            yield _fix(f"bring the other branch to {outputs[1 - at]} with a projection", layer, (Edit(place, text),))


def _fix(message: str, layer: Projection, edits: tuple[Edit, ...]) -> Fix:
    """With the edits, where they are right for all uses of their place."""
    return Fix(message, edits) if layer.sure else Fix(f"{message}, {layer.layer}, in the uses that need it")


def idle(body: tree.Body) -> Span | None:
    """The place of `identity` in a branch that is nothing else; the place behind the bar of an empty branch."""
    if not body.statements:
        at = body.span.start + 1
        return Span(body.span.source, at, at)
    first = body.statements[0]
    if len(body.statements) > 1 or not isinstance(first, tree.Chain) or len(first.steps) > 1:
        return None
    op = first.steps[0].op
    return op.span if isinstance(op, tree.Call) and op.name.text == "identity" else None


def _beside(op: tree.Combine, layer: Projection) -> Fix:
    """`residual { body }` as `add { | body | projection }`."""
    source, start, end = op.body.span.source, op.body.span.start, op.body.span.end - 1
    first = op.body.statements[0].span.start if isinstance(op.body, tree.Body) and op.body.statements else start + 1
    alone = source.text[source.text.rfind("\n", 0, end) + 1 : end]
    last = f"  | {layer}\n{alone}" if alone.isspace() or not alone else f"| {layer} "
    edits = (
        Edit(op.call.span, "add"),
        Edit(Span(source, first, first), "| "),
        Edit(Span(source, end, end), last),
    )
    return _fix("add a projection of what comes in instead", layer, edits)
