"""Many runs of one spec: each is the run that `train` makes, and none is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from stops import stopping_after

import cnnspec as cnnspec_package
from cnnspec.cli import main
from cnnspec.network.reading import UsageFault
from cnnspec.network.settings import alternatives
from cnnspec.training import BadRun, TrainError, record
from cnnspec.training import run as run_module
from cnnspec.training import sweep as sweep_module
from cnnspec.training.sweep import open_sweep, plan_sweep, read_sweep, run_sweep

SPEC = """
model Tiny(classes=10, width=4) {
  input 1x8x8
  conv(width, 3, padding=1), relu, maxpool(2)
  flatten, linear(classes)
}
train { epochs: 1, batch: 200 }
"""


pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.cnn").write_text(SPEC)
    return "tiny.cnn"


def begin_sweep(spec: str, over: dict[str, list[str]], seeds: int, set: Any = None, out: str = "sweep") -> Path:
    return open_sweep(plan_sweep(spec, over, seeds, set=set), Path(out))


def cnnspec(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def result(folder: Path) -> Any:
    """What a run came to, without its seconds."""
    found = json.loads((folder / "result.json").read_text())
    return {name: value for name, value in found.items() if "seconds" not in name}


def test_the_items_of_a_list_are_texts_of_the_language() -> None:
    text = '[sgd(lr=0.1, momentum=0.9), adamw, [1, 2], "a,b"]'
    assert alternatives("x", text) == ["sgd(lr=0.1, momentum=0.9)", "adamw", "[1, 2]", '"a,b"']
    for wrong in ("8", "[]", "[1", "[1] [2]", "1, 2", ""):
        with pytest.raises(UsageFault, match="no list of values"):
            alternatives("x", wrong)


def test_every_combination_has_a_folder_named_after_it(spec: str) -> None:
    folder = begin_sweep(spec, {"width": ["2", "3"], "train.optimizer": ["sgd(lr=0.1)", "adamw"]}, 2)
    assert [point.name for point in read_sweep(folder).points] == [
        f"width-{width}_{optimizer}_seed-{seed}"
        for width in (2, 3)
        for optimizer in ("sgd-lr-0.1", "adamw")
        for seed in (0, 1)
    ]


def test_runs_are_those_of_train(spec: str, tmp_path: Path) -> None:
    found = cnnspec("sweep", spec, "--over", "width=[2, 3]", "--seeds", "2", "--set", "train.seed=5", "--out", "sweep")
    assert found.exit_code == 0, found.output
    for width in (2, 3):
        for seed in (5, 6):
            alone = f"alone-{width}-{seed}"
            assert cnnspec("train", spec, "--set", f"width={width}", "--seed", f"{seed}", "--out", alone).exit_code == 0
            swept = tmp_path / f"sweep/width-{width}_seed-{seed}"
            assert result(swept) == result(tmp_path / alone)
            assert (swept / "best.safetensors").read_bytes() == (tmp_path / alone / "best.safetensors").read_bytes()
    assert "width-2_seed-5,6" in found.output
    assert "best on the validation part: width-" in found.output
    assert (tmp_path / "sweep/curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_data_is_read_once(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnspec.data import loaders
    from cnnspec.data.facts import Digits

    reads = 0

    def read(*arguments: Any) -> Any:
        nonlocal reads
        reads += 1
        return real(*arguments)

    real = loaders.READERS[Digits]
    monkeypatch.setitem(loaders.READERS, Digits, read)
    assert cnnspec("train", spec, "--seeds", "3").exit_code == 0
    assert reads == 1
    assert cnnspec("train", spec).exit_code == 0
    assert reads == 2


def test_an_interrupted_sweep_goes_on(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run is stopped within its epoch; the third is not begun."""

    assert cnnspec("train", spec, "--seeds", "3", "--epochs", "2", "--out", "whole").exit_code == 0
    folder = begin_sweep(spec, {}, 3, set={"train.epochs": "2"})
    (one,) = read_sweep(folder).points[:1]
    run_module.train(read_sweep(folder).network(one), out=folder / one.name)
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "interruptible", stopping_after(12))
        stopped = cnnspec("sweep", "--resume", "sweep")
    assert stopped.exit_code == 130
    assert "2/3  seed-1: interrupted" in stopped.output
    assert "to go on: cnnspec sweep --resume sweep" in stopped.output
    assert not (tmp_path / "sweep/seed-2").exists()

    (tmp_path / "sweep/seed-2").mkdir()
    (tmp_path / "sweep/seed-2/versions.json").write_text("{")  # killed before it had begun
    went_on = cnnspec("sweep", "--resume", "sweep")
    assert went_on.exit_code == 0, went_on.output
    assert "1/3  seed-0: test accuracy" in went_on.output
    assert ", already" in went_on.output
    for seed in range(3):
        own, whole = result(tmp_path / f"sweep/seed-{seed}"), result(tmp_path / f"whole/seed-{seed}")
        assert own | {"resumed": 0} == whole


