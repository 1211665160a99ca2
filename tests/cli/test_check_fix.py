"""`cnnspec check --fix`, `--unsafe-fixes` and `--diff`: what is mended, what is written, what is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnspec.cli import main
from cnnspec.cli.mend import Mended
from cnnspec.network import check, read_source

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((ROOT / "tests" / "cases" / "check").glob("*.cnn"))
LENET = (ROOT / "docs" / "faulty" / "lenet.cnn").read_text(encoding="utf-8")
MIXED = "model M {\n  input 1x8x8\n  flatten, linear(65 -> 10)\n  rellu\n}\n"


def run(*args: str, text: str | None = None) -> Result:
    result = CliRunner().invoke(main, ["check", *args], input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lenet.cnn").write_text(LENET)
    (tmp_path / "mixed.cnn").write_text(MIXED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_safe_fixes_are_written_and_the_rest_is_reported() -> None:
    result = run("--fix", "mixed.cnn")
    assert result.exit_code == 1
    assert "linear(64 -> 10)" in Path("mixed.cnn").read_text()
    assert "rellu" in Path("mixed.cnn").read_text()
    assert "E301" not in result.stderr
    assert "error[E201]" in result.stderr
    assert result.stderr.endswith("cnnspec explain E201 tells more; --fix --unsafe-fixes mends it\n")
    assert result.stdout == "mixed.cnn: 1 error\nmixed.cnn: 1 place mended (E301)\n"


def test_unsafe_fixes_are_written_where_they_are_wanted() -> None:
    result = run("--fix", "--unsafe-fixes", "mixed.cnn")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "mixed.cnn: M is right: 1x8x8 -> 10, 650 parameters" in result.stdout
    assert "mixed.cnn: 2 places mended (E201, E301)" in result.stdout
    assert Path("mixed.cnn").read_text() == MIXED.replace("65", "64").replace("rellu", "relu")


def test_diff_writes_nothing() -> None:
    result = run("--diff", "lenet.cnn")
    assert result.exit_code == 1
    assert result.stdout.startswith("--- lenet.cnn\n+++ lenet.cnn\n")
    assert "-    linear(400 -> 120), relu\n+    linear(256 -> 120), relu\n" in result.stdout
    assert result.stderr == "lenet.cnn: 1 place would be mended (E301)\n"
    assert Path("lenet.cnn").read_text() == LENET


def test_what_is_right_is_left_alone() -> None:
    run("--fix", "lenet.cnn")
    before = Path("lenet.cnn").stat()
    again = run("--fix", "lenet.cnn")
    assert (again.exit_code, again.stderr) == (0, "")
    assert "mended" not in again.stdout
    assert Path("lenet.cnn").stat().st_ino == before.st_ino
    assert run("--diff", "lenet.cnn").exit_code == 0


def test_standard_input_is_mended_to_standard_output() -> None:
    result = run("--fix", "-", text=MIXED)
    assert result.exit_code == 1
    assert result.stdout == MIXED.replace("65", "64")
    assert "<stdin>: 1 place mended (E301)" in result.stderr
    assert "--- <stdin>" in run("--diff", "-", text=MIXED).stdout


def test_holes_are_filled_in() -> None:
    Path("hole.cnn").write_text("model M {\n  input 1x8x8\n  flatten, linear(? -> 10)  -> ?\n}\n")
    assert run("--fix", "hole.cnn").exit_code == 0
    assert "linear(64 -> 10)  -> 10" in Path("hole.cnn").read_text()


def test_several_rounds_mend_what_a_fault_hid() -> None:
    """Behind a misspelled layer nothing is known, so the claim there is judged in the second round."""
    Path("two.cnn").write_text("model M {\n  input 1x8x8\n  flaten\n  linear(63 -> 10)\n}\n")
    result = run("--fix", "--unsafe-fixes", "two.cnn")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "flatten\n  linear(64 -> 10)" in Path("two.cnn").read_text()


USING = 'use "blocks.cnn"\n\nmodel M {\n  input 3x8x8\n  Head\n}\n'
BLOCKS = "block Head {\n  flatten, linear(99 -> 10)\n}\n"


def test_a_used_file_is_mended_only_where_it_is_named() -> None:
    Path("using.cnn").write_text(USING)
    Path("blocks.cnn").write_text(BLOCKS)
    alone = run("--fix", "using.cnn")
    assert alone.exit_code == 1
    assert Path("blocks.cnn").read_text() == BLOCKS
    assert "--- ./blocks.cnn" in run("--diff", "using.cnn", "./blocks.cnn").stdout
    assert Path("blocks.cnn").read_text() == BLOCKS
    both = run("--fix", "using.cnn", "./blocks.cnn")
    assert both.exit_code == 0, both.output
    assert "using.cnn: M is right" in both.stdout
    assert Path("blocks.cnn").read_text() == BLOCKS.replace("99", "192")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--unsafe-fixes", "mixed.cnn"], "--unsafe-fixes belongs to --fix or --diff"),
        (["--diff", "--format", "json", "mixed.cnn"], "--diff prints a diff"),
        (["--fix", "zoo:resnet18"], "the zoo belongs to cnnspec"),
        (["--fix", "-", "mixed.cnn"], "standard input is mended alone"),
        (["--fix", "mixed.cnn", "--set", "width=3"], "no model here has a parameter width"),
        (["--fix", "absent.cnn"], "absent.cnn cannot be read"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    result = run(*arguments, text="")
    assert result.exit_code == 2
    assert said in result.stderr
    assert Path("mixed.cnn").read_text() == MIXED


@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_rounds_end_and_leave_no_more_errors(path: Path, unsafe: bool) -> None:
    source = read_source(path)
    mended = Mended([source])
    mended.run(check, unsafe=unsafe)
    (key,) = mended.texts
    assert len(mended.checked[key].errors) <= len(check(source).errors)
    again = Mended([mended.source(key)])
    again.run(check, unsafe=unsafe)
    assert again.changed == []


def test_what_cannot_be_written_is_not_promised_to_be_mended(tmp_path: Path) -> None:
    (tmp_path / "blocks.cnn").write_text("block P { rellu }\n")
    Path("uses.cnn").write_text('use "blocks.cnn"\nmodel M {\n  input 3x8x8\n  P\n}\n')
    assert run("uses.cnn").stderr.endswith("cnnspec explain E201 tells more\n")
    assert run("uses.cnn", "blocks.cnn").stderr.endswith("--fix --unsafe-fixes mends it\n")
    assert run("zoo:vgg11", "--set", "classes=1.5").stderr.endswith("cnnspec explain E204 tells more\n")
