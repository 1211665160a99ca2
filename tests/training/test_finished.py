from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnnspec.data.error import DataError
from cnnspec.data.loaders import load as load_data
from cnnspec.network import Network
from cnnspec.training import BadRun, Run, TrainError, evaluate, finished, predict, train
from cnnspec.training.plan import plan_run

Make = Callable[..., Network]


@pytest.fixture
def copy(digits_run: Run, tmp_path: Path) -> Path:
    """A copy of a run that may be damaged."""
    return Path(shutil.copytree(digits_run.folder, tmp_path / "copy"))


def test_evaluation_equals_the_record(digits_run: Run, circles_run: Run) -> None:
    for run in (digits_run, circles_run):
        found = evaluate(run.folder, device="cpu")
        assert found.measured == run.test
        assert found.recorded is not None
        assert (found.recorded.loss, found.recorded.accuracy) == (found.measured.loss, found.measured.accuracy)
        assert run.best is not None
        assert found.epoch == run.best.epoch


def test_a_run_can_be_moved(copy: Path, digits_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy.parent)
    assert evaluate("copy", device="cpu").measured == digits_run.test


def test_the_last_weights(digits_run: Run) -> None:
    found = evaluate(digits_run.folder, weights="last", device="cpu")
    assert found.epoch == 3
    assert found.recorded is None


def test_other_data(digits_run: Run, tmp_path: Path) -> None:
    """Digits as an archive: the same samples, so the same answers, and no record to compare with."""
    run = digits_run
    plan_data = load_data
    from cnnspec.data.facts import Digits
    from cnnspec.layers.base import Shape

    data = plan_data(Digits(), Shape((1, 8, 8)), root=tmp_path)
    np.savez(
        tmp_path / "digits.npz",
        x_train=data.train.x.numpy(),
        y_train=data.train.y.numpy(),
        x_test=data.test.x.numpy(),
        y_test=data.test.y.numpy(),
    )
    found = evaluate(run.folder, data=f'npz("{(tmp_path / "digits.npz").as_posix()}")', device="cpu")
    assert found.measured == run.test
    assert found.recorded is None


def test_other_classes_are_refused(circles_run: Run, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="not those that the run was trained on"):
        evaluate(circles_run.folder, data="random(2, 2)", device="cpu")


def picture(folder: Path, name: str, pixels: np.ndarray, size: tuple[int, int] | None = None, mode: str = "L") -> Path:
    image = Image.fromarray(pixels, "L").convert(mode)
    path = folder / name
    (image.resize(size, Image.Resampling.NEAREST) if size else image).save(path)
    return path


def test_images_of_any_size_and_mode_are_named(digits_run: Run, tmp_path: Path, network: Make) -> None:
    test = plan_run(network(), "cpu", None).data.test
    pixels = test.x[:40, 0].numpy()
    plain = [picture(tmp_path, f"{i}.png", p) for i, p in enumerate(pixels)]
    found = predict(digits_run.folder, plain, device="cpu")
    right = sum(p.classes[0][0] == str(int(y)) for p, y in zip(found, test.y, strict=False))
    assert digits_run.test is not None
    assert right / 40 > digits_run.test.accuracy - 0.15
    assert all(sum(share for _, share in p.classes) == pytest.approx(1, abs=1e-5) for p in found)
    assert all(p.classes[0][1] >= p.classes[1][1] for p in found)
    large = [picture(tmp_path, f"large{i}.png", p, (64, 64), "RGBA") for i, p in enumerate(pixels)]
    again = predict(digits_run.folder, large, device="cpu")
    assert sum(a.classes[0][0] == b.classes[0][0] for a, b in zip(found, again, strict=True)) >= 38


@pytest.mark.parametrize(
    ("data", "input"),
    [("digits(pad=1)", "1x10x10"), ("digits(resize=true)", "3x12x12"), ("digits(pad=2, resize=true)", "1x9x20")],
)
def test_what_is_predicted_is_prepared_as_what_was_trained_on(
    tmp_path: Path, network: Make, data: str, input: str
) -> None:
    made = network(f"model M {{\n  input {input}\n  flatten, linear(10)\n}}", data=data, epochs=1)
    run = train(made, out=tmp_path / "run", device="cpu")
    stored = plan_run(network(epochs=1), "cpu", None).data.test.x[:5]
    files = [str(picture(tmp_path, f"{i}.png", x[0].numpy())) for i, x in enumerate(stored)]
    x = finished._images(finished.open_run(run.folder, device="cpu"), files)
    assert torch.equal(x, plan_run(made, "cpu", None).data.test.x[:5])


def test_no_pictures_for_a_network_of_measurements(tmp_path: Path, network: Make) -> None:
    generator = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", x=generator.normal(0, 4, (60, 4, 4)), y=np.arange(60) % 2)
    data = f'npz("{(tmp_path / "d.npz").as_posix()}")'
    run = train(network("model M { input 1x4x4\n flatten, linear(2) }", data=data, epochs=1), out=tmp_path / "run")
    with pytest.raises(TrainError, match="trained on numbers that are no pixels"):
        predict(run.folder, [picture(tmp_path, "a.png", np.zeros((4, 4), np.uint8))])


