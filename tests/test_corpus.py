"""The faulty files of `tests/corpus`, labelled by someone who had not read the check: what the check says of them.

`python tests/corpus/measure.py` prints the rates, and `--golden` writes the messages in `tests/golden` anew.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from cnnspec.building import build_module
from cnnspec.lint import linted
from cnnspec.network import check
from cnnspec.source import Source

sys.path.insert(0, str(Path(__file__).parent / "corpus"))
from measure import CORPUS, GOLDEN, File, files, rates

FILES = files()
NAMES = [file.name for file in FILES]
WITH_FIX, WITH_CAUSE = 0.95, 0.95


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_reported_at_a_labelled_line(file: File) -> None:
    assert file.place != "no", file.text


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_one_message_for_one_mistake(file: File) -> None:
    assert file.alone, file.text


def test_fixes_make_files_valid(record_property: pytest.RecordProperty) -> None:
    record_property("mix", "\n".join(rates(FILES)))
    left = [file.name for file in FILES if not file.valid]
    assert len(left) <= (1 - WITH_FIX) * len(FILES), left


@pytest.mark.parametrize("file", [f for f in FILES if f.valid], ids=lambda file: file.name)
def test_torch_builds_what_is_mended(file: File) -> None:
    """The shapes that come out of the mended network are those that torch computes."""
    torch = pytest.importorskip("torch")
    assert file.mended is not None
    for network in file.mended.networks:
        with torch.device("meta"):
            module = build_module(network).eval()
            output = module(torch.empty(2, *network.input.sizes))
        assert tuple(output.shape[1:]) == network.output.sizes


def test_true_causes() -> None:
    """The judgement of a reader: `judged.tsv` has one word for each file."""
    with (CORPUS / "judged.tsv").open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text, delimiter="\t"))
    assert [row["file"] for row in rows] == NAMES
    assert {word for row in rows for word in (row["first"], row["now"])} <= {"yes", "no"}
    assert sum(row["now"] == "yes" for row in rows) >= WITH_CAUSE * len(rows)


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_golden(file: File) -> None:
    assert file.golden.read_text(encoding="utf-8") == file.text, (
        "python tests/corpus/measure.py --golden writes it anew"
    )


def test_golden_files_belong_to_the_corpus() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == NAMES


def test_a_right_file_has_no_message() -> None:
    """The measure is no measure if it finds fault with everything."""
    source = Source("right.cnn", "model Right {\n  input 1x8x8\n  conv(4, 3), relu\n  flatten, linear(144 -> 10)\n}\n")
    assert linted(check(source)).errors == ()
