"""Whatever stops a run, it goes on from there and ends as one that was never stopped."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from killing import SPEC, outcome
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from stops import stopping_after
from torch import Tensor

from cnnspec.cli import main
from cnnspec.network import Network
from cnnspec.training import BadRun, Run, TrainError, checkpoint, ending, loop, plots, record, resume, train
from cnnspec.training import run as run_module
from cnnspec.training.checkpoint import SLOTS
from cnnspec.training.lock import alone_in

Make = Callable[..., Network]


pytestmark = pytest.mark.usefixtures("no_pictures")


def stopped(network: Network, folder: Path, calls: int, monkeypatch: pytest.MonkeyPatch) -> Run:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "interruptible", stopping_after(calls))
        return train(network, out=folder, device="cpu")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "adamw", "schedule": "cosine", "epochs": 2},
        {"optimizer": "sgd", "schedule": "step(1)", "epochs": 2, "validation": 0},
        {"optimizer": "adam", "schedule": "constant", "epochs": 2},
        {"precision": "bfloat16", "epochs": 2},
        {"schedule": "cosine(warmup=0.3)", "clip": 0.5, "label_smoothing": 0.1, "epochs": 3},
        {"ema": 0.9, "epochs": 3},
        {
            "optimizer": "muon(others=sgd(lr=0.05, momentum=0.9))",
            "groups": '[group("0", lr=0.01), group(kind=vectors, weight_decay=0.1), group("0", biases, lr=0)]',
            "schedule": "plateau(patience=0, warmup=0.1)",
            "mix": "[mixup, cutmix]",
            "augment": "[flip(alternate=true), random_erasing]",
            "accumulate": 2,
            "batch": 32,
            "init": "[orthogonal, whitening]",
            "views": "moves",
            "epochs": 3,
        },
        {"schedule": "multistep([1, 2], warmup=0.1)", "groups": 'group("0", lr=0.01)', "epochs": 3},
    ],
)
def test_from_the_middle_of_an_epoch(
    network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, object]
) -> None:
    net = network(SPEC, **{"batch": 64} | settings)
    train(net, out=tmp_path / "whole", device="cpu")
    for calls in (2, 24, 40):
        run = stopped(net, tmp_path / f"{calls}", calls, monkeypatch)
        assert run.status == "interrupted"
        assert "everything is saved" in run.fault
        resume(tmp_path / f"{calls}")
        assert outcome(tmp_path / f"{calls}") == outcome(tmp_path / "whole")


def test_again_and_again(network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after every seven looks, and the files in the folder say how often."""
    net = network(SPEC, batch=200)
    train(net, out=tmp_path / "whole", device="cpu")
    run = stopped(net, tmp_path / "run", 7, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "interruptible", stopping_after(7))
        times = 0
        while run.status == "interrupted":
            run = resume(tmp_path / "run")
            times += 1
    assert times > 3
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    lines = [json.loads(line) for line in (tmp_path / "run" / "resumed.jsonl").read_text().splitlines()]
    assert len(lines) == times
    assert lines[0]["step"] > 0
    result = record.read_result(tmp_path / "run")
    assert result is not None
    assert result.resumed == times