def test_points_are_named(circles_run: Run) -> None:
    names = {p.sample: dict(p.classes) for p in predict(circles_run.folder, ["0,0", "0.95,-0.95"], device="cpu")}
    assert set(names["0,0"]) == {"outside", "inside"}
    assert names["0,0"]["inside"] > names["0.95,-0.95"]["inside"]


@pytest.mark.parametrize("sample", ["0.5", "1,2,3", "cat.png"])
def test_wrong_vectors_are_explained(circles_run: Run, sample: str) -> None:
    with pytest.raises(TrainError, match="takes 2 numbers per sample"):
        predict(circles_run.folder, [sample], device="cpu")


@pytest.mark.parametrize("sample", ["-0.5,nan", "inf,0", "1e999,0"])
def test_vectors_of_finite_numbers_alone(circles_run: Run, sample: str) -> None:
    with pytest.raises(TrainError, match="finite numbers"):
        predict(circles_run.folder, [sample], device="cpu")


def test_what_is_no_image_is_named(digits_run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a picture")
    with pytest.raises(DataError, match=r"notes\.txt"):
        predict(digits_run.folder, [tmp_path / "notes.txt"], device="cpu")
    with pytest.raises(TrainError, match=r"there is no file .*missing\.png"):
        predict(digits_run.folder, [tmp_path / "missing.png"], device="cpu")


def test_folders_that_are_no_run(tmp_path: Path) -> None:
    with pytest.raises(BadRun, match="there is no folder"):
        evaluate(tmp_path / "nowhere", device="cpu")
    with pytest.raises(BadRun, match="not the folder of a run"):
        evaluate(tmp_path, device="cpu")


def test_missing_files_are_named(copy: Path) -> None:
    (copy / "best.safetensors").unlink()
    with pytest.raises(BadRun, match=r"best\.safetensors is missing"):
        evaluate(copy, device="cpu")
    evaluate(copy, weights="last", device="cpu")
    (copy / "spec.cnn").unlink()
    with pytest.raises(BadRun, match=r"spec\.cnn is missing"):
        evaluate(copy, weights="last", device="cpu")


@pytest.mark.parametrize("content", [b"", b"nonsense" * 100, b"\x80\x04}q\x00.", b"\xff" * 8])
def test_weights_that_are_none(copy: Path, content: bytes) -> None:
    (copy / "best.safetensors").write_bytes(content)
    with pytest.raises(BadRun, match="damaged"):
        evaluate(copy, device="cpu")


def test_weights_cut_short(copy: Path) -> None:
    whole = (copy / "best.safetensors").read_bytes()
    (copy / "best.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadRun, match="damaged"):
        evaluate(copy, device="cpu")


def test_weights_of_another_network(copy: Path, circles_run: Run) -> None:
    shutil.copy(circles_run.folder / "best.safetensors", copy / "best.safetensors")
    with pytest.raises(BadRun, match="not those of Tiny"):
        evaluate(copy, device="cpu")


@pytest.mark.parametrize("content", ["", "{}", "[1]", "{", '{"format": 1, "surprise": 2}'])
def test_a_damaged_configuration(copy: Path, content: str) -> None:
    (copy / "config.json").write_text(content)
    with pytest.raises(BadRun, match=r"config\.json is damaged"):
        evaluate(copy, device="cpu")


def test_a_configuration_with_something_else_in_it(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    for name, value in (("parameters", "many"), ("classes", 3), ("samples", {})):
        (copy / "config.json").write_text(json.dumps(config | {name: value}))
        with pytest.raises(BadRun, match=r"config\.json is damaged") as caught:
            evaluate(copy, device="cpu")
        assert name in caught.value.notes[0]


@pytest.mark.parametrize(
    ("name", "value"), [("mean", []), ("mean", [0.1, 0.2]), ("std", [0.1] * 3), ("std", [0.0]), ("std", [-1.0])]
)
def test_a_scale_that_does_not_fit(copy: Path, name: str, value: list[float]) -> None:
    config = json.loads((copy / "config.json").read_text())
    config["samples"][name] = value
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(BadRun, match=r"config\.json is damaged") as caught:
        evaluate(copy, device="cpu")
    assert f"samples.{name}" in caught.value.notes[0]


def test_an_open_size_among_the_arguments(tmp_path: Path, network: Make) -> None:
    text = "model M(size=2x?) { input 1x8x8\n adaptive_avgpool(size), flatten, linear(10) }"
    run = train(network(text, epochs=1), out=tmp_path / "run", device="cpu")
    assert run.config.arguments == {"size": "2x?"}
    assert evaluate(run.folder, device="cpu").measured == run.test
