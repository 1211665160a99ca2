"""`cnnspec emit`"""

from __future__ import annotations

from errno import EACCES
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnspec.cli import main
from cnnspec.emission import emit
from cnnspec.network import load, read_source

LENET = Path(__file__).parents[2] / "examples" / "lenet.cnn"


def cnnspec(*arguments: str | Path, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["emit", *map(str, arguments)], input=text)


@pytest.mark.parametrize("style", ["sequential", "forward"])
def test_prints_the_source(style: str) -> None:
    result = cnnspec(LENET, "--style", style)
    assert result.exit_code == 0
    assert result.output == emit(load(read_source(LENET)), style=style)  # type: ignore[arg-type]


def test_reads_standard_input() -> None:
    assert cnnspec("-", text=LENET.read_text()).output == cnnspec(LENET).output.replace(" from lenet.cnn", "")


def test_writes_a_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "lenet.py"
    path.write_text("old")
    result = cnnspec(LENET, "-o", path)
    assert (result.exit_code, result.output) == (0, "")
    assert path.read_text() == cnnspec(LENET).output
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "why"), [("missing/lenet.py", "No such file or directory"), (".", "Is a directory")], ids=["missing", "."]
)
def test_a_file_that_cannot_be_written(tmp_path: Path, name: str, why: str) -> None:
    path = tmp_path / name
    result = cnnspec(LENET, "-o", path)
    assert result.exit_code == 2
    assert result.output == f"error: {path} cannot be written: {why}\n"


def test_a_folder_that_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", refuse)
    result = cnnspec(LENET, "-o", tmp_path / "lenet.py")
    assert (result.exit_code, "lenet.py cannot be written: Permission denied" in result.output) == (2, True)


def refuse(*_: object) -> None:
    raise PermissionError(EACCES, "Permission denied")


def test_a_dash_is_standard_output() -> None:
    assert cnnspec(LENET, "-o", "-").output == cnnspec(LENET).output


def test_a_wrong_spec_writes_nothing(tmp_path: Path) -> None:
    result = cnnspec("-", "-o", tmp_path / "net.py", text="model Net { input 1x8x8\n linear(63 -> 10)\n}")
    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_overrides() -> None:
    text = "model Net(classes=10) { input 1x8x8\n flatten\n linear(classes)\n}"
    result = cnnspec("-", "--set", "classes=3", "--input", "2x4x4", text=text)
    assert "classes: int = 3" in result.output
    assert "nn.Linear(32, classes)" in result.output
