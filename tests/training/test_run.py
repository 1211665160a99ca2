from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from cnnspec.data.error import DataError
from cnnspec.network import Network
from cnnspec.training import FolderTaken, Run, TrainError, record, train
from cnnspec.training import run as run_module
from cnnspec.training.config import Config, Result, spelled
from cnnspec.training.device import NoDevice
from cnnspec.training.history import Epoch, best_epoch
from cnnspec.training.loop import fit
from cnnspec.training.memory import enough_memory
from cnnspec.training.plan import plan_run
from cnnspec.training.state import State

Make = Callable[..., Network]

FILES = {
    "spec.cnn",
    "config.json",
    "versions.json",
    "metrics.jsonl",
    "metrics.csv",
    "best.safetensors",
    "last.safetensors",
    "result.json",
    "confusion.csv",
    "curves.png",
    "confusion.png",
    "filters.png",
}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_folder_is_complete(digits_run: Run) -> None:
    assert names(digits_run.folder) == FILES
    assert digits_run.status == "finished"
    assert digits_run.test is not None
    assert digits_run.test.accuracy > 0.8


def test_the_files_agree_with_the_run(digits_run: Run) -> None:
    folder = digits_run.folder
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [Epoch(**line) for line in lines] == list(digits_run.history)
    with (folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["train_loss"]) for row in rows] == [epoch.train_loss for epoch in digits_run.history]
    assert rows[0]["test_accuracy"] == ""
    config = Config.model_validate_json((folder / "config.json").read_text())
    assert config == digits_run.config
    assert config.samples.train + config.samples.validation + config.samples.test == 1797
    result = Result.model_validate_json((folder / "result.json").read_text())
    assert result.status == "finished"
    assert result.test is not None
    assert digits_run.best is not None
    assert (result.best_epoch, result.test.epoch) == (digits_run.best.epoch, digits_run.best.epoch)
    assert result.reading.verdict == digits_run.reading.verdict
    versions = json.loads((folder / "versions.json").read_text())
    assert versions["torch"] == torch.__version__
    assert versions["device"] == "cpu"
    assert (folder / "spec.cnn").read_text().startswith("\nmodel Tiny")


def test_the_confusion_counts_every_sample_of_the_test_set(digits_run: Run) -> None:
    with (digits_run.folder / "confusion.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["true class", *"0123456789"]
    assert sum(int(cell) for row in rows for cell in row[1:]) == digits_run.config.samples.test
    assert digits_run.test is not None
    right = sum(int(row[1 + label]) for label, row in enumerate(rows))
    assert right / digits_run.config.samples.test == pytest.approx(digits_run.test.accuracy)


def test_the_weights_say_what_they_are(digits_run: Run) -> None:
    assert digits_run.best is not None
    for name, epoch in (("best", digits_run.best.epoch), ("last", 3)):
        with safe_open(digits_run.folder / f"{name}.safetensors", "pt") as file:
            about = file.metadata()
            assert set(file.keys()) == {"0.weight", "0.bias", "4.weight", "4.bias"}
        assert json.loads(about["classes"]) == list("0123456789")
        assert (about["model"], about["input"], about["epoch"]) == ("Tiny", "1x8x8", str(epoch))


@pytest.mark.parametrize("picture", ["curves", "confusion", "filters"])
def test_pictures_show_something(digits_run: Run, circles_run: Run, picture: str) -> None:
    for run in (digits_run, circles_run):
        with Image.open(run.folder / f"{picture}.png") as image:
            assert min(image.size) > 200
            assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 20


def test_validation_chooses_the_best_epoch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, network: Make) -> None:
    """The second epoch is made to look best; its weights are the ones that are kept and tested."""
    states: list[dict[str, torch.Tensor]] = []

    def flattered(state: State, *args: Any, **kwargs: Any) -> Iterator[Epoch]:
        for epoch in fit(state, *args, **kwargs):
            states.append({name: tensor.clone() for name, tensor in state.model.state_dict().items()})
            yield Epoch(**vars(epoch) | {"validation_accuracy": [0.5, 0.9, 0.6][epoch.epoch - 1]})

    monkeypatch.setattr(run_module, "fit", flattered)
    run = train(network(), out=tmp_path / "run", device="cpu")
    assert run.best is not None
    assert run.best.epoch == 2
    best, epoch = record.read_weights(run.folder, "best")
    assert epoch == 2
    assert all(torch.equal(best[name], states[1][name]) for name in best)
    last, epoch = record.read_weights(run.folder, "last")
    assert epoch == 3
    assert all(torch.equal(last[name], states[2][name]) for name in last)


