"""`cnnspec explain` as a user runs it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from cnnspec.cli import main
from cnnspec.diagnostics.codes import CODES
from cnnspec.diagnostics.explanation import page


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["explain", *args])


@pytest.mark.parametrize("word", ["E301", "e301", "size-mismatch", "[E301]"])
def test_a_code_and_its_name(word: str) -> None:
    result = run(word)
    assert (result.exit_code, result.output) == (0, page("E301"))


def test_a_lint_is_explained_too() -> None:
    assert run("W101").output.startswith("# W101: bias-before-norm\n")


def test_without_a_code_all_are_listed() -> None:
    lines = run().output.splitlines()
    assert [line.split()[:2] for line in lines] == [[code, CODES[code].name] for code in sorted(CODES)]


@pytest.mark.parametrize(
    ("word", "said"),
    [("E310", "Did you mean E3"), ("size-missmatch", "Did you mean size-mismatch?"), ("banana", "lists what there is")],
)
def test_what_is_no_code(word: str, said: str) -> None:
    result = run(word)
    assert result.exit_code == 2
    assert said in result.output
