"""Several processes that train together come to what one process comes to, and go on where they were stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
import torch
from killing import outcome
from safetensors.torch import load_file
from teams import PICTURES, dying

from cnnspec.training import plots, resume
from cnnspec.training.distributed import ALONE, Team, plain
from cnnspec.training.launch import launch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gloo has no such transport")


@pytest.fixture(scope="module", autouse=True)
def _no_pictures() -> Iterator[None]:
    """They take longer than the training."""
    with pytest.MonkeyPatch.context() as patch:
        for name in PICTURES:
            patch.setattr(plots, name, lambda *_: b"")
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One process, two and three, some of them stopped on the way."""
    folder: Path = tmp_path_factory.mktemp("teams")
    driver = Path(__file__).with_name("teams.py")
    done = subprocess.run([sys.executable, driver, folder], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def same(folder: Path, other: Path) -> None:
    """To the tolerance of float32: weights, and what was measured in every epoch."""
    for name in ("best", "last"):
        left, right = (load_file(run / f"{name}.safetensors") for run in (folder, other))
        for key, tensor in left.items():
            torch.testing.assert_close(tensor, right[key], rtol=1e-4, atol=1e-5)
    for mine, theirs in zip(lines(folder), lines(other), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4)


def lines(folder: Path) -> list[dict[str, float]]:
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in found]


def test_two_are_as_good_as_one(runs: Path) -> None:
    same(runs / "two", runs / "one")


@pytest.mark.parametrize("name", ["", " chance"])
def test_a_stopped_run_of_two_goes_on_bit_for_bit(runs: Path, name: str) -> None:
    """With dropout and batchnorm too: each process finds its own random numbers again."""
    assert outcome(runs / f"stopped{name}") == outcome(runs / f"two{name}")


def test_what_two_began_one_ends(runs: Path, tmp_path: Path) -> None:
    said: list[str] = []
    resume(copytree(runs / "left to one", tmp_path / "run"), say=said.append)
    assert any("it began with devices 2 and goes on with 1" in line for line in said)
    same(tmp_path / "run", runs / "one")


def test_what_one_began_two_end(runs: Path) -> None:
    same(runs / "left to two", runs / "one")


def test_three_and_a_step_too_small_for_all(runs: Path) -> None:
    """320 samples in steps of 79 leave one of four: two for the first, two for the second, none for the third."""
    same(runs / "three", runs / "one in four")
    assert outcome(runs / "stopped three") == outcome(runs / "three")


def test_a_killed_process_is_told_and_the_run_goes_on(runs: Path, tmp_path: Path) -> None:
    ended = launch(2, dying, tmp_path)
    assert ended == (1, (1, "SIGKILL"))
    fault = (tmp_path / "fault 0").read_text()
    assert "another of the processes that train together is lost in epoch 2 of 3, after step " in fault
    assert "what came of 1 epoch is saved" in fault
    assert "--resume" in fault
    assert "--devices 2" in fault
    assert json.loads((tmp_path / "killed" / "result.json").read_text())["status"] == "failed"
    resume(tmp_path / "killed")
    same(tmp_path / "killed", runs / "one")


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("samples", [1, 2, 3, 5, 8, 64, 65])
def test_shares(size: int, samples: int) -> None:
    """Every sample of a step counts once, and nobody takes a single one."""
    chosen = torch.arange(100, 100 + samples)
    shares = [Team(rank, size).share(chosen) for rank in range(size)]
    assert torch.cat([mine[:count] for mine, count in shares]).equal(chosen)
    assert all(len(mine) >= min(2, samples) and count <= len(mine) for mine, count in shares)
    counts = [count for _, count in shares if count]
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("samples", [1, 2, 5, 64, 65])
def test_pieces(size: int, samples: int) -> None:
    pieces = [piece for rank in range(size) for piece in Team(rank, size).pieces(samples, 16)]
    assert torch.cat([torch.arange(samples)[piece] for piece in pieces]).equal(torch.arange(samples))
    assert all(0 < piece.stop - piece.start <= max(1, 16 // size) for piece in pieces)


def test_one_alone_sends_nothing() -> None:
    number = torch.tensor(3.0)
    assert ALONE.total(number) is number
    assert ALONE.told("text") == "text"
    assert ALONE.speaks()


def test_what_gloo_says_in_short() -> None:
    text = "[/a/pair.cc:537] Read error [127.0.0.1]:26758: Connection reset by peer. This is typically caused by"
    assert plain(text) == "Read error [127.0.0.1]:26758: Connection reset by peer"
