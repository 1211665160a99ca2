"""The answer for all sizes as a diagnostic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnspec.diagnostics import Diagnostic, Label
from cnnspec.network.anysize.answer import LIMIT, Answer, Head, Requirement
from cnnspec.network.anysize.runs import Loss, place
from cnnspec.network.trail import shorten, written_text
from cnnspec.sizes.sets import Box, orders
from cnnspec.sizes.words import beside, in_words, of_box, of_boxes, of_sizes, unlike
from cnnspec.source import Span

MOST_BOXES = 4
MOST_LOSSES = 4

NAMES = {"H": "rows", "W": "columns", "D": "slices", "L": "places"}
"""What is lost along an axis."""


def note(answer: Answer, name: str, pattern: Sequence[int | str], span: Span) -> Diagnostic:
    """For which sizes a model runs."""
    labels = tuple(_labels(answer))
    return Diagnostic(
        "N003",
        f"{name} runs for {told(answer.boxes)}",
        span,
        smallest(answer, pattern),
        labels,
        "\n".join(shorten(list(_reasons(answer)))),
        (*_limit(answer), *_outputs(answer), *_losses(answer)),
    )


def undecided(name: str, span: Span, why: str) -> Diagnostic:
    """Where there is no answer for all sizes."""
    note = "try single ones with --input"
    return Diagnostic("N003", f"for which sizes {name} runs is not worked out: {why}", span, "", notes=(note,))


def told(boxes: Sequence[Box]) -> str:
    if not boxes:
        return "no size"
    text = of_boxes(boxes)
    return f"inputs of {text}" if text == "any size" else text


def smallest(answer: Answer, pattern: Sequence[int | str]) -> str:
    if answer.smallest is None:
        return ""
    sizes = dict(zip(answer.axes, answer.smallest, strict=True))
    return f"the smallest input is {'x'.join(str(sizes.get(str(size), size)) for size in pattern)}"


def _labels(answer: Answer) -> Iterator[Label]:
    """What ends runs, and beside the first head what it is made of."""
    for requirement in answer.requirements:
        heads = _heads(answer, requirement)
        if heads:
            yield Label(requirement.span, heads[0].product)
            yield Label(heads[0].flatten, "a map becomes features here")


def _heads(answer: Answer, requirement: Requirement) -> list[Head]:
    """What a call takes that is made for a number of features, the squarest map first."""
    if requirement.kind not in ("weights", "claim"):
        return []
    heads = [head for head in answer.heads if head.span == requirement.span]
    return sorted(heads, key=lambda head: min(map(unlike, head.boxes)))


# ------------------------------------------------------------------------------------------------------------ why


def _reasons(answer: Answer) -> Iterator[str]:
    for requirement in answer.requirements:
        heads = _heads(answer, requirement)
        if heads:
            lines = list(_ways(heads))
            yield f"{_place(requirement.span)}: {lines[0]}"
            yield from shorten(lines[1:])
        else:
            yield f"{_places(requirement)} {_needs(requirement)}"


def _ways(heads: Sequence[Head]) -> Iterator[str]:
    """The ways to make the number of features, of those with the same sizes in another order of the axes the first."""
    told: list[list[Box]] = []
    known = [list(head.boxes) for head in heads]
    for head in heads:
        if list(head.boxes) not in told:
            words = "the other way round" if len(head.boxes[0]) == 2 else "in another order"
            turns = [list(turn) for turn in zip(*map(orders, head.boxes), strict=False)][1:]
            all_there = bool(turns) and all(turn in known for turn in turns)
            told += turns if all_there else []
            yield f"{head.product} for {of_boxes(head.boxes)}{f', or {words}' if all_there else ''}"


def _place(span: Span) -> str:
    return f"{written_text(span)} on line {span.line}"


def _places(requirement: Requirement) -> str:
    lines = sorted({span.line for span in requirement.others if span.line != requirement.span.line})
    others = f" (with line{'s' if len(lines) > 1 else ''} {in_words(map(str, lines))})" if lines else ""
    return _place(requirement.span) + others


VERBS = {"branches": "joins its branches for", "weights": "fits its weights for", "assertion": "holds for"}


def _needs(requirement: Requirement) -> str:
    if not requirement.left:
        return f"takes none of them: {requirement.why}" if requirement.why else "takes none of them"
    return f"{VERBS.get(requirement.kind, 'takes')} {of_boxes(requirement.left)}"


# ------------------------------------------------------------------------------------------------- what comes out


def _limit(answer: Answer) -> Iterator[str]:
    if answer.limit:
        yield f"sizes above {LIMIT} are not worked out: {answer.limit}"


def _outputs(answer: Answer) -> Iterator[str]:
    if len(answer.outputs) == 1:
        yield f"{answer.outputs[0][0]} comes out"
        return
    for text, boxes in answer.outputs[:MOST_BOXES]:
        yield f"{text} comes out for {of_boxes(boxes)}"
    if len(answer.outputs) > MOST_BOXES:
        yield f"{len(answer.outputs) - MOST_BOXES} other shapes come out for other sizes"


def _losses(answer: Answer) -> Iterator[str]:
    """Where the last rows or columns are seen by no window."""
    if not answer.losses:
        return
    names = in_words(dict.fromkeys(NAMES.get(loss.axis, "values") for loss in answer.losses))
    if answer.lossless:
        yield f"windows see all {names} for {of_boxes(answer.lossless)}"
    yield from shorten([_lost(losses) for losses in _by_call(answer.losses)])[:MOST_LOSSES]


def _by_call(losses: Sequence[Loss]) -> list[list[Loss]]:
    found: dict[tuple[str, int], list[Loss]] = {}
    for loss in losses:
        found.setdefault((loss.call.span.source.name, loss.call.span.start), []).append(loss)
    return list(found.values())


def _lost(losses: Sequence[Loss]) -> str:
    names = in_words((NAMES.get(loss.axis, "values") for loss in losses), "or")
    where = [of_box({loss.axis: loss.sizes}) or f"every {loss.axis}" for loss in losses]
    if len({loss.sizes for loss in losses}) == 1 and len(losses) > 1:
        where = [beside(in_words((loss.axis for loss in losses), "or"), of_sizes(losses[0].sizes))]
    return f"{place(losses[0].call)} leaves out the last {names} for {in_words(where, 'or')}"
