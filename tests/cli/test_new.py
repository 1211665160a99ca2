from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnspec.cli import main


def new(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["new", *arguments])


def test_the_first_file_passes_the_check(tmp_path: Path) -> None:
    path = tmp_path / "first.cnn"
    assert new(str(path)).exit_code == 0
    checked = CliRunner().invoke(main, ["check", "--strict", str(path)])
    assert checked.exit_code == 0, checked.output


def test_the_default_name_is_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Wrote network.cnn" in new().output
    assert [path.name for path in tmp_path.iterdir()] == ["network.cnn"]


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    path = tmp_path / "mine.cnn"
    path.write_text("mine", encoding="utf-8")
    refused = new(str(path))
    assert refused.exit_code == 2
    assert "already there" in refused.output
    assert path.read_text(encoding="utf-8") == "mine"
    assert new(str(path), "--force").exit_code == 0
    assert "model" in path.read_text(encoding="utf-8")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused = new(str(tmp_path / "nowhere" / "first.cnn"))
    assert refused.exit_code == 2
    assert "cannot be written" in refused.output


def test_a_dash_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "model MyNetwork" in new("-").output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="permissions are those of POSIX")
def test_others_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "first.cnn"
    before = os.umask(0o022)
    new(str(path))
    os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644
