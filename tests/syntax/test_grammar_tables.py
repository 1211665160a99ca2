"""The tables beside the grammar are those of the grammar, and are read without lark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cnnspec.source import Source
from cnnspec.syntax import tables
from cnnspec.syntax.actions import ACTIONS
from cnnspec.syntax.generate import generate
from cnnspec.syntax.parser import parse

SAMPLE = "model A(n=3) {\n  input 3x8x8\n  a: { conv(n, 3), relu }  -> [n, 6, 6]\n}\n"


def test_tables_are_current() -> None:
    text = tables.grammar()
    kept = Path(tables.path("cnn.tables")).read_text(encoding="utf-8")
    assert kept == tables.write(generate(text), tables.digest(text)), "run python -m cnnspec.syntax.tables"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_tables_do_not_vary(seed: str) -> None:
    code = "from cnnspec.syntax import tables, generate; g = tables.grammar()\n"
    code += "print(tables.write(generate.generate(g), tables.digest(g)), end='')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": seed})
    assert done.stdout.decode() == Path(tables.path("cnn.tables")).read_text(encoding="utf-8")


def test_reading_gives_what_was_written() -> None:
    made = generate(tables.grammar())
    read = tables.read(tables.write(made, "digest"))
    assert read.rules == made.rules
    assert (read.patterns, read.words, read.end) == (made.patterns, made.words, made.end)
    assert read.rows.lines == made.rows.lines


@pytest.mark.parametrize("kept", [None, "1 00000000\n", "nonsense"])
def test_tables_of_another_grammar_are_not_used(
    kept: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = parse(Source("test.cnn", SAMPLE))
    (tmp_path / "cnn.lark").write_text(tables.grammar() + "\n// changed\n", encoding="utf-8")
    if kept is not None:
        (tmp_path / "cnn.tables").write_text(kept, encoding="utf-8")
    monkeypatch.setattr(tables, "path", lambda name: str(tmp_path / name))
    tables.load.cache_clear()
    try:
        assert tables.load().rules == generate(tables.grammar()).rules
        assert parse(Source("test.cnn", SAMPLE)) == expected
    finally:
        tables.load.cache_clear()


def test_every_rule_has_an_action() -> None:
    actions = {rule.action for rule in tables.load().rules} - {tables.PASS, tables.COLLECT}
    assert actions == set(ACTIONS)


def test_a_good_spec_is_read_without_lark() -> None:
    code = "import sys\nfrom cnnspec.source import Source\nfrom cnnspec.syntax.parser import parse\n"
    code += f"parse(Source('a', {SAMPLE!r}))\n"
    code += "print(*sorted({'lark', 'json', 'dataclasses', 'pickle', 'difflib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == []
