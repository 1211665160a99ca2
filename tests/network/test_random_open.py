"""Random specs with open sizes: the sizes that run, and what comes out, are what torch says of single ones.

`CNNSPEC_RANDOM_OPEN=200 pytest -n 2 tests/network/test_random_open.py` tries 200 specs for every size from 1 to 256
along three lines per axis and for 1,000 pairs, on the meta device alone; without it a few specs are tried for a few
sizes, there on numbers too where that is cheap. With `CNNSPEC_OPEN_GRID=256` every size there is, up to that one,
takes the place of lines and pairs.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
import torch_layers
from random_open import LARGEST, OpenWriter, grid, points
from torch_layers import Huge

from cnnspec.network import Checked, check
from cnnspec.network.anysize.answer import Answer
from cnnspec.sizes.sets import contains
from cnnspec.source import Source

LONG = os.environ.get("CNNSPEC_RANDOM_OPEN")
COUNT = int(LONG or 12)
LENGTH, PAIRS = (LARGEST, 1000) if LONG else (24, 20)
GRID = int(os.environ.get("CNNSPEC_OPEN_GRID", "0"))
PARTS = int(os.environ.get("CNNSPEC_RANDOM_OPEN_PARTS", "4"))


def checked(writer: OpenWriter, folder: Path) -> Checked:
    for path, text in writer.spec.files.items():
        (folder / path).parent.mkdir(exist_ok=True, parents=True)
        (folder / path).write_text(text)
    return check(Source(str(folder / "random.cnn"), writer.spec.text))


def formula(answer: Answer, point: dict[str, int]) -> tuple[int, ...] | None:
    """What an answer says comes out for some sizes; None where it has no formula."""
    (text,) = [text for text, boxes in answer.outputs if contains(boxes, point)]
    if "made of" in text:
        return None
    if text.startswith("["):
        exact = re.sub(r"\b\d+\b", r"Fraction(\g<0>)", text)  # division of Python's numbers would be rounded
        return tuple(eval(exact, {"ceil": math.ceil, "Fraction": Fraction, **point}))
    return tuple(point[each] if each in point else int(each) for each in text.split("x"))


def disagreements(writer: OpenWriter, name: str, answer: Answer, mix: Counter[str]) -> list[str]:
    wrong, runs = [], 0
    for point in grid(writer, GRID) if GRID else points(writer, LENGTH, PAIRS):
        try:
            output = writer.judged(name, point)
        except Huge:
            continue
        mix["points"] += 1
        runs += output is not None
        if contains(answer.boxes, point) != (output is not None):
            wrong.append(f"{point}: torch {'runs' if output else 'refuses'}")
        elif output and (said := formula(answer, point)):
            mix["outputs"] += 1
            if said != output:
                wrong.append(f"{point}: {output} comes out, not {said}")
    mix["models that run for some"] += runs > 0
    return wrong


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("part", range(PARTS))
def test_random_specs_run_for_the_sizes_that_are_told(
    part: int, record_property: Callable[[str, object], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if LONG:
        monkeypatch.setattr(torch_layers, "FEW", 0)
        monkeypatch.setattr(torch_layers, "REAL", {})
        monkeypatch.setattr(torch_layers, "SHAPES_ALONE", True)
    mix, faults = Counter[str](), []
    for seed in range(part, COUNT, PARTS):
        writer = OpenWriter(seed)
        try:
            writer.write()
        except Huge:
            continue
        found = checked(writer, tmp_path / str(seed))
        mix["specs"] += 1
        mix["not worked out"] += any(d.code == "E106" for d in found.errors)
        for name, answer in found.sizes.items():
            mix[f"models, {len(writer.axes)} open"] += 1
            mix["worked out to a limit"] += bool(answer.limit)
            if wrong := disagreements(writer, name, answer, mix):
                faults.append(f"=== seed {seed}, {name}\n{writer.spec.text}\n" + "\n".join(wrong[:5]))
    record_property("counts", json.dumps(mix))
    if LONG:
        (Path(os.environ.get("CNNSPEC_RANDOM_OPEN_LOG", tmp_path)) / f"open{part}.json").write_text(json.dumps(mix))
    assert not faults, f"{len(faults)} disagreements\n" + "\n".join(faults[:3])
    assert mix["models that run for some"] >= mix["specs"] / 3
