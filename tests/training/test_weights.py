"""Training that starts from weights: which are taken over, and what is said of those that do not fit."""

from __future__ import annotations

import json
import re
import urllib.error
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from killing import outcome
from safetensors.torch import load_file, save_file
from torch import Tensor

import cnnspec
from cnnspec.cli import main
from cnnspec.data.vision import import_torchvision
from cnnspec.network import Network
from cnnspec.network.origins import names_text, origin_text
from cnnspec.training import BadRun, Run, TrainError, published, resume, train
from cnnspec.training import run as run_module
from cnnspec.training.augment import normalise
from cnnspec.training.plan import plan_run
from cnnspec.training.published import by_name, entries
from cnnspec.training.start import with_start

Make = Callable[..., Network]

FIVE = """
model Five(classes=5) {
  input 1x8x8
  conv(8, 3, padding=1), relu, maxpool(2)
  flatten
  linear(classes)
}
train {
  data: random(1x8x8, 5, samples=60)
  epochs: 1
}
"""
"""The network of `digits_run` with another head."""


def cnn(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def first_weights(network: Network, folder: Path, monkeypatch: pytest.MonkeyPatch, **how: Any) -> dict[str, Tensor]:
    """The weights of a network before the first step."""
    found: dict[str, Tensor] = {}

    def begin(model: torch.nn.Module, *rest: Any, **named: Any) -> Any:
        found.update({name: tensor.clone() for name, tensor in model.state_dict().items()})
        return real(model, *rest, **named)

    real = run_module.begin
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "begin", begin)
        train(network, out=folder, device="cpu", **how)
    return found


pytestmark = pytest.mark.usefixtures("no_pictures")


def start_of(folder: Path) -> dict[str, Any]:
    start: dict[str, Any] = json.loads((folder / "config.json").read_text())["start"]
    return start


# ---------------------------------------------------------------------------------------------------------- a run


