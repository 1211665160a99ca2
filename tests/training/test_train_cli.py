from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from cnnspec.cli import main
from cnnspec.cli.running import dataset
from cnnspec.training import Run
from cnnspec.training import run as run_module
from cnnspec.training.history import Epoch
from cnnspec.training.loop import fit

SPEC = """
model Tiny(classes=10, width=4) {
  input 1x8x8
  conv(width, 3, padding=1), relu, maxpool(2)
  flatten, linear(classes)
}
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A spec without `train { }` in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.cnn").write_text(SPEC)
    return "tiny.cnn"


def cnnspec(*arguments: str) -> Result:
    """Run a command; an exception that escapes is an error of the test."""
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_the_whole_way(spec: str) -> None:
    done = cnnspec("train", spec, "--epochs", "2", "--batch", "32", "--optimizer", "sgd(lr=0.1)", "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert "optimizer sgd(lr=0.1, momentum=0.0, weight_decay=0.0, nesterov=false)" in done.output
    assert "epoch 2/2   training loss" in done.output
    assert "test set, measured once" in done.output
    assert "reading of the curves: " in done.output
    assert "rule " in done.output

    measured = cnnspec("eval", "runs/tiny-1", "--device", "cpu")
    assert measured.exit_code == 0
    assert "the run recorded the same" in measured.output
    found = json.loads(cnnspec("eval", "runs/tiny-1", "--format", "json", "--device", "cpu").stdout)
    assert found["accuracy"] == found["recorded_accuracy"]
    assert [entry["name"] for entry in found["classes"]] == list("0123456789")

    again = cnnspec("train", spec, "--epochs", "1", "--device", "cpu")
    assert again.exit_code == 0
    assert Path("runs/tiny-2/result.json").exists()


def test_every_setting_can_be_given(spec: str) -> None:
    done = cnnspec(
        *("train", spec, "--data", "random(1x8x8, 3, samples=60)", "--augment", "[flip, shift(0.2)]"),
        *("--optimizer", "adam", "--schedule", "cosine", "--batch", "16", "--epochs", "1", "--validation", "0.2"),
        *("--seed", "7", "--set", "classes=3", "--set", "width=2", "--out", "here", "--device", "cpu"),
        *("--clip", "1", "--label-smoothing", "0.1", "--patience", "none"),
        *("--groups", "group(kind=vectors, weight_decay=0)", "--accumulate", "2", "--mix", "cutmix(p=0.5)"),
        *("--init", "[orthogonal, constant(kind=biases)]", "--views", "[mirror, moves]"),
        "--test-every-epoch",
    )
    assert done.exit_code == 0, done.output
    config = json.loads(Path("here/config.json").read_text())
    assert config["arguments"] == {"classes": "3", "width": "2"}
    assert config["train"] == {
        "data": "random(shape=[1, 8, 8], classes=3, samples=60)",
        "augment": "[flip(p=0.5, alternate=false), shift(fraction=0.2)]",
        "mix": "[cutmix(alpha=1.0, p=0.5)]",
        "optimizer": "adam(lr=0.001, weight_decay=0.0)",
        "groups": "[group(names=[], kind=vectors, lr=none, weight_decay=0.0)]",
        "schedule": "cosine(warmup=0.0, end=0.0)",
        "batch": "16",
        "accumulate": "2",
        "epochs": "1",
        "validation": "0.2",
        "seed": "7",
        "precision": "auto",
        "clip": "1.0",
        "label_smoothing": "0.1",
        "ema": "0.0",
        "patience": "none",
        "views": "[mirror, moves(pixels=1)]",
        "init": "[orthogonal(names=[], gain=1.0), constant(names=[], kind=biases, value=0.0)]",
        "weights": "none",
        "freeze": "[]",
        "unfreeze_after": "none",
    }
    assert "recorded after every epoch" in done.output
    assert "mean over 6 views of each sample" in done.output
    measured = cnnspec("eval", "here", "--device", "cpu")
    assert measured.exit_code == 0
    assert "mean over 6 views of each sample" in measured.output
    assert "the run recorded the same" in measured.output


def test_a_setting_by_its_long_name(spec: str) -> None:
    done = cnnspec("train", spec, "--set", "train.epochs=1", "--set", "train.optimizer=sgd(lr=0.2)", "--out", "a")
    assert done.exit_code == 0, done.output
    assert json.loads(Path("a/config.json").read_text())["train"]["optimizer"].startswith("sgd(lr=0.2")


def test_a_wrong_spec_is_told_before_anything_is_loaded(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(spec).write_text(SPEC.replace("maxpool(2)", "maxpol(2)"))
    monkeypatch.setattr("cnnspec.cli.running.require", None)
    done = cnnspec("train", spec)
    assert done.exit_code == 1
    assert "error[E201]" in done.stderr
    assert not Path("runs").exists()


def test_data_that_does_not_fit_is_an_error_of_the_spec(spec: str) -> None:
    done = cnnspec("train", spec, "--data", "mnist")
    assert done.exit_code == 1
    assert "error[E501]" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--device", "abacus"), "not a device"),
        (("--out", "taken"), "exists already"),
        (("--set", "width"), "NAME=VALUE"),
        (("--model", "Other"), "Other"),
    ],
)
def test_wrong_usage(spec: str, arguments: tuple[str, ...], words: str) -> None:
    Path("taken").mkdir()
    Path("taken/mine.txt").write_text("keep")
    done = cnnspec("train", spec, *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert list(Path("taken").iterdir()) == [Path("taken/mine.txt")]


@pytest.mark.parametrize(
    "arguments", [("--batch", "0"), ("--epochs", "many"), ("--optimizer", "sdg"), ("--data", "mnits")]
)
def test_wrong_settings(spec: str, arguments: tuple[str, ...]) -> None:
    done = cnnspec("train", spec, *arguments)
    assert done.exit_code in (1, 2)
    assert "error" in done.stderr.lower()
    assert not Path("runs").exists()


def test_data_that_cannot_be_had(spec: str) -> None:
    done = cnnspec("train", spec, "--data", 'folder("nowhere")')
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert "nowhere" in done.stderr


@pytest.mark.parametrize("call", ['csv("gone")', 'npz("gone")', 'folder("gone")'])
def test_where_a_relative_path_starts(spec: str, call: str) -> None:
    Path("specs").mkdir()
    Path("specs/own.cnn").write_text(f"{SPEC}\ntrain {{ data: {call} }}\n")
    within = cnnspec("train", "specs/own.cnn")
    assert f"{Path('specs/gone').absolute()}\n  = a relative path starts at the folder of the spec\n" in within.stderr
    outside = cnnspec("train", "specs/own.cnn", "--data", call)
    assert f"{Path('gone').absolute()}\n  = a relative path starts at the working directory\n" in outside.stderr
    (Path("specs") / "own.cnn").write_text(SPEC)
    assert cnnspec("train", "specs/own.cnn", "--set", f"train.data={call}").stderr == outside.stderr


def test_a_missing_torch_says_what_to_run(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnspec.cli.running.PACKAGES", ("torch_that_is_missing",))
    for arguments in (("train", spec), ("eval", "runs/x"), ("predict", "runs/x", "a.png")):
        done = cnnspec(*arguments)
        assert done.exit_code == 1
        assert 'pip install "cnnspec[torch]"' in done.stderr


def test_a_diverged_run(spec: str) -> None:
    done = cnnspec("train", spec, "--optimizer", "sgd(lr=1e30)", "--device", "cpu")
    assert done.exit_code == 1
    assert "reading of the curves: DIVERGED" in done.output
    assert "error: the loss is no longer a finite number" in done.stderr
    assert json.loads(Path("runs/tiny-1/result.json").read_text())["status"] == "diverged"
    missing = cnnspec("eval", "runs/tiny-1")
    assert missing.exit_code == 2
    assert "best.safetensors is missing" in missing.stderr


def test_ctrl_c(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: Any, **kwargs: Any) -> Iterator[Epoch]:
        yield next(fit(*args, **kwargs))
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "fit", interrupted)
    done = cnnspec("train", spec, "--device", "cpu")
    assert done.exit_code == 130
    assert "what came of 1 epoch is saved" in done.stderr
    assert cnnspec("eval", "runs/tiny-1", "--device", "cpu").exit_code == 0


def test_ctrl_c_before_the_first_step(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "plan_run", interrupted)
    done = cnnspec("train", spec)
    assert done.exit_code == 130
    assert not Path("runs").exists()


def test_a_folder_that_cannot_be_written(spec: str) -> None:
    done = cnnspec("train", spec, "--epochs", "1", "--out", f"{spec}/inside")
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")


def test_predict(digits_run: Run, circles_run: Run, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (20, 30), "white").save(tmp_path / "white.png")
    done = cnnspec("predict", str(digits_run.folder), str(tmp_path / "white.png"), "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert done.output.count("%") == 3
    points = cnnspec("predict", str(circles_run.folder), "-0.5,0.1", "0,0", "--format", "json", "--device", "cpu")
    found = json.loads(points.stdout)
    assert [entry["sample"] for entry in found] == ["-0.5,0.1", "0,0"]
    assert {c["name"] for c in found[0]["classes"]} == {"inside", "outside"}
    wrong = cnnspec("predict", str(digits_run.folder), str(tmp_path / "none.png"))
    assert wrong.exit_code == 1
    assert "none.png" in wrong.stderr


def test_predict_takes_images_alone(digits_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("milk, bread")
    Path("empty.png").touch()
    Path("folder").mkdir()
    Image.effect_noise((64, 64), 90).save("cut.png")
    Path("cut.png").write_bytes(Path("cut.png").read_bytes()[:-500])
    takes = "\n  = predict takes the files of images, in PNG or JPEG for instance\n"
    unknown = "it does not begin as an image of any known format does"
    for name, message in (
        ("notes.txt", f"notes.txt cannot be read as an image: {unknown}"),
        ("empty.png", "empty.png cannot be read as an image: it is empty"),
        ("cut.png", "cut.png cannot be read as an image: image file is truncated"),
        ("folder", "folder is a folder"),
        ("none.png", "there is no file none.png"),
    ):
        done = cnnspec("predict", str(digits_run.folder), name, "--device", "cpu")
        assert done.exit_code == 1
        assert done.stderr.startswith(f"error: {message}")
        assert done.stderr.endswith(takes)
        assert done.stderr.count("\n") == 2
    assert Path("notes.txt").read_text() == "milk, bread"


@pytest.mark.parametrize("command", [("eval",), ("predict", "x.png")])
def test_no_run(command: tuple[str, ...], tmp_path: Path) -> None:
    done = cnnspec(command[0], str(tmp_path), *command[1:])
    assert done.exit_code == 2
    assert "not the folder of a run" in done.stderr


def test_paths_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("pets", "mnist"):
        Path(name).mkdir()
    for name in ("a.csv", "a.CSV.gz", "b.npz", "c.txt"):
        Path(name).touch()
    assert dataset("pets") == 'folder("pets")'
    assert dataset("a.csv") == 'csv("a.csv")'
    assert dataset("b.npz") == 'npz("b.npz")'
    assert dataset("a.CSV.gz") == 'csv("a.CSV.gz")'
    for text in ("mnist", "mnits", "circles(200)", 'folder("no/such")', 'csv("none.csv")'):
        assert dataset(text) == text


@pytest.mark.parametrize("path", ["none.csv", "none.csv.gz", "none.npz", "no/such", "./none"])
def test_paths_of_nothing(spec: str, path: str) -> None:
    done = cnnspec("train", spec, "--data", path)
    assert done.exit_code == 2
    assert f"there is no file or folder {path}" in done.stderr


def test_a_file_that_is_no_data(spec: str) -> None:
    done = cnnspec("train", spec, "--data", spec)
    assert done.exit_code == 2
    assert "is no data set: it does not end in .csv, .csv.gz, .npz" in done.stderr


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_on_a_gpu(spec: str) -> None:
    done = cnnspec("train", spec, "--epochs", "1", "--device", "cuda")
    assert done.exit_code == 0, done.output
    assert "device    cuda" in done.output


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_what_nobody_reads_ends_nothing() -> None:
    """As in `cnnspec train ... | tee log`, of which Ctrl-C ends `tee` as well."""
    code = "from cnnspec.cli.running import tell\nfor _ in range(3): tell('news')\nraise SystemExit(7)"
    read, written = os.pipe()
    os.close(read)
    found = subprocess.run([sys.executable, "-c", code], stdout=written, stderr=subprocess.PIPE, text=True, check=False)
    os.close(written)
    assert (found.returncode, found.stderr) == (7, "standard output: Broken pipe; going on without it\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "train.epoch=3"), "there is no training setting epoch; did you mean train.epochs?"),
        (("--set", "train.lr=0.1"), "no training setting lr; the learning rate belongs to the optimizer: adam(lr"),
        (("--set", "train.optimizer.lr=0.1"), "setting optimizer.lr; lr stands inside of train.optimizer, as lr in"),
        (("--set", "train.zebra=1"), "there is no training setting zebra; there are data, augment, mix"),
        (
            ("--set", "epoch=3"),
            "no model here has a parameter epoch; there are classes, width; did you mean train.epochs?",
        ),
        (("--set", "widht=3"), "a parameter widht; there are classes, width; did you mean width?"),
        (("--set", "lr=3"), "a parameter lr; there are classes, width; the learning rate belongs to the optimizer"),
        (("--lr", "0.1"), "there is no option --lr; the learning rate belongs to the optimizer: adam(lr=0.001)"),
        (("--weight-decay", "0"), "there is no option --weight-decay; weight decay belongs to the optimizer"),
        (("--optimizer", "adam lr=0.1"), "is not a value for train.optimizer: did you mean 'adam(lr=0.1)'?"),
        (("--optimizer", "adam, lr=0.1"), "did you mean 'adam(lr=0.1)'?"),
        (("--optimizer", "sgd 0.1"), "did you mean 'sgd(0.1)'?"),
        (("--optimizer", "sgd(0.1, 0.9"), "did you mean 'sgd(0.1, 0.9)'?"),
        (("--mix", "mixup=0.2"), "did you mean 'mixup(0.2)'?"),
        (("--augment", "flip, crop"), "did you mean '[flip, crop]'?"),
        (("--augment", "[flip crop]"), "did you mean '[flip, crop]'?"),
        (("--input", "1 8 8"), "did you mean '[1, 8, 8]'?"),
        (("--validation", "10%"), "did you mean '0.1'?"),
        (
            ("--schedule", "multistep([1, 2)"),
            "'multistep([1, 2)' is not a value for train.schedule: \"[\" is closed by",
        ),
        (("--schedule", ""), "--schedule is given without a value"),
        (("--batch", "[32, 64]"), "--batch takes one value; cnnspec sweep FILE --over 'train.batch=[32, 64]' tries"),
        (("--data", "mnist.cnn"), "there is no file or folder mnist.cnn"),
    ],
)
def test_wrong_settings_from_outside(spec: str, arguments: tuple[str, ...], message: str) -> None:
    done = cnnspec("train", spec, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "help"),
    [
        (("--optimizer", "adamw(lr=1e-3, wd=0.1)"), "did you mean weight_decay?"),
        (("--groups", "[group(kind=norms, rate=1)]"), "did you mean lr?"),
        (("--seed", "1.0"), "train cannot take 1.0 for seed"),
    ],
)
def test_wrong_values_from_outside(spec: str, arguments: tuple[str, ...], help: str) -> None:
    done = cnnspec("train", spec, *arguments)
    assert done.exit_code == 1
    assert help in done.stderr


def test_settings_of_little_effect_are_told(spec: str) -> None:
    groups, init = "group(kind=norms, lr=0.1)", "normal(kind=norms)"
    odd = ("--validation", "0", "--patience", "2", "--ema", "0.999", "--groups", groups, "--init", init)
    told = (
        "patience  without effect: it counts epochs on the validation part, and nothing is held back",
        "ema       the weights of the first step make up 99% of the mean after 8 steps",
        f"groups    {groups} holds nothing here",
        f"init      {init} holds nothing here",
        "a step of 20,000 is more than there is",
    )
    brief = ("--epochs", "1", "--batch", "200")
    lines = cnnspec("train", spec, *brief, *odd).output
    assert [line in lines for line in told] == [True] * 4 + [False]
    lines = cnnspec("train", spec, *brief, "--schedule", "step(30)").output
    assert "schedule  step first lowers the learning rate after 30 epochs, and the run has 1 epoch\n" in lines
    lines = cnnspec("train", spec, *brief, "--accumulate", "100").output
    assert [line in lines for line in told] == [False] * 4 + [True]
