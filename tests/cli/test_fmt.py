"""`cnnspec fmt` as a user runs it: what it prints, what it writes, how it exits."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnspec.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
LOOSE = "# A net.\nmodel M(classes = 10){\n input 1x8x8   # grey\n flatten , linear( classes )\n}\n"
NEAT = "# A net.\nmodel M(classes=10) {\n  input 1x8x8  # grey\n  flatten, linear(classes)\n}\n"
FAULTY = "model M {\n  relu relu\n}\n"


def run(*args: str, text: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["fmt", *args], input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "deep").mkdir()
    for name, text in {"loose.cnn": LOOSE, "deep/neat.cnn": NEAT, "deep/notes.txt": LOOSE}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_and_folders_are_written(folder: Path) -> None:
    result = run(".")
    assert (result.exit_code, result.stdout) == (0, "./loose.cnn: formatted\n")
    assert result.stderr == "1 file changed, 1 file in form already\n"
    assert (folder / "loose.cnn").read_text() == (folder / "deep" / "neat.cnn").read_text() == NEAT
    assert (folder / "deep" / "notes.txt").read_text() == LOOSE
    again = run(".")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "", "2 files in form already\n")


def test_check_names_what_would_change_and_writes_nothing(folder: Path) -> None:
    result = run("--check", ".")
    assert (result.exit_code, result.stdout) == (1, "./loose.cnn: not in form\n")
    assert (folder / "loose.cnn").read_text() == LOOSE
    assert run("--check", "deep").exit_code == 0


def test_diff_shows_what_would_change_and_writes_nothing(folder: Path) -> None:
    result = run("--diff", "loose.cnn", "deep")
    assert result.exit_code == 1
    assert result.stdout.startswith("--- loose.cnn\n+++ loose.cnn\n@@")
    assert "-model M(classes = 10){\n" in result.stdout
    assert "+model M(classes=10) {\n" in result.stdout
    assert (folder / "loose.cnn").read_text() == LOOSE
    assert run("--diff", "deep").stdout == ""


def test_standard_input_goes_to_standard_output() -> None:
    result = run("-", text=LOOSE)
    assert (result.exit_code, result.stdout, result.stderr) == (0, NEAT, "")
    assert run("--check", "-", text=LOOSE).exit_code == 1
    assert "--- <stdin>" in run("--diff", "-", text=LOOSE).stdout


def test_a_file_with_syntax_errors_is_left_alone(folder: Path) -> None:
    (folder / "faulty.cnn").write_text(FAULTY)
    result = run("faulty.cnn", "loose.cnn")
    assert result.exit_code == 1
    assert "error[E101]" in result.stderr
    assert "faulty.cnn: 1 syntax error, left as it is" in result.stderr
    assert (folder / "faulty.cnn").read_text() == FAULTY
    assert (folder / "loose.cnn").read_text() == NEAT
    piped = run("-", text=FAULTY)
    assert (piped.exit_code, piped.stdout) == (1, "")


def test_faults_of_the_network_are_no_matter(folder: Path) -> None:
    (folder / "wrong.cnn").write_text("model M {\n  input 8\n  linear(9->3)\n}\n")
    assert run("wrong.cnn").exit_code == 0
    assert "linear(9 -> 3)" in (folder / "wrong.cnn").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "FILE..."),
        (["absent.cnn"], "absent.cnn cannot be read"),
        (["empty"], "no .cnn file in empty"),
        (["zoo:resnet18"], "the zoo belongs to cnnspec"),
        (["--nonsense", "."], "--nonsense"),
    ],
)
def test_wrong_usage(folder: Path, arguments: list[str], said: str) -> None:
    (folder / "empty").mkdir()
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_ends_of_lines_modes_and_links_are_kept(folder: Path) -> None:
    file = folder / "windows.cnn"
    file.write_bytes(b"\xef\xbb\xbf" + LOOSE.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    (folder / "link.cnn").symlink_to(file)
    assert run("link.cnn").exit_code == 0
    assert file.read_bytes() == NEAT.replace("\n", "\r\n").encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert (folder / "link.cnn").is_symlink()
    assert [path.name for path in folder.iterdir() if "tmp" in path.name] == []


def test_a_form_that_says_something_else_is_never_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnspec.cli.fmt.formatted", lambda parsed: "model Other {}\n")
    result = run("loose.cnn")
    assert result.exit_code == 1
    assert "report this" in result.stderr
    assert (folder / "loose.cnn").read_text() == LOOSE


def test_the_form_is_the_same_network(folder: Path) -> None:
    """A published network, written on as few lines as possible, and its form: the same parameters and shapes."""
    from cnnspec.network import check, read_source

    text = (ROOT / "examples" / "zoo" / "googlenet.cnn").read_text(encoding="utf-8")
    lines = [line if "#" in line else line.strip().replace(", ", " ,") for line in text.splitlines()]
    (folder / "net.cnn").write_text(
        "\n".join(line if line in ("", "}") or line[0] == "#" else f" {line}" for line in lines)
    )
    before = check(read_source("net.cnn")).networks
    assert run("net.cnn").exit_code == 0
    after = check(read_source("net.cnn")).networks
    assert before
    assert [(n.name, n.parameters, n.output) for n in after] == [(n.name, n.parameters, n.output) for n in before]
    assert (folder / "net.cnn").read_text() == text


def test_a_file_that_cannot_be_written(folder: Path) -> None:
    shutil.copy("loose.cnn", "deep/loose.cnn")
    (folder / "deep").chmod(0o500)
    try:
        if _may_write_anyway(folder / "deep"):
            pytest.skip("this user may write everywhere")
        result = run("deep/loose.cnn")
        assert result.exit_code == 2
        assert "cannot be written" in result.stderr
    finally:
        (folder / "deep").chmod(0o700)


def _may_write_anyway(folder: Path) -> bool:
    try:
        (folder / "probe").touch()
    except OSError:
        return False
    return True


def test_hooks_of_pre_commit_run_commands_that_there_are() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    hooks = re.findall(r"^- id: (\S+)$", text, re.MULTILINE)
    entries = re.findall(r"^  entry: cnnspec (\S+)$", text, re.MULTILINE)
    assert hooks == [f"cnnspec-{entry}" for entry in entries]
    assert set(entries) <= set(COMMANDS)
    page = (ROOT / "docs" / "checking.md").read_text(encoding="utf-8")
    assert all(f"- id: {hook}" in page for hook in hooks)
