"""Repairs for branches whose shapes cannot be added: the convolution that brings one to the shape of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnspec.diagnostics import Edit, Fix
from cnnspec.layers.base import Shape
from cnnspec.layers.combine import Combinator
from cnnspec.source import Span
from cnnspec.syntax import tree

LARGEST_STRIDE = 32


def projections(word: Combinator, op: tree.Combine, before: Shape, outputs: Sequence[Shape]) -> tuple[Fix, ...]:
    """A projection in the branch that passes its input on, to the shape of the other branch."""
    if word.word == "residual":
        fix = _beside(op, projection(before, outputs[0]))
        return (fix,) if fix else ()
    bodies = op.body.branches if isinstance(op.body, tree.Branches) else ()
    if len(bodies) != 2:
        return ()
    return tuple(_instead(bodies, before, outputs))


def projection(given: Shape, wanted: Shape) -> str | None:
    """The layer that makes one shape of another: a linear layer, or a 1x1 convolution with a stride."""
    if given.rank != wanted.rank or given.channels_last or wanted.channels_last:
        return None
    if not given.rank:
        return f"linear({wanted.channels})"
    strides = [_stride(a, b) for a, b in zip(given.spatial, wanted.spatial, strict=True)]
    if None in strides:
        return None
    if set(strides) == {1}:
        return f"conv({wanted.channels}, 1)"
    stride = str(strides[0]) if len(set(strides)) == 1 else str(strides)
    return f"conv({wanted.channels}, 1, stride={stride})"


def _stride(given: int, wanted: int) -> int | None:
    """The stride with which a kernel of 1 makes one size of the other."""
    return next((s for s in range(1, LARGEST_STRIDE + 1) if (given - 1) // s + 1 == wanted), None)


def _instead(bodies: Sequence[tree.Body], before: Shape, outputs: Sequence[Shape]) -> Iterator[Fix]:
    """In the place of a branch that does nothing."""
    for at, body in enumerate(bodies):
        layer = projection(before, outputs[1 - at])
        place = _idle(body)
        if outputs[at] == before and place and layer:
            text = layer if place.end > place.start else f" {layer}"
            yield Fix(f"bring the other branch to {outputs[1 - at]} with a projection", (Edit(place, text),))


def _idle(body: tree.Body) -> Span | None:
    """The place of `identity` in a branch that is nothing else; the place behind the bar of an empty branch."""
    if not body.statements:
        at = body.span.start + 1
        return Span(body.span.source, at, at)
    first = body.statements[0]
    if len(body.statements) > 1 or not isinstance(first, tree.Chain) or len(first.steps) > 1:
        return None
    op = first.steps[0].op
    return op.span if isinstance(op, tree.Call) and op.name.text == "identity" else None


def _beside(op: tree.Combine, layer: str | None) -> Fix | None:
    """`residual { body }` as `add { | body | projection }`."""
    if layer is None or op.call.arguments:
        return None
    source, start, end = op.body.span.source, op.body.span.start, op.body.span.end
    edits = (
        Edit(op.call.span, "add"),
        Edit(Span(source, start + 1, start + 1), " |"),
        Edit(Span(source, end - 1, end - 1), f"| {layer} "),
    )
    return Fix("add a projection of what comes in instead", edits)
