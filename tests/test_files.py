"""How files are written."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from cnnspec.files import write

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and modes as POSIX has them")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_text_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, "größe\n")
    assert path.read_bytes() == "größe\n".encode()
    write(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write(path, "old")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no"):
        write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def fail(*_: object) -> None:
    raise OSError("no")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    link = tmp_path / "link"
    link.symlink_to("folder/file")
    for text in ("through a link to nothing", "through a link to a file"):
        write(link, text)
        assert link.is_symlink()
        assert (folder / "file").read_text() == text
    assert [path.name for path in folder.iterdir()] == ["file"]


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_usual_mode(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "file", "")
    finally:
        os.umask(before)
    assert mode(tmp_path / "file") == 0o666 & ~umask


@pytest.mark.parametrize("kept", [0o755, 0o600])
def test_a_file_keeps_its_mode(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(kept)
    write(path, "new")
    assert (path.read_text(), mode(path)) == ("new", kept)


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write(pipe, "through")
    reader.join(10)
    assert read == ["through"]
    assert pipe.is_fifo()


@pytest.mark.parametrize(("device", "printed"), [("/dev/stdout", "shown"), ("/dev/null", "")])
def test_devices(device: str, printed: str) -> None:
    if not Path(device).exists():
        pytest.skip(f"no {device}")
    script = f"from pathlib import Path; from cnnspec.files import write; write(Path({device!r}), 'shown')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")


def test_standard_output_in_a_file(tmp_path: Path) -> None:
    script = "from pathlib import Path; from cnnspec.files import write; write(Path('/dev/stdout'), 'shown')"
    path = tmp_path / "file"
    with path.open("wb") as file:
        number = path.stat().st_ino
        subprocess.run([sys.executable, "-c", script], stdout=file, check=True)
    assert (path.read_text(), path.stat().st_ino) == ("shown", number)


@pytest.mark.parametrize(("name", "error"), [("missing/file", FileNotFoundError), (".", IsADirectoryError)])
def test_what_cannot_be_written(tmp_path: Path, name: str, error: type[OSError]) -> None:
    with pytest.raises(error):
        write(tmp_path / name, "text")
    assert list(tmp_path.iterdir()) == []