def test_the_head_is_replaced(network: Make, digits_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(FIVE, weights=f'run("{digits_run.folder}")')
    drawn = first_weights(network(FIVE), tmp_path / "drawn", monkeypatch)
    began = first_weights(net, tmp_path / "run", monkeypatch)
    there = load_file(digits_run.folder / "best.safetensors")
    assert all(torch.equal(began[name], there[name]) for name in ("0.weight", "0.bias"))
    assert all(torch.equal(began[name], drawn[name]) for name in ("4.weight", "4.bias"))
    start = start_of(tmp_path / "run")
    path = digits_run.folder / "best.safetensors"
    assert start["file"] == str(path.resolve())
    assert start["sha256"] == sha256(path.read_bytes()).hexdigest()
    assert (start["layers"], start["parameters"]) == (["0"], 80)
    assert start["fresh"] == {"4": "10x128 there, 5x128 here"}
    assert start["unused"] == []


def test_the_last_epoch_of_a_run(network: Make, digits_run: Run, tmp_path: Path) -> None:
    train(network(FIVE, weights=f'run("{digits_run.folder}", which=last)'), out=tmp_path / "run", device="cpu")
    assert start_of(tmp_path / "run")["file"].endswith("last.safetensors")


def test_samples_are_scaled_as_there(network: Make, digits_run: Run, tmp_path: Path) -> None:
    """`eval` and `predict` read the figures from config.json."""
    x = np.random.default_rng(0).integers(0, 60, (60, 1, 8, 8), dtype=np.uint8)
    y = np.arange(60) % 5
    np.savez(tmp_path / "dark.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    data = f'npz("{tmp_path / "dark.npz"}")'
    said: list[str] = []
    net = network(FIVE, data=data, weights=f'run("{digits_run.folder}")')
    run = train(net, out=tmp_path / "run", device="cpu", say=said.append)
    assert run.config.samples.mean == digits_run.config.samples.mean
    assert any("scaled as those it was trained on: mean 0.305, deviation 0.376; the data has 0.11" in s for s in said)
    assert run.test
    assert cnnspec.evaluate(tmp_path / "run").measured.loss == run.test.loss


def test_samples_of_another_kind_keep_their_scale(network: Make, digits_run: Run, tmp_path: Path) -> None:
    x = np.float32(np.random.default_rng(0).normal(size=(60, 1, 8, 8)))
    y = np.arange(60) % 5
    np.savez(tmp_path / "floats.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    net = network(FIVE, weights=f'run("{digits_run.folder}")', data=f'npz("{tmp_path / "floats.npz"}")')
    run = train(net, out=tmp_path / "run", device="cpu")
    assert run.config.samples.mean != digits_run.config.samples.mean
    assert "they are other numbers, and the weights were trained on images" in start_of(tmp_path / "run")["notes"][0]


def test_another_size_of_the_input_is_said(network: Make, digits_run: Run, tmp_path: Path) -> None:
    net = network(FIVE.replace("1x8x8", "1x12x12"), weights=f'run("{digits_run.folder}")', freeze="none")
    train(net, out=tmp_path / "run", device="cpu")
    start = start_of(tmp_path / "run")
    assert start["fresh"] == {"4": "10x128 there, 5x288 here"}
    assert "it was trained on 1x8x8, and the input here is 1x12x12" in start["notes"]


@pytest.mark.parametrize("where", ["nowhere", "folder"])
def test_no_run_there(network: Make, tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadRun, match="there is no folder" if where == "nowhere" else "not the folder of a run"):
        train(network(FIVE, weights=f'run("{tmp_path / where}")'), out=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_paths_start_at_the_folder_of_the_spec(
    digits_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "w.safetensors").write_bytes((digits_run.folder / "best.safetensors").read_bytes())
    text = FIVE.replace("epochs: 1", 'epochs: 1\n  weights: file("../w.safetensors")')
    (tmp_path / "specs" / "five.cnn").write_text(text)
    monkeypatch.chdir(tmp_path)
    cnnspec.train("specs/five.cnn", out="a", device="cpu", set={"train.data": "random(1x8x8, 5, samples=60)"})
    assert start_of(Path("a"))["layers"] == ["0"]
    cnnspec.train("specs/five.cnn", out="b", device="cpu", weights="w.safetensors")
    assert start_of(Path("b")) | {"origin": ""} == start_of(Path("a")) | {"origin": ""}
    kept = json.loads(Path("b/config.json").read_text())["train"]["weights"]
    assert kept == f'file(path="{tmp_path}/w.safetensors", prefix=none)'


# ---------------------------------------------------------------------------------------------------------- files


@pytest.fixture
def tensors(digits_run: Run) -> dict[str, Tensor]:
    return load_file(digits_run.folder / "best.safetensors")


def trained(network: Make, path: Path, **settings: object) -> dict[str, Any]:
    folder = path.parent / "run"
    rmtree(folder, ignore_errors=True)
    train(network(FIVE, **{"weights": f'file("{path}")', **settings}), out=folder, device="cpu")
    return start_of(folder)


def test_a_state_dict_of_torch(network: Make, tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    for about, content in {"alone": tensors, "in a checkpoint": {"epoch": 3, "state_dict": tensors}}.items():
        path = tmp_path / f"{about}.pth"
        torch.save(content, path)
        assert trained(network, path)["layers"] == ["0"]
    torch.save(tensors, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert trained(network, tmp_path / "old.pth")["layers"] == ["0"]
    (tmp_path / "old.pth").write_bytes((tmp_path / "old.pth").read_bytes()[:-99])
    with pytest.raises(TrainError, match=r"old\.pth is damaged, or no file of weights"):
        trained(network, tmp_path / "old.pth")


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("executed"),))


@pytest.mark.parametrize("new", [True, False])
def test_no_file_executes_code(
    network: Make, tmp_path: Path, tensors: dict[str, Tensor], new: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for content in ({**tensors, "0.bias": Trap()}, torch.nn.Linear(2, 2)):
        torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=new)
        with pytest.raises(TrainError, match="holds more than weights, and is not loaded"):
            trained(network, tmp_path / "w.pth")
    assert not Path("executed").exists()


def test_what_is_no_file_of_weights(network: Make, tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    save_file(tensors, tmp_path / "good.safetensors")
    torch.save(tensors, tmp_path / "good.pth")
    safe, pickled = (tmp_path / "good.safetensors").read_bytes(), (tmp_path / "good.pth").read_bytes()
    for content in (b"", b"# a text\n", safe[:-10], pickled[: len(pickled) // 2], b"PK"):
        path = tmp_path / "w.bin"
        path.write_bytes(content)
        with pytest.raises(TrainError, match=r"w\.bin is damaged, or no file of weights"):
            trained(network, path)
    for other in ([1, 2], {"epoch": 3}, {"a": tensors, "b": tensors}):
        torch.save(other, tmp_path / "w.pth")
        with pytest.raises(TrainError, match=r"holds (no weights by name|2 collections)"):
            trained(network, tmp_path / "w.pth")
    with pytest.raises(TrainError, match="there is no file of weights"):
        trained(network, tmp_path / "nowhere.safetensors")
    with pytest.raises(TrainError, match="is a folder, not a file"):
        trained(network, tmp_path)


def test_a_name_that_promises_a_sum(network: Make, tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    save_file(tensors, tmp_path / "w.safetensors")
    content = (tmp_path / "w.safetensors").read_bytes()
    kept = tmp_path / f"w-{sha256(content).hexdigest()[:8]}.safetensors"
    kept.write_bytes(content)
    assert trained(network, kept)["layers"] == ["0"]
    content = content[:-1] + bytes([content[-1] ^ 1])
    kept.write_bytes(content)
    with pytest.raises(TrainError, match="is not the file that its name says") as caught:
        trained(network, kept)
    assert sha256(content).hexdigest()[:8] in caught.value.message


# ---------------------------------------------------------------------------------------------- likely mistakes


def renamed(path: Path, tensors: dict[str, Tensor], change: Callable[[str], str]) -> Path:
    save_file({change(name): tensor for name, tensor in tensors.items()}, path)
    return path


def test_names_behind_a_prefix(network: Make, tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = renamed(tmp_path / "w.safetensors", tensors, "model.module.{}".format)
    with pytest.raises(TrainError, match=r"begin with model\.module\., and those of the network do not") as caught:
        trained(network, path)
    help = f'file("{path}", prefix="model.module.")'
    assert help in caught.value.notes[-1]
    assert trained(network, path, weights=help)["layers"] == ["0"]


def test_names_of_the_network_behind_a_prefix(network: Make, tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = renamed(tmp_path / "w.safetensors", tensors, str)
    grouped = FIVE.replace("  conv", "  body: {\n  conv").replace("linear(classes)", "linear(classes)\n  }")
    net = network(grouped, weights=f'file("{path}")')
    with pytest.raises(TrainError, match=r"the names of the network begin with body\., and those in .* do not"):
        train(net, out=tmp_path / "run", device="cpu")


def test_nothing_fits(network: Make, tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = renamed(tmp_path / "w.safetensors", tensors, "x{}".format)
    with pytest.raises(TrainError, match=r"nothing of .* fits the network") as caught:
        trained(network, path)
    assert caught.value.notes == (
        "there the names are x0.bias, x0.weight, x4.bias, x4.weight",
        "here they are 0.weight, 0.bias, 4.weight, 4.bias",
    )
    path = renamed(tmp_path / "v.safetensors", tensors, str)
    wider = FIVE.replace("conv(8", "conv(16")
    with pytest.raises(TrainError, match=r"nothing of .* fits the network") as caught:
        train(network(wider, weights=f'file("{path}")'), out=tmp_path / "other", device="cpu")
    assert caught.value.notes[0] == "0: 8x1x3x3 there, 16x1x3x3 here"


def test_a_layer_comes_whole_or_not_at_all(network: Make, tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = tmp_path / "w.safetensors"
    save_file(tensors | {"4.weight": torch.zeros(10, 999), "extra": torch.zeros(2)}, path)
    ten = FIVE.replace("classes=5", "classes=10").replace("8x8, 5", "8x8, 10")
    train(network(ten, weights=f'file("{path}")'), out=tmp_path / "run", device="cpu")
    start = start_of(tmp_path / "run")
    assert start["fresh"] == {"4": "10x999 there, 10x128 here"}  # its bias would have fitted
    assert start["unused"] == ["extra"]
    save_file({"4.weight": tensors["4.weight"], "0.weight": tensors["0.weight"], "0.bias": tensors["0.bias"]}, path)
    assert trained(network, path)["fresh"] == {"4": "there is no 4.bias"}
    save_file(tensors | {"4.bias": torch.full((5,), float("nan")), "4.weight": torch.zeros(5, 128)}, path)
    assert trained(network, path)["fresh"] == {"4": "its numbers there are not finite"}


def test_what_is_frozen_must_have_come_over(network: Make, digits_run: Run, tmp_path: Path) -> None:
    net = network(FIVE, weights=f'run("{digits_run.folder}")', freeze='["4"]')
    with pytest.raises(TrainError, match="4 is frozen, and 4 in it would stay random"):
        train(net, out=tmp_path / "run", device="cpu")


# ------------------------------------------------------------------------------------------------ torchvision's


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch.hub."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def publish(weights: str, folder: Path, monkeypatch: pytest.MonkeyPatch, state: dict[str, Tensor]) -> Path:
    """A file where torch.hub keeps those of torchvision, under the name of this one but for the sum in it, which is
    that of the file."""
    torch.save(state, folder / "new.pth")
    sum = sha256((folder / "new.pth").read_bytes()).hexdigest()[:8]
    known = list(entries())
    entry = next(each for each in known if each.name == weights)
    changed = replace(entry, url=entry.url.replace(entry.promise, sum))
    monkeypatch.setattr(published, "entries", lambda: [changed if each is entry else each for each in known])
    return (folder / "new.pth").rename(folder / changed.file)


def theirs(name: str, **options: Any) -> torch.nn.Module:
    """torchvision's network with random weights, and with figures in its norms."""
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model: torch.nn.Module = import_torchvision().models.get_model(name, **options)
    for buffer in model.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    return model


PHOTOS = "random(3x40x40, 5, samples=30)"


@pytest.mark.parametrize(
    ("name", "weights", "head", "options"),
    [
        ("resnet18", "ResNet18_Weights.IMAGENET1K_V1", ["fc"], {}),
        ("densenet121", "DenseNet121_Weights.IMAGENET1K_V1", ["classifier"], {}),
        ("googlenet", "GoogLeNet_Weights.IMAGENET1K_V1", ["fc"], {"init_weights": False}),
    ],
)
def test_pretrained_weights_by_name(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, weights: str, head: list[str], options: Any
) -> None:
    """All but the head comes over, under the names that the file has."""
    model = theirs(name, **options)
    state = model.state_dict()
    if name == "densenet121":  # as it is published
        old = re.compile(r"(denselayer\d+\.(?:norm|conv))([12]\.)")
        state = {old.sub(r"\1.\2", key): value for key, value in state.items()}
        assert "features.denseblock1.denselayer1.norm.1.weight" in state
    publish(weights, hub, monkeypatch, state)
    set = {
        "classes": 5,
        "train.data": PHOTOS,
        "train.epochs": 1,
        "train.batch": 6,
        "train.weights": f'torchvision("{weights}")',
    }
    network = cnnspec.load(f"zoo:{name}", set=set, input="3x40x40", train=True)
    plan, found = with_start(plan_run(network, "cpu", None))
    start = plan.config.start
    assert start
    assert list(start.fresh) == head
    assert all(entry.startswith("aux") for entry in start.unused)
    ours = cnnspec.build(network)
    wanted = {key: value for key, value in model.state_dict().items() if key.rpartition(".")[0] not in head}
    assert ours.load_state_dict(found, strict=False).unexpected_keys == []
    assert all(torch.equal(ours.state_dict()[key], value) for key, value in wanted.items() if not key.startswith("aux"))
    assert start.origin == f"{weights} of torchvision"
    assert any("trained on 3x224x224, and the input here is 3x40x40" in note for note in start.notes)


def photos(path: Path) -> str:
    x = np.random.default_rng(0).integers(0, 256, (12, 3, 40, 40), dtype=np.uint8)
    np.savez(path, x_train=x, y_train=np.arange(12) % 2, x_test=x, y_test=np.arange(12) % 2)
    return f'npz("{path}")'


@pytest.mark.parametrize("name", ["resnet18", "googlenet"])
def test_samples_are_scaled_as_torchvision_does(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What enters the first layer is what enters it there, also where the network scales it once more."""
    weights = {"resnet18": "ResNet18_Weights.IMAGENET1K_V1", "googlenet": "GoogLeNet_Weights.IMAGENET1K_V1"}[name]
    model = theirs(name, **({"init_weights": False, "transform_input": True} if name == "googlenet" else {}))
    publish(weights, hub, monkeypatch, model.state_dict())
    set = {"classes": 2, "train.data": photos(tmp_path / "p.npz"), "train.validation": 0}
    set["train.weights"] = f'torchvision("{weights}")'
    plan, found = with_start(plan_run(cnnspec.load(f"zoo:{name}", set=set, input="3x40x40"), "cpu", None))
    ours = cnnspec.build(plan.network)
    ours.load_state_dict(found, strict=False)
    images = plan.data.test.x
    transforms = getattr(import_torchvision().models, weights.partition(".")[0]).IMAGENET1K_V1.transforms
    scaled = transforms(crop_size=40, resize_size=40)(images)
    layer = "conv1" if name == "resnet18" else "conv1.conv"
    seen: list[Tensor] = []
    for each in (model, ours):
        each.get_submodule(layer).register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.no_grad():
        model.eval()(scaled)
        ours.eval()(normalise(images, plan.data.mean, plan.data.std))
    torch.testing.assert_close(seen[1], seen[0], rtol=1e-4, atol=1e-4)


def test_the_file_of_torchvision_from_elsewhere(hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, as `--weights FILE`: its name tells what it is."""
    model = theirs("squeezenet1_1")
    path = publish("SqueezeNet1_1_Weights.IMAGENET1K_V1", hub, monkeypatch, model.state_dict())
    here = path.rename(tmp_path / path.name)
    monkeypatch.chdir(tmp_path)
    settings = ("--set", "classes=2", "--epochs", "1", "--freeze", "features", "--input", "3x40x40", "--device", "cpu")
    data = ("--data", photos(tmp_path / "p.npz"), "--validation", "0")
    for weights in (here.name, f'torchvision("SqueezeNet1_1_Weights.IMAGENET1K_V1", file="{here.name}")'):
        rmtree("out", ignore_errors=True)
        done = cnn("train", "zoo:squeezenet1_1", *settings, *data, "--weights", weights, "--out", "out")
        assert done.exit_code == 0, done.output
        assert "weights   SqueezeNet1_1_Weights.IMAGENET1K_V1 of torchvision; SHA-256" in done.output
        assert "classifier.1 begins anew: 1000x512x1x1 there, 2x512x1x1 here" in done.output
        assert (
            "scaled as those it was trained on: mean 0.485, 0.456, 0.406, deviation 0.229, 0.224, 0.225" in done.output
        )
        assert "frozen    features, 722,496 parameters, to the end" in done.output


def test_a_damaged_download(hub: Path, tmp_path: Path, network: Make) -> None:
    entry = by_name("ResNet18_Weights.IMAGENET1K_V1")
    torch.save({"fc.bias": torch.zeros(2)}, hub / "resnet18-f37072fd.pth")
    with pytest.raises(TrainError, match=r"its SHA-256 begins with \w{8}, not with f37072fd"):
        train(network(FIVE, weights=f'torchvision("{entry.name}")'), out=tmp_path / "run", device="cpu")


def test_without_a_network(hub: Path, tmp_path: Path, network: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    net = network(FIVE, weights='torchvision("ResNet18_Weights.IMAGENET1K_V1")')
    with pytest.raises(TrainError, match=r"is not in .*checkpoints, and could not be downloaded") as caught:
        train(net, out=tmp_path / "run", device="cpu")
    assert "resnet18-f37072fd.pth, from https://" in caught.value.notes[0]
    assert "--weights FILE" in caught.value.notes[-1]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ResNet18_Weights.IMAGENET1K_V2", "ResNet18_Weights.IMAGENET1K_V1"),
        ("resnet18", "ResNet18_Weights.IMAGENET1K_V1"),
        ("Resnet50_Weights.DEFAULT", "name them"),
    ],
)
def test_a_name_that_torchvision_does_not_know(name: str, near: str) -> None:
    with pytest.raises(TrainError, match=f"torchvision publishes no weights called {name}") as caught:
        by_name(name)
    assert near in " ".join(caught.value.notes)


def test_all_that_torchvision_publishes_has_a_sum_in_its_name() -> None:
    known = list(entries())
    assert len(known) > 100
    assert all(re.fullmatch(r"[0-9a-f]{8,}", entry.promise) for entry in known)
    (features,) = [entry for entry in known if entry.name == "VGG16_Weights.IMAGENET1K_FEATURES"]
    assert features.std == pytest.approx((1 / 255,) * 3)


# ---------------------------------------------------------------------------------------------------- going on


def test_to_go_on_takes_no_file(
    network: Make, tmp_path: Path, tensors: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the first step, so that nothing but the start is in the checkpoint."""
    path = tmp_path / "w.safetensors"
    save_file(tensors, path)
    net = network(FIVE, weights=f'file("{path}")', batch=8)
    train(net, out=tmp_path / "whole", device="cpu")
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "interruptible", lambda *_: nullcontext(lambda: True))
        assert train(net, out=tmp_path / "run", device="cpu").status == "interrupted"
    path.unlink()
    said: list[str] = []
    resume(tmp_path / "run", say=said.append)
    assert any(line.startswith("weights   ") for line in said)
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


def test_killed_before_the_first_checkpoint(network: Make, tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = tmp_path / "w.safetensors"
    save_file(tensors, path)
    net = network(FIVE, weights=f'file("{path}")', batch=8)
    train(net, out=tmp_path / "whole", device="cpu")
    for name in ("spec.cnn", "config.json", "versions.json"):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    save_file({name: tensor + 1 for name, tensor in tensors.items()}, path)
    with pytest.raises(BadRun, match="is not the file that the run began with"):
        resume(tmp_path / "run")
    save_file(tensors, path)
    resume(tmp_path / "run")
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


# ------------------------------------------------------------------------------------------------------- options


def test_short_forms(digits_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("w.pth").touch()
    assert origin_text(str(digits_run.folder)) == f'run("{digits_run.folder}")'
    assert origin_text("w.pth") == 'file("w.pth")'
    assert origin_text("ResNet18_Weights.IMAGENET1K_V1") == 'torchvision("ResNet18_Weights.IMAGENET1K_V1")'
    assert origin_text('run("x")') == 'run("x")'
    assert names_text("features, head.0") == '["features", "head.0"]'
    assert names_text('["a"]') == '["a"]'
    Path("five.cnn").write_text(FIVE)
    done = cnn("train", "five.cnn", "--weights", "nowhere.pth")
    assert done.exit_code == 2
    assert "there are no weights at nowhere.pth" in done.output
