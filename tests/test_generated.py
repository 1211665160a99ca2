"""generated/ holds what `cnnspec emit` prints for the examples; `python generated/refresh.py` brings it up to date."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "generated"
TEXTS = runpy.run_path(str(FOLDER / "refresh.py"))["texts"]()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_file_is_what_emit_prints(path: Path) -> None:
    assert path.exists(), "missing: run python generated/refresh.py"
    assert path.read_bytes().decode() == TEXTS[path], "out of date: run python generated/refresh.py"


def test_nothing_else_is_there() -> None:
    assert set(FOLDER.glob("*/*.py")) == set(TEXTS)
    assert len(TEXTS) >= 26
