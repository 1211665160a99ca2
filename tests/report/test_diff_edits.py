"""Comparisons of random networks with the same after one known edit: exactly that edit is found.

`CNNSPEC_RANDOM_EDITS=5000 pytest tests/report/test_diff_edits.py` is the long run.
"""

from __future__ import annotations

import os
import re
from random import Random

import pytest
from random_edits import Edit, chain, edited, text

from cnnspec import load
from cnnspec.report.diff import Difference, compare
from cnnspec.report.diff.changes import Change
from cnnspec.report.diff.parts import Part
from cnnspec.source import Source

COUNT = int(os.environ.get("CNNSPEC_RANDOM_EDITS", "150"))


def difference(seed: int) -> tuple[Difference, Edit]:
    draw = Random(seed)
    body = chain(draw)
    other, edit = edited(body, draw)
    before, after = (load(Source("net.cnn", text(each))) for each in (body, other))
    return compare(before, after), edit


def wrong(seed: int) -> str:
    """What is not as it should be; empty where nothing is."""
    found, edit = difference(seed)
    totals = [(s.summary.parameters, s.summary.macs, s.summary.activation) for s in (found.before, found.after)]
    costs = found.costs
    if tuple(b - a for a, b in zip(*totals, strict=True)) != (costs.parameters, costs.macs, costs.activation):
        return "the costs do not add up"
    told = [change for change in found.changes if change.kind != "receives" and not follows(change)]
    if len(told) != 1 or told[0].kind != edit.kind:
        return (
            f"{edit.kind} {edit.before} -> {edit.after}, but told {[(c.kind, [p.text for p in c.parts]) for c in told]}"
        )
    change = told[0]
    gone, come = {*change.before}, {*change.after}
    before, after = (
        re.sub(r"conv\(\d+, 1\)", "", str(left(side.root, without)))
        for side, without in ((found.before, gone), (found.after, come))
    )
    if before != after or len(gone) != (edit.kind != "added") or len(come) != (edit.kind != "removed"):
        return f"{edit.kind} {edit.before} -> {edit.after}, but what is left differs"
    return ""


def follows(change: Change) -> bool:
    """The end of a residual is as wide as what comes in, and changes with it."""
    closes = re.fullmatch(r"conv\(\d+, 1\)", change.first.text)
    return change.kind == "changed" and bool(closes) and [setting.name for setting in change.settings] == ["out"]


def left(part: Part, without: set[Part]) -> list[object]:
    """The texts of a tree, some parts left out."""
    inside = [[left(each, without) for each in branch if each not in without] for branch in part.branches]
    return [part.text, *inside]


@pytest.mark.parametrize("start", range(0, COUNT, 50))
def test_one_edit_is_found(start: int) -> None:
    found = {seed: fault for seed in range(start, min(start + 50, COUNT)) if (fault := wrong(seed))}
    assert found == {}


def test_two_edits_are_not_told_as_one() -> None:
    draw = Random(7)
    body = chain(draw)
    other, _ = edited(["softmax", *body, "tanh"], draw)
    before, after = (load(Source("net.cnn", text(each))) for each in (body, other))
    assert len([change for change in compare(before, after).changes if change.kind != "receives"]) > 1
