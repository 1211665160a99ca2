"""The comparison of networks against answers that were written by hand before there was one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cnnspec import load
from cnnspec.report.diff import Difference, compare
from cnnspec.report.diff.changes import Change
from cnnspec.report.diff.rows import Row, incoming, rows
from cnnspec.report.diff.text import as_text
from cnnspec.report.diff.words import words

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = sorted((ROOT / "tests" / "report" / "diff_answers").glob("*.json"))


@pytest.fixture(params=ANSWERS, ids=lambda path: path.stem)
def answer(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def difference(answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Difference:
    monkeypatch.chdir(ROOT)
    return compare(load(answer["before"]), load(answer["after"]))


def bare(difference: Difference, kind: str) -> list[dict[str, Any]]:
    """Additions or removals as an answer has them: what is the same at many places is one."""
    return [as_answer(row) for row in rows(difference) if row.kind == kind]


def as_answer(row: Row) -> dict[str, Any]:
    parts = [part for change in row.changes for part in change.parts]
    return {
        "what": parts[0].text if len({part.text for part in parts}) == 1 else row.what,
        "places": [part.path for part in parts],
        "parameters": abs(row.costs.parameters),
        "macs": abs(row.costs.macs),
        "activation_bytes": abs(row.costs.activation),
    }


def test_additions_and_removals(answer: dict[str, Any], difference: Difference) -> None:
    for kind in ("added", "removed"):
        found = bare(difference, kind)
        for expected, one in zip(answer[kind], found, strict=True):
            assert {name: one[name] for name in expected} == expected


def test_counts(answer: dict[str, Any], difference: Difference) -> None:
    found = {count.module: [count.block, count.before, count.after] for count in difference.counts}
    assert found == answer["counts"]


def test_changes(answer: dict[str, Any], difference: Difference) -> None:
    assert [c.first.path for c in difference.changes if c.kind in ("changed", "replaced", "moved")] == answer["changed"]


def test_what_receives_something_else(answer: dict[str, Any], difference: Difference) -> None:
    found = [receives(c) for c in difference.changes if c.kind == "receives" and c.costs.parameters]
    assert found == answer["receives"]


def receives(change: Change) -> dict[str, Any]:
    after, before = incoming(change)
    costs = change.costs
    return {
        "place": change.first.path,
        "before": before,
        "after": after,
        "parameters": costs.parameters,
        "macs": costs.macs,
    }


def test_every_layer_with_weights_finds_its_own(answer: dict[str, Any], difference: Difference) -> None:
    assert difference.renamed == answer["renamed"]
    moved = {*answer["renamed"]} | {place for each in answer["removed"] for place in each["places"]}
    kept = [placed.path for placed in difference.before.network.layers if placed.weights.count]
    there = {placed.path for placed in difference.after.network.layers}
    assert {answer["renamed"].get(path, path) for path in kept} <= there
    assert moved <= {*kept}


def test_totals(answer: dict[str, Any], difference: Difference) -> None:
    sides = difference.before, difference.after
    assert [side.summary.parameters for side in sides] == answer["parameters"]
    assert [side.summary.macs for side in sides] == answer["macs"]
    assert [side.depth for side in sides] == answer["depth"]
    assert [[*side.last_field.size] for side in sides if side.last_field] == answer["field"]
    assert {each.name: [each.before, each.after] for each in difference.settings} == answer["settings"]


def test_words(answer: dict[str, Any], difference: Difference) -> None:
    told = " ".join(words(difference))
    assert [fragment for fragment in answer["says"] if fragment not in told] == []
    assert told in " ".join(as_text(difference).split()).replace("\n", " ")
