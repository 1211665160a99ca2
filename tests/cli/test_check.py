"""`cnnspec check` as a user runs it: what it prints and how it exits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnspec.cli import main
from cnnspec.cli.color import use_color

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

RIGHT = "model M(classes=10) {\n  input 1x8x8\n  flatten, linear(classes)\n}\n"
WRONG = "model M {\n  input 1x8x8\n  flatten, linear(65 -> 10)\n}\n"
WARNED = "model M {\n  input 1x8x8\n  linear(10)\n}\n"


def run(*args: str, text: str | None = None) -> Result:
    result = CliRunner().invoke(main, ["check", *args], input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.cnn")), ids=lambda path: path.stem)
def test_examples_are_right(example: Path) -> None:
    result = run("--strict", str(example))
    assert result.exit_code == 0, result.output
    assert "is right" in result.stdout
    assert result.stderr == ""


def test_message_of_the_flatten_mismatch() -> None:
    """The message a student meets first: what arrives, why, which input fits, and both repairs."""
    text = (EXAMPLES / "lenet.cnn").read_text().replace("  -> 16x5x5", "")
    result = run("-", "--input", "1x28x28", "--set", "train.data=mnist", text=text)
    assert result.exit_code == 1
    assert "linear is written for 400 features, but 256 arrive" in result.stderr
    assert "28 -> 24 -> 12 -> 8 -> 4" in result.stderr
    assert "16 x 4 x 4 = 256" in result.stderr
    assert "400 = 16 x 5 x 5 fits an input of 1x32x32" in result.stderr
    assert re.search(r"\+ +linear\(256 -> 120\)", result.stderr)
    assert re.search(r"\+ +conv\(6, 5, padding=2\)", result.stderr)


@pytest.mark.parametrize(("example", "published"), [("tinycnn", "1_121_450"), ("tinycnn3", "817_802")])
def test_wrong_published_counts_are_contradicted(example: str, published: str) -> None:
    text = re.sub(r"parameters == [\d_]+", f"parameters == {published}", (EXAMPLES / f"{example}.cnn").read_text())
    result = run("-", text=text)
    assert result.exit_code == 1
    sums = {
        "tinycnn": "896 + 9,248 + 18,496 + 36,928 + 1,048,832 + 2,570 = 1,116,970",
        "tinycnn3": "896 + 9,248 + 18,496 + 36,928 + 73,856 + 147,584 + 524,544 + 2,570 = 814,122",
    }
    assert sums[example] in result.stderr
    assert f"not {int(published.replace('_', '')):,}" in result.stderr


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (RIGHT, [], 0),
        (WRONG, [], 1),
        (WARNED, [], 0),
        (WARNED, ["--strict"], 1),
        ("model M {\n  input 4\n  linear(? -> 2)  -> ?\n}\n", ["--strict"], 0),
        (RIGHT, ["--set", "classes=100"], 0),
        (RIGHT, ["--set", "classes=none"], 1),
        (RIGHT, ["--set", "width=3"], 2),
        (RIGHT, ["--set", "classes"], 2),
        (RIGHT, ["--set", "train.epochs=3"], 0),
        (RIGHT, ["--set", "train.epochs=-3"], 1),
        (RIGHT, ["--set", "train.epoch=3"], 2),
        (RIGHT, ["--set", "classes=("], 2),
        (RIGHT, ["--input", "3x32x32"], 0),
        (RIGHT, ["--input", "3x"], 2),
        (RIGHT, ["--input", "0"], 1),
        (RIGHT, ["--nonsense"], 2),
        ("", [], 1),
        ("\x00\x01", [], 1),
    ],
)
def test_exit_codes(text: str, options: list[str], code: int) -> None:
    result = run("-", *options, text=text)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output


def test_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / "bytes.cnn").write_bytes(b"model \xff\xfe")
    (tmp_path / "empty").mkdir()
    for name in ("absent.cnn", "bytes.cnn", "empty"):
        result = run(str(tmp_path / name))
        assert result.exit_code == 2
        assert name in result.output


def test_several_files_and_folders(tmp_path: Path) -> None:
    """One unreadable file hides nothing about the others, and makes the whole run a wrong usage."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "right.cnn").write_text(RIGHT)
    (tmp_path / "a" / "notes.txt").write_text("no spec")
    (tmp_path / "wrong.cnn").write_text(WRONG)
    folder = run(str(tmp_path))
    assert folder.exit_code == 1
    assert "right.cnn: M is right: 1x8x8 -> 10, 650 parameters" in folder.stdout
    assert "wrong.cnn: 1 error" in folder.stdout
    both = run(str(tmp_path / "absent.cnn"), str(tmp_path / "wrong.cnn"))
    assert both.exit_code == 2
    assert "written for 65 features" in both.stderr


@pytest.mark.parametrize(
    ("environment", "options", "coloured"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "0"}, [], False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, [], True),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, [], True),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
    ],
)
def test_colour_only_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], options: list[str], coloured: bool
) -> None:
    set_environment(monkeypatch, environment)
    result = run("-", *options, text=WRONG)
    assert ("\x1b[" in result.stderr) == coloured
    assert "\x1b[" not in result.stdout


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, True),
        ({"TERM": "dumb"}, False),
        ({"CLICOLOR": "0"}, False),
        ({"CLICOLOR": "1"}, True),
        ({"NO_COLOR": "1"}, False),
    ],
)
def test_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], coloured: bool) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    set_environment(monkeypatch, environment)
    assert use_color(Terminal()) == coloured


def set_environment(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_formats_for_programs_go_to_standard_output(tmp_path: Path) -> None:
    (tmp_path / "wrong.cnn").write_text(WRONG)
    (tmp_path / "right.cnn").write_text(RIGHT)
    concise = run("--format", "concise", str(tmp_path))
    assert (concise.exit_code, concise.stderr) == (1, "")
    assert concise.stdout == f"{tmp_path / 'wrong.cnn'}:3:19: E301 linear is written for 65 features, but 64 arrive\n"
    document = json.loads(run("--format", "json", str(tmp_path)).stdout)
    assert document["summary"] == {"errors": 1, "warnings": 0, "notes": 0}
    assert [file["models"] != [] for file in document["files"]] == [True, False]
    assert json.loads(run("--format", "sarif", "-", text=WRONG).stdout)["version"] == "2.1.0"
    assert run("--format", "github", "-", text=WRONG).stdout.startswith("::error file=<stdin>,line=3,")
    assert run("--format", "xml", "-", text=WRONG).exit_code == 2


def test_crlf_tabs_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "windows.cnn"
    path.write_bytes(b"\xef\xbb\xbf" + WRONG.replace("\n", "\r\n").replace("  ", "\t").encode())
    result = run(str(path))
    assert result.exit_code == 1
    assert "windows.cnn:3:" in result.stderr
    assert "\r" not in result.stderr


def test_many_errors_are_counted_and_the_first_are_shown() -> None:
    text = "model M {\n  input 1x8x8\n" + "  cnov(3)\n" * 200 + "}\n"
    result = run("-", text=text)
    assert result.stderr.count("error[E201]") == 50
    assert "... and 150 more" in result.stderr
    assert "200 errors" in result.stdout