def test_without_validation_the_last_epoch_is_the_best(tmp_path: Path, network: Make) -> None:
    run = train(network(validation=0, epochs=2), out=tmp_path / "run", device="cpu", test_every_epoch=True)
    assert run.best == run.history[-1] == best_epoch(run.history)
    assert run.history[0].validation_loss is None
    assert run.test is not None
    assert run.history[-1].test_accuracy == run.test.accuracy
    late = [epoch.test_accuracy or 0 for epoch in run.history]
    assert run.late_test_accuracy == pytest.approx(sum(late) / 2)


def test_nothing_is_overwritten(digits_run: Run, tmp_path: Path, network: Make) -> None:
    before = {path: path.read_bytes() for path in digits_run.folder.iterdir()}
    with pytest.raises(FolderTaken, match="exists already"):
        train(network(), out=digits_run.folder)
    assert before == {path: path.read_bytes() for path in digits_run.folder.iterdir()}
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FolderTaken):
        train(network(), out=tmp_path / "file")


def test_every_run_gets_a_fresh_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [str(record.new_folder(None, "TinyCNN").as_posix()) for _ in range(2)] == [
        "runs/tinycnn-1",
        "runs/tinycnn-2",
    ]
    (tmp_path / "empty").mkdir()
    assert record.new_folder(tmp_path / "empty", "x") == tmp_path / "empty"


def test_what_cannot_start_leaves_no_trace(tmp_path: Path, network: Make) -> None:
    out = tmp_path / "run"
    with pytest.raises(NoDevice):
        train(network(), out=out, device="abacus")
    with pytest.raises(DataError):
        train(network("model M { input 3x8x8\n flatten, linear(2) }", data='folder("nowhere")'), out=out)
    with pytest.raises(TrainError, match="no parameters"):
        train(network("model M { input 2\n identity }\ntrain { data: circles }"), out=out)
    with pytest.raises(TrainError, match="dropout behind sigmoid"):
        train(network("model M { input 2\n linear(1), sigmoid, dropout }\ntrain { data: circles }"), out=out)
    assert not out.exists()


def test_classes_that_are_known_only_from_the_data(tmp_path: Path, network: Make) -> None:
    rows = ["label,a,b"] + [f"{i % 3},{i},{i * 7 % 11}" for i in range(60)]
    (tmp_path / "points.csv").write_text("\n".join(rows) + "\n")
    data = f'csv("{(tmp_path / "points.csv").as_posix()}")'
    wrong = network("model M { input 2\n linear(5) }", data=data)
    with pytest.raises(TrainError, match="the data has 3 classes, but M ends in 5 outputs"):
        plan_run(wrong, "cpu", None)


def test_a_diverged_run_keeps_what_was_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, network: Make) -> None:
    run = train(network(optimizer="sgd(lr=1e30)"), out=tmp_path / "first", device="cpu")
    assert (run.status, run.history, run.best, run.test) == ("diverged", (), None, None)
    assert run.reading.verdict == "diverged"
    assert names(run.folder) == {"spec.cnn", "config.json", "versions.json", "result.json"}

    later = network(optimizer="sgd(lr=0.1)", schedule="step(1, gamma=1e35)", epochs=4)
    run = train(later, out=tmp_path / "later", device="cpu")
    assert (run.status, len(run.history)) == ("diverged", 1)
    assert "epoch 2" in run.fault
    assert names(run.folder) == FILES - {"confusion.csv", "confusion.png", "filters.png"} | {"checkpoint-b.safetensors"}


def test_ctrl_c_keeps_what_was_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, network: Make) -> None:
    def interrupted(*args: Any, **kwargs: Any) -> Iterator[Epoch]:
        epochs = fit(*args, **kwargs)
        yield next(epochs)
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "fit", interrupted)
    run = train(network(), out=tmp_path / "run", device="cpu")
    assert (run.status, run.fault, len(run.history)) == (
        "interrupted",
        "stopped at once; what came of 1 epoch is saved",
        1,
    )
    assert record.read_weights(run.folder, "best")[1] == 1
    result = record.read_result(run.folder)
    assert result is not None
    assert (result.status, result.test) == ("interrupted", None)