def test_ctrl_c_while_the_next_run_is_prepared(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has made no step yet: it is begun anew, and nothing was stopped at once."""
    plans = iter([run_module.plan_run])

    def prepared(*arguments: Any) -> Any:
        real = next(plans, None)
        if real is None:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "plan_run", prepared)
        stopped = cnnspec("train", spec, "--seeds", "3", "--out", "a sweep")
    assert stopped.exit_code == 130
    assert "2/3  seed-1: not begun" in stopped.output
    assert "seed-2" not in stopped.output
    assert stopped.stderr == (
        "error: the sweep was interrupted; its runs are saved as far as they came\n"
        "  = to go on: cnnspec sweep --resume 'a sweep'\n"
    )
    assert cnnspec("sweep", "--resume", "a sweep").exit_code == 0


def test_ctrl_c_while_a_run_goes_on_to_be_prepared(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = begin_sweep(spec, {}, 2)
    (one, _) = read_sweep(folder).points
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "interruptible", stopping_after(2))
        run_module.train(read_sweep(folder).network(one), out=folder / one.name)

    def interrupted(*arguments: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep_module, "resume", interrupted)
    stopped = cnnspec("sweep", "--resume", "sweep")
    assert stopped.exit_code == 130
    assert "1/2  seed-0: interrupted\n" in stopped.output
    assert "its runs are saved" in stopped.stderr


def test_a_run_that_diverges_does_not_keep_the_others(spec: str, tmp_path: Path) -> None:
    found = cnnspec("sweep", spec, "--over", "train.optimizer=[sgd(lr=1e38), adamw]", "--out", "sweep")
    assert found.exit_code == 1
    assert "1/2  sgd-lr-1e38: diverged: " in found.output
    assert "2/2  adamw: test accuracy" in found.output
    assert [line.split()[-1] for line in found.stdout.splitlines() if line.startswith("sgd-lr-1e38  1")] == ["diverged"]
    assert "best on the validation part" not in found.stdout  # one alone is no choice
    assert found.stderr == "error: 1 of 2 runs did not finish\n"
    again = cnnspec("sweep", "--resume", "sweep")
    assert again.exit_code == 1
    assert ", already" in again.output


def test_a_sweep_whose_runs_all_diverge_says_where(spec: str, tmp_path: Path) -> None:
    wild = ("--over", "width=[2, 4]", "--optimizer", "sgd(lr=1e38)", "--seeds", "2", "--out", "sweep")
    found = cnnspec("sweep", spec, *wild)
    assert found.exit_code == 1
    named = "width-2_seed-0, width-2_seed-1, width-4_seed-0 and width-4_seed-1"
    words = "diverged: the loss is no longer a finite number in epoch 1, at step 2"
    assert f"{named} {words}" in " ".join(found.stdout.split())
    assert len([line for line in found.stdout.splitlines() if line.endswith("  diverged")]) == 4
    assert found.stderr == "error: 4 of 4 runs did not finish\n"
    assert not (tmp_path / "sweep/curves.png").exists()
    again = cnnspec_package.sweep(spec, over={"width": [2]}, set={"train.optimizer": "sgd(lr=1e38)"})
    assert [run.ended for run in again.runs] == ["diverged"]


def test_data_that_is_not_there_fails_its_runs_alone(spec: str, tmp_path: Path) -> None:
    found = cnnspec("sweep", spec, "--over", 'train.data=[csv("gone.csv"), digits]', "--out", "sweep")
    assert found.exit_code == 1
    assert f"1/2  csv-gone.csv: failed: there is no file {tmp_path / 'gone.csv'}" in found.stdout
    assert "2/2  digits: test accuracy" in found.stdout
    common = cnnspec("sweep", spec, "--data", 'csv("gone.csv")', "--seeds", "3", "--out", "common")
    assert common.exit_code == 1
    assert common.output.count("there is no file") == 1
    neither = cnnspec("sweep", spec, "--over", 'train.data=[csv("gone.csv"), npz("gone.npz")]', "--out", "neither")
    assert neither.exit_code == 1
    assert "error: no run of the sweep has begun" in neither.stderr


def test_a_part_too_small_to_hold_back_fails_its_run_alone(spec: str, tmp_path: Path) -> None:
    found = cnnspec("sweep", spec, "--over", "train.validation=[0.0001, 0.1]", "--out", "sweep")
    assert found.exit_code == 1
    assert "are too few to hold back 0.01% of them" in found.stdout
    assert "2/2  validation-0.1: test accuracy" in found.stdout


def test_wrong_use_begins_nothing(spec: str, tmp_path: Path) -> None:
    for arguments, message, code in (
        ((spec, "--over", "batch=[1, 2]"), "train.batch is the setting of train { }", 2),
        ((spec, "--over", "train.batch=[8, 0]"), "0 is less than 1", 1),
        ((spec, "--over", "train.batch=8"), "is no list of values for train.batch", 2),
        ((spec, "--over", "train.batch=8, 16"), "no list of values for train.batch: did you mean [8, 16]?", 2),
        ((spec, "--over", "train.batch=[8, 16"), "no list of values for train.batch: did you mean [8, 16]?", 2),
        ((spec, "--over", "train.batch=[8]", "--over", "train.batch=[9]"), "one name is given twice", 2),
        (
            (spec, "--over", "train.batch=[8, 9]", "--batch", "8"),
            "train.batch is varied by --over, and has one value",
            2,
        ),
        (
            (spec, "--batch", "[8, 9]"),
            "--batch takes one value; cnnspec sweep FILE --over 'train.batch=[8, 9]' tries",
            2,
        ),
        ((spec, "--over", "train.epoch=[1, 2]"), "there is no training setting epoch; did you mean train.epochs?", 2),
        ((spec, "--over", "train.batch=[8, 8]"), "would be called batch-8", 1),
        ((spec, "--over", "train.seed=[1, 2]", "--seeds", "2"), "train.seed names the seeds already", 2),
        (("--resume", "."), "it holds no sweep.json", 2),
        (("--resume", ".", "--seeds", "3"), "--resume takes no --seeds", 2),
        (("-", "--seeds", "3"), "name a file", 2),
        ((), "name the FILE", 2),
    ):
        found = cnnspec("sweep", *arguments)
        assert found.exit_code == code, (arguments, found.output)
        assert message in found.output, (arguments, found.output)
    assert not (tmp_path / "runs").exists()


def test_paths_of_options_hold_from_everywhere(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = begin_sweep(
        spec, {"width": ["2", "3"]}, 1, set={"train.weights": 'run("base")', "train.data": 'csv("a.csv")'}
    )
    monkeypatch.chdir(folder)
    (first, _) = read_sweep(Path()).points
    assert first.set["train.weights"] == f'run(path="{tmp_path}/base", which=best)'
    assert f'csv(path="{tmp_path}/a.csv"' in first.set["train.data"]


def test_seeds_are_named(spec: str) -> None:
    folder = begin_sweep(spec, {"train.seed": ["3", "17"], "width": ["2", "3"]}, 1)
    points = read_sweep(folder).points
    assert [point.name for point in points] == [f"width-{width}_seed-{seed}" for width in (2, 3) for seed in (3, 17)]
    assert [point.set["train.seed"] for point in points] == ["3", "17"] * 2


def test_how_steps_are_made_holds_for_all_runs(spec: str, tmp_path: Path) -> None:
    how = ("--compile", "off", "--deterministic")
    assert cnnspec("train", spec, "--seeds", "2", *how, "--out", "sweep").exit_code == 0
    for seed in (0, 1):
        config = json.loads((tmp_path / f"sweep/seed-{seed}/config.json").read_text())
        assert (config["compiling"], config["deterministic"]) == ("off", True)


def test_seeds_and_devices_are_not_taken_together(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = cnnspec("train", spec, "--seeds", "2", "--devices", "2")
    assert (found.exit_code, "takes no --devices" in found.output) == (2, True)
    monkeypatch.setenv("RANK", "0")
    found = cnnspec("train", spec, "--seeds", "2")
    assert (found.exit_code, "one of several" in found.output) == (2, True)
    assert not (tmp_path / "runs").exists()


def test_a_spec_that_changed_is_refused(spec: str, tmp_path: Path) -> None:
    folder = begin_sweep(spec, {}, 2)
    (tmp_path / spec).write_text(SPEC.replace("relu", "tanh"))
    with pytest.raises(BadRun, match="has changed since the sweep began"):
        run_sweep(folder)
    (folder / "sweep.json").write_text("{}")
    with pytest.raises(BadRun, match="damaged"):
        read_sweep(folder)


def test_a_folder_that_is_taken(spec: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/a").write_text("")
    with pytest.raises(TrainError, match="exists already"):
        begin_sweep(spec, {}, 2, out="there")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_side_by_side_and_interrupted_from_outside(spec: str, tmp_path: Path) -> None:
    """Two processes train four runs, hear Ctrl-C, and the sweep ends as one that nothing stopped."""
    folder = begin_sweep(spec, {}, 4, set={"train.epochs": "100000"})
    command = [sys.executable, "-m", "cnnspec", "sweep", "--resume", "sweep", "--jobs", "2"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    begun = time.monotonic()
    while not list(folder.glob("*/checkpoint-*")) and time.monotonic() < begun + 60:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output.decode()
    assert b"its runs are saved" in output
    assert b"Traceback" not in output, output.decode()
    statuses = [found.status for run in folder.glob("seed-*") if (found := record.read_result(run))]
    assert statuses
    assert set(statuses) == {"interrupted"}


def test_in_python(spec: str, tmp_path: Path) -> None:
    found = cnnspec_package.sweep(spec, over={"train.batch": [100, 300]}, seeds=2, out="sweep")
    assert [row.name for row in found.rows] == ["batch-100_seed-0,1", "batch-300_seed-0,1"]
    before = (tmp_path / "sweep/batch-300_seed-1/result.json").stat().st_mtime_ns
    again = cnnspec_package.sweep(spec, over={"train.batch": [100, 300]}, seeds=2, out="sweep")
    assert again.as_dict() == found.as_dict()
    assert (tmp_path / "sweep/batch-300_seed-1/result.json").stat().st_mtime_ns == before
    with pytest.raises(TrainError, match="another sweep"):
        cnnspec_package.sweep(spec, over={"train.batch": [100, 300]}, seeds=3, out="sweep")
    with pytest.raises(UsageFault, match="no list of values"):
        cnnspec_package.sweep(spec, over={"train.batch": "100"})
    alone = cnnspec_package.compare("sweep/batch-100_seed-0")
    assert [row.name for row in alone.rows] == ["batch-100_seed-0"]
    with pytest.raises(BadRun, match="cnnspec sweep --resume sweep goes on with it"):
        cnnspec_package.compare("sweep")
