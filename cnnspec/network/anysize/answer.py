"""What all runs together say: the sizes that run, what the others end at, and what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from cnnspec.network.anysize.runs import Fit, Loss, Refusal, flattened, in_box, losses, product_in
from cnnspec.record import Record
from cnnspec.sizes.cases import Found
from cnnspec.sizes.sets import ALL, Box, Sizes, between, joined, without
from cnnspec.sizes.words import shape
from cnnspec.source import Span

Runs = Sequence[Found[Fit | Refusal]]


class Requirement(Record):
    """A call that does not take every size that gets there, and all sizes that are left behind it. `others` are calls
    right before it that ended runs for the same kind of reason."""

    span: Span
    name: str
    kind: str
    why: str
    left: tuple[Box, ...]
    others: tuple[Span, ...] = ()


class Head(Record):
    """What a flattened map is made of, for some sizes: `400 = 16 x 5 x 5`. `span` is the layer that takes it."""

    span: Span
    flatten: Span
    product: str
    boxes: tuple[Box, ...]


class Answer(Record):
    """`boxes` are the sizes that run, `smallest` the smallest of them, `outputs` what comes out, with its sizes;
    `lossless` the sizes for which windows see all of their maps."""

    axes: tuple[str, ...]
    boxes: tuple[Box, ...]
    smallest: tuple[int, ...] | None
    requirements: tuple[Requirement, ...]
    heads: tuple[Head, ...]
    outputs: tuple[tuple[str, tuple[Box, ...]], ...]
    losses: tuple[Loss, ...]
    lossless: tuple[Box, ...]
    limit: str = ""
    """Why nothing is said of sizes above `LIMIT`, where that is so."""


LIMIT = 256
"""What cannot be answered for all sizes is answered for all up to this one."""


def answer(axes: Sequence[str], runs: Runs, limit: str = "") -> Answer:
    boxes = tuple(joined(run.box for run in runs if isinstance(run.outcome, Fit)))
    return Answer(
        tuple(axes),
        boxes,
        _smallest(boxes),
        tuple(_requirements(axes, runs, between(1, LIMIT) if limit else ALL)),
        tuple(_heads(runs)),
        tuple(_outputs(runs)),
        tuple(_lost(runs)),
        tuple(joined(_lossless(runs))),
        limit,
    )


def _smallest(boxes: Sequence[Box]) -> tuple[int, ...] | None:
    """The fewest values; of several inputs with as many, the one nearest to a square."""
    least = [tuple(sizes.least for sizes in box.values()) for box in boxes]
    return min(least, key=lambda sizes: (prod(sizes), max(sizes)), default=None)


# ------------------------------------------------------------------------------------------------ what it ends at


def _requirements(axes: Sequence[str], runs: Runs, sizes: Sizes) -> Iterator[Requirement]:
    """Every place where runs end, in the order they get there: what stands in a call comes before the call. Of places
    of a kind that follow each other, the last one says what all of them need."""
    left: list[Box] = [dict.fromkeys(axes, sizes)]
    waiting: Requirement | None = None
    for ends in _by_place(runs):
        left = without(left, (run.box for run in ends))
        last = ends[0].outcome
        assert isinstance(last, Refusal)
        new = Requirement(last.span, last.name, last.kind, last.why, tuple(left))
        if waiting and waiting.kind == new.kind:
            new = new.replace(others=(*waiting.others, waiting.span))
        elif waiting:
            yield waiting
        waiting = new
    if waiting:
        yield waiting


def _by_place(runs: Runs) -> list[list[Found[Fit | Refusal]]]:
    places: dict[tuple[int, str, int, int], list[Found[Fit | Refusal]]] = {}
    for run in runs:
        if isinstance(run.outcome, Refusal):
            span = run.outcome.span
            places.setdefault((run.outcome.after, span.source.name, span.end, span.start), []).append(run)
    return [places[key] for key in sorted(places)]


def _heads(runs: Runs) -> Iterator[Head]:
    found: dict[tuple[str, int, str], list[tuple[Head, Box]]] = {}
    for run in runs:
        if isinstance(run.outcome, Fit):
            for flatten, head in flattened(run.outcome.visits):
                product = product_in(flatten.input, run.box)
                if product:
                    one = Head(head.call.span, flatten.call.span, product, ())
                    found.setdefault((one.span.source.name, one.span.start, product), []).append((one, run.box))
    for parts in found.values():
        yield parts[0][0].replace(boxes=tuple(joined(box for _, box in parts)))


# ------------------------------------------------------------------------------------------------- what comes out


def _outputs(runs: Runs) -> Iterator[tuple[str, tuple[Box, ...]]]:
    """Formulas that hold for as many sizes as can be."""
    fits = [run for run in runs if isinstance(run.outcome, Fit)]
    same: list[tuple[str, list[Box]]] = []
    for run in fits:
        assert isinstance(run.outcome, Fit)
        text = shape([in_box(size, run.box) for size in run.outcome.output.sizes])
        known = next((boxes for other, boxes in same if other == text), None)
        if known is None:
            same.append((text, [run.box]))
        else:
            known.append(run.box)
    yield from ((text, tuple(joined(boxes))) for text, boxes in same)


def _lossless(runs: Runs) -> Iterator[Box]:
    for run in runs:
        if isinstance(run.outcome, Fit):
            box = dict(run.box)
            for loss in losses(run.outcome, run.box):
                box[loss.axis] -= loss.sizes
            if all(box.values()):
                yield box


def _lost(runs: Runs) -> Iterator[Loss]:
    """The losses of each call, those of all its uses together."""
    found: dict[tuple[str, int, str], Loss] = {}
    for run in runs:
        if isinstance(run.outcome, Fit):
            for loss in losses(run.outcome, run.box):
                key = (loss.call.span.source.name, loss.call.span.start, loss.axis)
                sizes = found[key].sizes | loss.sizes if key in found else loss.sizes
                found[key] = Loss(loss.call, loss.axis, sizes)
    yield from found.values()