def test_too_little_memory_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, network: Make) -> None:
    def greedy(*args: Any, **kwargs: Any) -> Iterator[Epoch]:
        raise torch.OutOfMemoryError("CUDA out of memory")
        yield

    monkeypatch.setattr(run_module, "fit", greedy)
    with pytest.raises(TrainError, match="memory of cpu is too small for steps of 64 samples") as caught:
        train(network(), out=tmp_path / "run", device="cpu")
    assert "--batch 32" in caught.value.notes[0]
    result = record.read_result(tmp_path / "run")
    assert result is not None
    assert (result.status, result.fault) == ("failed", caught.value.message)
    with pytest.raises(TrainError) as caught:
        train(network(batch=1), out=tmp_path / "single", device="cpu")
    assert not any("--batch" in note for note in caught.value.notes)


def test_a_network_that_does_not_fit_leaves_no_trace(tmp_path: Path, network: Make) -> None:
    """More weights than any address space has room for; no batch is small enough."""
    text = "model Huge { input 1x8x8\n upsample(1000), flatten, linear(50000000), linear(10) }"
    with pytest.raises(TrainError, match="memory of cpu is too small for Huge") as caught:
        train(network(text), out=tmp_path / "run", device="cpu")
    assert not any("--batch" in note for note in caught.value.notes)
    assert not (tmp_path / "run").exists()


def test_other_faults_of_torch_are_not_taken_for_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot"), enough_memory(torch.device("cpu"), "all"):
        torch.ones(2, 3) @ torch.ones(2, 3)


def test_one_value_per_channel_is_explained(tmp_path: Path, network: Make) -> None:
    text = "model B { input 2\n linear(4), batchnorm, linear(1) }\ntrain { data: circles\n batch: 1 }"
    with pytest.raises(TrainError, match="single value") as caught:
        train(network(text), out=tmp_path / "run", device="cpu")
    assert "the batch is 1" in caught.value.notes[0]
    result = record.read_result(tmp_path / "run")
    assert result is not None
    assert (result.status, result.epochs) == ("failed", 0)


def test_the_news_while_it_runs(tmp_path: Path, network: Make) -> None:
    said: list[str] = []
    train(network(epochs=2, batch=5000), out=tmp_path / "run", device="cpu", say=said.append)
    text = "\n".join(said)
    assert "Tiny, 1,370 parameters, input 1x8x8" in text
    assert "1,294 samples to train, 144 to validate, 359 to test" in text
    assert "a step of 5,000 is more than there is" in text
    assert [line for line in said if line.startswith("epoch ")] == said[-2:]


def test_values_are_spelled_as_in_a_spec(network: Make) -> None:
    settings = {
        "optimizer": "sgd(lr=0.05, momentum=0.9, weight_decay=1e-05, nesterov=true)",
        "augment": "[crop(padding=2, mode=reflect), flip(p=0.25, alternate=false)]",
        "schedule": "onecycle(warmup=0.2)",
        "batch": "7",
    }
    net = network(**settings)
    assert net.recipe is not None
    assert {name: spelled(getattr(net.recipe, name)) for name in settings} == settings


def test_paths_in_the_configuration_are_whole(tmp_path: Path, network: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ["label,a,b"] + [f"{i % 2},{i},{i * 7 % 11}" for i in range(60)]
    (tmp_path / "points.csv").write_text("\n".join(rows) + "\n")
    monkeypatch.chdir(tmp_path)
    config = plan_run(network("model M { input 2\n linear(2) }", data='csv("points.csv")'), "cpu", None).config
    assert f'path="{(tmp_path / "points.csv").resolve().as_posix()}"' in config.train["data"]
    assert "test=none" in config.train["data"]


def test_a_rare_class_is_trained_on(tmp_path: Path, network: Make) -> None:
    """One sample of the second class: it can only be learnt, neither validated nor tested."""
    rows = ["label,a,b"] + [f"{int(i == 59)},{i},{i * 7 % 11}" for i in range(60)]
    (tmp_path / "rare.csv").write_text("\n".join(rows) + "\n")
    data = f'csv("{(tmp_path / "rare.csv").as_posix()}")'
    run = train(network("model M { input 2\n linear(2) }", data=data, epochs=2), out=tmp_path / "run", device="cpu")
    assert run.status == "finished"
    assert plan_run(network("model M { input 2\n linear(2) }", data=data), "cpu", None).data.train.y.sum() == 1
