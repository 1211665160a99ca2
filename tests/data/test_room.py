"""Samples that do not fit into memory, and files that would not."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from cnnspec.data import parts, room  # noqa: E402
from cnnspec.data.facts import Csv, Folder, Npz  # noqa: E402
from cnnspec.data.loaders import load  # noqa: E402
from cnnspec.layers.base import Shape  # noqa: E402
from cnnspec.network import load as load_network  # noqa: E402
from cnnspec.source import Source  # noqa: E402
from cnnspec.training import train  # noqa: E402

RGB = Shape((3, 8, 8))


@pytest.fixture
def pictures(tmp_path) -> Path:
    random = np.random.default_rng(0)
    for name, level in (("dark", 100), ("light", 200)):
        (tmp_path / "all" / name).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, level, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "all" / name / f"{number}.png")
    return tmp_path / "all"


def is_mapped(x) -> bool:
    """Whether the memory of a tensor is that of a file, as the system has it."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        first, last = (int(text, 16) for text in line.split()[0].split("-"))
        if first <= x.data_ptr() < last:
            return "(deleted)" in line
    return False


@pytest.fixture
def no_memory(monkeypatch, tmp_path) -> Path:
    """None is available; gives where temporary files are."""
    (tmp_path / "disk").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "disk"))
    monkeypatch.setattr(room.tempfile, "tempdir", None)
    monkeypatch.setattr(room, "available", lambda: 0)
    return tmp_path / "disk"


def test_what_does_not_fit_is_read_into_a_file(pictures, monkeypatch, no_memory):
    with monkeypatch.context() as patch:
        patch.setattr(room, "available", lambda: None)
        expected = load(Folder("all"), RGB, root=pictures.parent)
    data = load(Folder("all"), RGB, root=pictures.parent)
    for name in ("train", "validation", "test"):
        ours, theirs = getattr(data, name), getattr(expected, name)
        assert torch.equal(ours.x, theirs.x)
        assert torch.equal(ours.y, theirs.y)
        assert not Path("/proc/self/maps").exists() or (is_mapped(ours.x), is_mapped(theirs.x)) == (True, False)
    assert torch.equal(data.mean, expected.mean)
    taken = "images take 0.0 MB, more than half of the memory that is free"
    assert data.messages[0] == f"{taken}: they are read into a temporary file in {no_memory}"
    assert data.messages[1:] == expected.messages
    assert list(no_memory.iterdir()) == [], "what a killed process leaves is nothing"


def test_a_run_on_such_a_file_is_the_same(pictures, monkeypatch, no_memory, tmp_path):
    text = f'model M {{ input 3x8x8\n flatten, linear(2) }}\ntrain {{ data: folder("{pictures}"), epochs: 2 }}'
    network = load_network(Source("<spec>", text), train=True)
    train(network, out=tmp_path / "file", device="cpu")
    monkeypatch.setattr(room, "available", lambda: None)
    train(network, out=tmp_path / "memory", device="cpu")
    found, expected = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("file", "memory"))
    assert found == expected


def test_no_room_anywhere(pictures, monkeypatch, no_memory, refused):
    monkeypatch.setattr(room, "disk_usage", lambda folder: type("Usage", (), {"free": 5_000_000})())
    monkeypatch.setattr(room, "available", lambda: 4_000_000)
    error = refused(load, Folder("all"), Shape((3, 400, 500)), root=pictures.parent)
    assert error.message == "40 images of 3x400x500 take 24.0 MB"
    assert error.notes == (f"there is memory for 2.0 MB, and room for 5.0 MB in {no_memory}",)
    assert "TMPDIR" in error.help[1]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system cannot reserve room on a disk")
def test_a_disk_that_fills_up_meanwhile(pictures, monkeypatch, no_memory, refused):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.os, "posix_fallocate", full)
    assert refused(load, Folder("all"), RGB, root=pictures.parent).message == "40 images of 3x8x8 take 0.0 MB"


def test_half_of_what_is_available_is_for_samples(monkeypatch):
    monkeypatch.setattr(room, "available", lambda: 2_000)
    assert not isinstance(room.room((1_000,), np.uint8, "samples"), np.memmap)
    large = room.room((1_001,), np.uint8, "samples")
    assert isinstance(large, np.memmap)
    large[:] = 7
    assert isinstance(room.room((251,), np.float32, "samples"), np.memmap)
    kept = torch.from_numpy(large)
    del large
    gc.collect()
    assert kept.sum() == 7_007


def test_tables_and_archives_are_read_as_a_whole(tmp_path, monkeypatch, refused):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((1_000, 500), np.uint8), y=np.arange(1_000) % 2)
    (tmp_path / "a.csv").write_text("1,2,3\n0,2,3\n" * 50_000)
    monkeypatch.setattr(room, "available", lambda: 400_000)
    error = refused(load, Npz("a.npz"), Shape((500,)), root=tmp_path)
    assert error.message == f"{tmp_path / 'a.npz'} takes 0.5 MB of memory, and 0.4 MB are available"
    error = refused(load, Csv("a.csv"), Shape((2,)), root=tmp_path)
    assert error.message == f"{tmp_path / 'a.csv'} takes 1.2 MB of memory, and 0.4 MB are available"


def test_what_the_system_says(tmp_path, monkeypatch):
    """The machine, or the container where that is less."""
    monkeypatch.setattr(room, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(room, "GROUP", tmp_path)
    assert room.available() is None
    (tmp_path / "meminfo").write_text("MemTotal:  24684944 kB\nMemAvailable:  1000 kB\nHugePages_Total:   0\n")
    assert room.available() == 1_024_000
    (tmp_path / "memory.current").write_text("700000\n")
    (tmp_path / "memory.stat").write_text("anon 100\ninactive_file 200000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert room.available() == 1_024_000
    (tmp_path / "memory.max").write_text("1000000\n")
    assert room.available() == 500_000


@pytest.mark.parametrize("sizes", [(1, 1, 3, 3), (7, 3, 5, 4), (50, 2, 16, 16), (9, 6)])
def test_figures_are_those_of_the_whole(sizes, monkeypatch):
    x = torch.randint(256, sizes, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    whole = parts.statistics(x)
    monkeypatch.setattr(parts, "PIECE", 300)
    assert all(torch.equal(a, b) for a, b in zip(parts.statistics(x), whole, strict=True))