def test_the_checkpoint_is_all_it_takes(network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(SPEC, batch=64)
    train(net, out=tmp_path / "whole", device="cpu")
    stopped(net, tmp_path / "run", 50, monkeypatch)
    for path in (tmp_path / "run").iterdir():
        if path.name not in {"spec.cnn", "config.json", "versions.json", *SLOTS}:
            path.unlink()
    resume(tmp_path / "run")
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


# ------------------------------------------------------------------------------------------------------- signals


def signals_at(step: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, so many times, in the middle of a step."""
    steps = 0

    def prepare(*args: Tensor) -> Tensor:
        nonlocal steps
        steps += 1
        for _ in range(count if steps == step else 0):
            signal.raise_signal(signal.SIGINT)
        return real(*args)

    real = loop.prepare
    monkeypatch.setattr(loop, "prepare", prepare)


def cnnspec(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "killed.cnn").write_text(SPEC)
    return "killed.cnn"


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Heard also where the tests run in the background, which shells start with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_says_how_to_resume(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = cnnspec("train", spec, "--batch", "64", "--device", "cpu", "--out", "whole")
    assert whole.exit_code == 0, whole.output
    with monkeypatch.context() as patch:
        signals_at(5, 1, patch)
        done = cnnspec("train", spec, "--batch", "64", "--device", "cpu", "--out", "a run")
    assert done.exit_code == 130
    assert "interrupted in epoch 1 of 4, after step 5 of 21; everything is saved" in done.stderr
    assert "to go on: cnnspec train --resume 'a run'" in done.stderr
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again = cnnspec("train", "--resume", "a run")
    assert again.exit_code == 0, again.output
    assert "resumed   in epoch 1 of 4, after step 5 of 21" in again.output
    assert outcome(Path("a run")) == outcome(Path("whole"))


def test_a_second_ctrl_c_stops_at_once(network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(SPEC, batch=64)
    with monkeypatch.context() as patch:
        signals_at(30, 2, patch)  # 21 steps and three pieces of the validation part make an epoch
        run = train(net, out=tmp_path / "run", device="cpu")
    assert (run.status, run.fault) == ("interrupted", "stopped at once; what came of 1 epoch is saved")
    resume(tmp_path / "run")
    train(net, out=tmp_path / "whole", device="cpu")
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


def test_an_ignored_signal_stays_ignored(network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        signals_at(3, 2, monkeypatch)
        assert train(network(SPEC, epochs=1), out=tmp_path / "run", device="cpu").status == "finished"
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills children of fork")
def test_kill_at_random_moments(tmp_path: Path) -> None:
    """`CNNSPEC_KILLS=100` is the long run."""
    kills = int(os.environ.get("CNNSPEC_KILLS", "6"))
    seed = os.environ.get("CNNSPEC_KILLS_SEED", "0")
    driver = Path(__file__).with_name("killing.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, driver, tmp_path, str(kills), seed],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120 + 30 * kills,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(found)
    assert (found["kills"], found["different"]) == (kills, [])


# ------------------------------------------------------------------------------------------------- disks that fail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_no_write_that_fails_loses_an_epoch(
    network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Each write of a run fails in turn, and all that follow it."""
    net = network(SPEC, batch=400, epochs=2)
    train(net, out=tmp_path / "whole", device="cpu")
    writes = 0
    real = record.write

    def failing(path: Path, content: str | bytes, **options: bool) -> None:
        nonlocal writes
        writes += 1
        if writes > good:
            raise OSError(number, os.strerror(number))
        real(path, content, **options)

    first = 3  # spec.cnn, versions.json and config.json: before them there is no run
    for good in range(first, first + (14 if number == errno.ENOSPC else 2)):
        folder, writes = tmp_path / f"{number}-{good}", 0
        with monkeypatch.context() as patch:
            for module in (record, checkpoint, ending):
                patch.setattr(module, "write", failing)
            with pytest.raises(TrainError) as caught:
                train(net, out=folder, device="cpu")
        assert caught.value.message == f"{folder} cannot be written: {os.strerror(number)}"
        epochs = (good >= first + 1) + (good >= first + 6)
        assert sum((folder / name).exists() for name in SLOTS) == epochs
        assert str(epochs or "no epoch") in caught.value.notes[0]
        assert f"--resume {folder}" in caught.value.notes[-1]
        resume(folder)
        assert outcome(folder) == outcome(tmp_path / "whole")


def test_a_folder_that_can_no_longer_be_written(network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped(network(SPEC), tmp_path / "run", 5, monkeypatch)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}

    def refuse(path: Path, content: str | bytes) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(record, "write", refuse)
        with pytest.raises(TrainError, match="run cannot be written: Permission denied"):
            resume(tmp_path / "run")
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}


# --------------------------------------------------------------------------------------- checkpoints that are no good


@pytest.fixture(scope="module")
def halfway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run stopped in its third epoch: one checkpoint after the second, one in the middle of the third."""
    from cnnspec.network import load
    from cnnspec.source import Source

    folder: Path = tmp_path_factory.mktemp("runs") / "halfway"
    net = load(Source("<spec>", SPEC), set={"train.batch": 200}, train=True)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("curves", "confusion", "filters"):
            patch.setattr(plots, name, lambda *_: b"")
        train(net, out=folder.with_name("whole"), device="cpu")
        stopped(net, folder, 26, patch)
    return folder


@pytest.fixture
def run(halfway: Path, tmp_path: Path) -> Path:
    return Path(copytree(halfway, tmp_path / "run"))


def slots(run: Path) -> tuple[Path, Path]:
    """The newest checkpoint, and the one before it."""
    old, new = sorted((run / name for name in SLOTS), key=lambda path: numbers(path)["checkpoints"])
    return new, old


def numbers(path: Path) -> dict[str, Any]:
    with safe_open(path, "pt") as file:
        found: dict[str, Any] = json.loads(file.metadata()["cnnspec checkpoint"])
        return found


def rewrite(path: Path, **changed: object) -> None:
    about = numbers(path) | changed
    save_file(load_file(path), path, {"cnnspec checkpoint": json.dumps(about)})


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-50] ^= 1
    path.write_bytes(data)


def pickled(path: Path) -> None:
    torch.save({"model": {}}, path)


def weights_alone(path: Path) -> None:
    save_file({"a": torch.zeros(3)}, path)


def another_format(path: Path) -> None:
    rewrite(path, format=1)


def another_run(path: Path) -> None:
    rewrite(path, run="0" * 64)


FAULTS = {
    cut: "is cut short or damaged",
    empty: "is cut short or damaged",
    flip: "is damaged: its check sum is another",
    pickled: "is cut short or damaged",
    weights_alone: "is no checkpoint of cnnspec",
    another_format: "is not of format 3, or damaged: format: Input should be 3",
    another_run: "belongs to another run",
}


@pytest.mark.parametrize("damage", FAULTS, ids=lambda damage: damage.__name__)
def test_a_bad_checkpoint(run: Path, halfway: Path, damage: Callable[[Path], None]) -> None:
    new, _ = slots(run)
    damage(new)
    said: list[str] = []
    resume(run, say=said.append)
    assert any(line.strip().startswith(f"{new.name} {FAULTS[damage]}") for line in said)
    assert any("resumed   before epoch 3 of 4" in line for line in said)
    assert outcome(run) == outcome(halfway.with_name("whole"))


@pytest.mark.parametrize("damage", FAULTS, ids=lambda damage: damage.__name__)
def test_no_good_checkpoint(run: Path, damage: Callable[[Path], None]) -> None:
    for path in slots(run):
        damage(path)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    with pytest.raises(BadRun, match="none of its checkpoints can be used") as caught:
        resume(run)
    assert sum(FAULTS[damage] in note for note in caught.value.notes) == 2
    assert before == {path.name: path.read_bytes() for path in run.iterdir()}


def test_a_checkpoint_that_fits_no_weights(run: Path) -> None:
    new, _ = slots(run)
    tensors = load_file(new)
    tensors["model.0.weight"] = torch.zeros(3)
    about = numbers(new) | {"sum": checkpoint._sum(tensors)}
    save_file(tensors, new, {"cnnspec checkpoint": json.dumps(about)})
    with pytest.raises(BadRun, match="does not fit the network"):
        resume(run)


def test_what_a_kill_leaves_behind_is_swept(run: Path) -> None:
    (run / ".0123456789ab.tmp").write_bytes(b"half")
    resume(run)
    assert not list(run.glob(".*"))


# ---------------------------------------------------------------------------------------- runs that cannot go on


def test_a_finished_run(digits_run: Run) -> None:
    with pytest.raises(BadRun, match="is finished"):
        resume(digits_run.folder)


def test_a_diverged_run_would_diverge_again(network: Make, tmp_path: Path) -> None:
    train(network(optimizer="sgd(lr=1e30)"), out=tmp_path / "run", device="cpu")
    with pytest.raises(BadRun, match="has diverged, and would again: the loss is no longer a finite number in epoch 1"):
        resume(tmp_path / "run")


@pytest.mark.skipif(sys.platform == "win32", reason="has no such locks")
def test_a_run_that_is_still_going_on(run: Path) -> None:
    with alone_in(run), pytest.raises(BadRun, match="another process is training in"):
        resume(run)
    assert resume(run).status == "finished"


def test_no_run_at_all(tmp_path: Path) -> None:
    with pytest.raises(BadRun, match="not the folder of a run"):
        resume(tmp_path)


def test_another_spec(run: Path) -> None:
    (run / "spec.cnn").write_text(SPEC.replace("dropout(0.3)", "dropout(0.2)"))
    with pytest.raises(BadRun, match=r"spec\.cnn is not the spec that the run began with"):
        resume(run)


def test_another_configuration(run: Path) -> None:
    text = (run / "config.json").read_text()
    (run / "config.json").write_text(text.replace('"epochs": "4"', '"epochs": "9"'))
    with pytest.raises(BadRun, match="none of its checkpoints") as caught:
        resume(run)
    assert "belongs to another run, or config.json was changed" in caught.value.notes[0]


def test_data_that_changed(network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def points(seed: int) -> None:
        random = np.random.default_rng(seed)
        x = np.float32(random.normal(size=(60, 2)))
        np.savez(tmp_path / "points.npz", x_train=x, y_train=np.arange(60) % 2, x_test=x[:10], y_test=np.arange(10) % 2)

    points(0)
    data = f'npz("{(tmp_path / "points.npz").as_posix()}")'
    net = network("model M { input 2\n linear(2) }", data=data, batch=8)
    stopped(net, tmp_path / "run", 5, monkeypatch)
    points(1)
    with pytest.raises(BadRun, match="has changed since the run began: its training part is another"):
        resume(tmp_path / "run")
    points(0)
    assert resume(tmp_path / "run").status == "finished"


def test_damaged_versions(run: Path) -> None:
    (run / "versions.json").write_text("{")
    with pytest.raises(BadRun, match=r"versions\.json is damaged"):
        resume(run)


def test_other_circumstances_are_told(run: Path) -> None:
    versions = json.loads((run / "versions.json").read_text())
    (run / "versions.json").write_text(json.dumps(versions | {"threads": 64}))
    said: list[str] = []
    resume(run, say=said.append)
    assert any("it began with threads 64 and goes on with 1" in line for line in said)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(("x.cnn",), "FILE"), (("--epochs", "3"), "--epochs"), (("--set", "a=1"), "--set"), (("--out", "x"), "--out")],
)
def test_a_run_goes_on_as_it_began(arguments: tuple[str, ...], named: str) -> None:
    done = cnnspec("train", "--resume", "runs/x", *arguments)
    assert done.exit_code == 2
    assert f"--resume takes no {named}" in done.stderr


def test_neither_a_file_nor_a_run() -> None:
    done = cnnspec("train")
    assert done.exit_code == 2
    assert "--resume RUN" in done.stderr
