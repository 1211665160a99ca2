"""`cnnspec diff` as a user of git meets it, in a real repository."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from cnnspec.cli import main

ROOT = Path(__file__).resolve().parents[2]
NET = """model Net(classes=10) {
  input 3x32x32
  conv(16, 3, padding=1), relu, maxpool(2)
  flatten, linear(classes)
}
"""
USING = """use "blocks.cnn"
model Net {
  input 3x32x32
  Two(16)
  flatten, linear(10)
}
"""
TWO = "block Two(width) { conv(width, 3, padding=1), relu, maxpool(2) }\n"

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["diff", *arguments], prog_name="cnnspec", env={"NO_COLOR": "1"})


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One commit with `nets/net.cnn`, and a change of it that is not staged."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_EXTERNAL_DIFF", "GIT_PAGER_IN_USE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    git("init", "-q", "-b", "main")
    git("config", "user.email", "nobody@example.org")
    git("config", "user.name", "Nobody")
    (tmp_path / "nets" / "net.cnn").write_text(NET)
    (tmp_path / "nets" / "using.cnn").write_text(USING)
    (tmp_path / "nets" / "blocks.cnn").write_text(TWO)
    git("add", ".")
    git("commit", "-q", "-m", "one")
    (tmp_path / "nets" / "net.cnn").write_text(NET.replace("relu", "batchnorm, relu"))
    return tmp_path


@needs_git
@pytest.mark.parametrize(
    "arguments",
    [
        ["nets/net.cnn"],
        ["HEAD", "nets/net.cnn"],
        ["HEAD", "--", "nets/net.cnn"],
        ["HEAD:nets/net.cnn", "nets/net.cnn"],
        ["HEAD:./nets/net.cnn", "nets/net.cnn"],
        ["--", "nets/net.cnn"],
    ],
    ids=" ".join,
)
def test_revisions(repository: Path, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert "The added batchnorm (1) costs 32 parameters." in result.output


@needs_git
def test_two_revisions_and_what_is_staged(repository: Path) -> None:
    git("add", ".")
    assert "Nothing differs." in run("nets/net.cnn").output
    git("commit", "-q", "-m", "two")
    for revisions in (["HEAD~1", "HEAD"], ["HEAD~1..HEAD"], ["HEAD~1.."], ["HEAD~1"]):
        assert "The added batchnorm" in run(*revisions, "--", "nets/net.cnn").output
    assert "The removed batchnorm" in run("HEAD", "HEAD~1", "--", "nets/net.cnn").output


@needs_git
def test_used_files_are_those_of_the_revision(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "nets" / "blocks.cnn").write_text(TWO.replace("relu", "gelu"))
    assert "relu -> gelu" in run("HEAD", "--", "nets/using.cnn").output
    monkeypatch.chdir(repository / "nets")
    for arguments in (["HEAD", "--", "using.cnn"], ["using.cnn"], ["HEAD:nets/using.cnn", "using.cnn"]):
        assert "relu -> gelu" in run(*arguments).output
    monkeypatch.chdir(ROOT)
    outside = run("HEAD", "--", str(repository / "nets" / "using.cnn"))
    assert outside.exit_code == 2


@needs_git
@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["HEAD~7", "nets/net.cnn"], "HEAD~7 is neither a file nor a revision of git"),
        (["HEAD~7", "--", "nets/net.cnn"], "git has no HEAD~7:./nets/net.cnn: invalid object name 'HEAD~7'"),
        (["HEAD", "--", "nets/other.cnn"], "git has no HEAD:./nets/other.cnn"),
        (["--", "a", "b", "c", "d"], "two files are compared, or a file in two revisions; 4 names are given"),
        (["zoo:resnet18"], "zoo:resnet18 has no revisions: name the network that it is to be compared with"),
        (["nets/net.cnn", "zoo:resnet19"], "there is no resnet19 in the zoo"),
        (["nets/net.cnn", "nets/net.cnn", "--model", "X"], "there is no model X in nets/net.cnn; there are Net"),
    ],
)
def test_wrong_usage(repository: Path, arguments: list[str], fault: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert fault in result.output


@needs_git
def test_exit_codes(repository: Path) -> None:
    assert run("nets/net.cnn", "nets/net.cnn").exit_code == 0
    assert run("nets/net.cnn", "nets/net.cnn", "--exit-code").exit_code == 0
    assert run("HEAD", "--", "nets/net.cnn").exit_code == 0
    assert run("HEAD", "--exit-code", "--", "nets/net.cnn").exit_code == 1
    (repository / "nets" / "net.cnn").write_text(NET.replace("relu", "rellu"))
    faulty = run("HEAD", "--", "nets/net.cnn")
    assert faulty.exit_code == 1
    assert "error[E201]" in faulty.output


@needs_git
def test_git_calls_it(repository: Path) -> None:
    """The lines of docs/diff.md, in a real repository."""
    cnnspec = f"{Path(sys.executable).as_posix()} -m cnnspec"
    (repository / ".gitattributes").write_text("*.cnn diff=cnn\n")
    git("config", "diff.cnn.command", f"{cnnspec} diff --git")
    git("config", "diff.cnn.textconv", f"{cnnspec} diff --textconv")
    shown = git("diff")
    assert shown.startswith("diff a/nets/net.cnn b/nets/net.cnn\n")
    assert "The added batchnorm (1) costs 32 parameters." in shown
    lines = git("diff", "--no-ext-diff")
    assert "\n+1: batchnorm -> 16x32x32\n" in lines
    (repository / "nets" / "net.cnn").write_text(NET.replace("relu", "rellu"))
    (repository / "nets" / "new.cnn").write_text(NET.replace("Net", "New"))
    (repository / "nets" / "using.cnn").unlink()
    git("add", "--all")
    shown = git("diff", "--cached")
    assert "error[E201]" in shown
    assert "\n+  conv(16, 3, padding=1), rellu, maxpool(2)\n" in shown
    assert "\nadded: New: 3x32x32 -> 10, 41,418 parameters\n" in shown
    assert "\nremoved: Net: 3x32x32 -> 10, 41,418 parameters\n" in shown


@needs_git
def test_git_is_told_of_layers_alone(repository: Path) -> None:
    seven = ["nets/net.cnn", "nets/net.cnn", "0", "100644", "nets/net.cnn", "0", "100644"]
    assert "the networks are the same; the texts differ" in run("--git", *seven).output
    assert run("--git", "nets/net.cnn").output == "nets/net.cnn: not merged\n"
    assert run("--git", "a", "b").exit_code == 2


def test_json_follows_its_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    schema = json.loads((ROOT / "docs" / "schemas" / "diff.schema.json").read_text(encoding="utf-8"))
    printed = json.loads(run("examples/tinycnn.cnn", "examples/tinycnn3.cnn", "--format", "json").output)
    jsonschema.validate(printed, schema)
    (comparison,) = printed["comparisons"]
    total = {each["name"]: each["after"] - each["before"] for each in comparison["totals"] if each["unit"] == "count"}
    assert sum(change["costs"]["parameters"] for change in comparison["changes"]) == total["parameters"] == -302_848
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**printed, "comparisons": [{}]}, schema)


def test_files_with_several_models(tmp_path: Path) -> None:
    one, other = tmp_path / "one.cnn", tmp_path / "other.cnn"
    both = NET + NET.replace("Net", "Second") + NET.replace("Net", "Third")
    one.write_text(both)
    other.write_text(both.replace("16", "32", 1).replace("Third", "Fourth"))
    result = run(str(one), str(other))
    assert result.output.startswith("Net (3x32x32 -> 10)\n")
    assert result.output.endswith("\n\nmodel added: Fourth\n\nmodel removed: Third\n\nnothing differs in Second\n")
    assert run(str(one), str(other), "--model", "Second").output == "Second (3x32x32 -> 10)\n\nNothing differs.\n"
    assert "0 -> Fourth" not in run(str(one), str(other), "--model", "Net", "--model", "Fourth").output
    other.write_text(NET.replace("Net", "X") + NET.replace("Net", "Y"))
    assert "choose with --model NAME, once for each file" in run(str(one), str(other)).output


def test_markdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    printed = run("examples/tinycnn.cnn", "examples/tinycnn3.cnn", "--format", "markdown").output
    assert "### TinyCNN -> TinyCNN3 (3x32x32 -> 10)" in printed
    assert "| `+` | `features.2` | Pair(128) | 64x8x8 -> 128x4x4 | +221,440 |" in printed
