from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest
import torch

from cnnspec.network import Network
from cnnspec.training import Epoch, evaluate, precision, record, train
from cnnspec.training.loop import fit
from cnnspec.training.plan import plan_run, seeded_model
from cnnspec.training.precision import choose, computing
from cnnspec.training.state import begin

Make = Callable[..., Network]
CPU = torch.device("cpu")

LARGE = """
model Large { input 3x32x32
  conv(64, 3), adaptive_avgpool(1), flatten, linear(10) }
train { data: random(3x32x32, 10, samples=40) }
"""


@pytest.mark.parametrize(
    ("asked", "text", "device", "able", "chosen", "why"),
    [
        ("auto", LARGE, "cpu", True, "bfloat16", "this processor has instructions for it"),
        ("auto", LARGE, "cpu", False, "float32", "no instructions for bfloat16"),
        ("auto", None, "cpu", True, "float32", "too small to gain"),
        ("auto", LARGE, "cuda", True, "bfloat16", "this GPU has instructions for it"),
        ("auto", LARGE, "cuda", False, "float32", "this GPU has no instructions"),
        ("auto", None, "cuda", True, "float32", "too small to gain"),
        ("auto", LARGE, "mps", True, "float32", "as always on mps"),
        ("float32", LARGE, "cpu", True, "float32", "as asked"),
        ("bfloat16", None, "cpu", True, "bfloat16", "as asked"),
        ("bfloat16", LARGE, "cpu", False, "bfloat16", "float32 is faster"),
        ("bfloat16", LARGE, "cuda", False, "bfloat16", "as asked"),
    ],
)
def test_the_choice(
    network: Make,
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    text: str | None,
    device: str,
    able: bool,
    chosen: str,
    why: str,
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: able)
    net = network(text) if text else network()
    found, words = choose(asked, net, torch.device(device))
    assert found == chosen
    assert why in words


def test_only_the_large_products_are_in_bfloat16() -> None:
    conv, norm = torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)
    with computing("bfloat16", CPU):
        assert conv(torch.ones(1, 1, 4, 4)).dtype == torch.bfloat16
        norm(conv(torch.ones(2, 1, 4, 4)))
    assert norm.running_mean is not None
    assert norm.running_mean.dtype == conv.weight.dtype == torch.float32
    with computing("float32", CPU):
        assert conv(torch.ones(1, 1, 4, 4)).dtype == torch.float32


def test_the_run_says_and_records_what_it_used(network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    monkeypatch.setattr("cnnspec.training.finished.has_bfloat16", lambda device: True)
    said: list[str] = []
    run = train(network(LARGE, epochs=1), out=tmp_path / "run", device="cpu", say=said.append)
    assert any(line.startswith("precision bfloat16, in convolutions and linear layers") for line in said)
    config = record.read_config(run.folder)
    assert (config.precision, config.train["precision"]) == ("bfloat16", "auto")
    assert {tensor.dtype for tensor in record.read_weights(run.folder, "best")[0].values()} == {torch.float32}
    assert run.test is not None
    assert evaluate(run.folder, device="cpu").measured == run.test


def test_it_trains_as_well(network: Make) -> None:
    """Digits, three seeds each."""
    found: dict[precision.Precision, list[Epoch]] = {"float32": [], "bfloat16": []}
    for seed in range(3):
        plan = plan_run(network(seed=seed, epochs=4), "cpu", None)
        for kind, epochs in found.items():
            state = begin(seeded_model(plan.network, seed, CPU), plan.data, plan.recipe)
            *_, last = fit(state, plan.data, plan.recipe, plan.objective, precision=kind)
            epochs.append(last)
    losses = {kind: fmean(epoch.train_loss for epoch in epochs) for kind, epochs in found.items()}
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.02)
    accuracies = {kind: fmean(epoch.validation_accuracy or 0 for epoch in epochs) for kind, epochs in found.items()}
    assert accuracies["bfloat16"] == pytest.approx(accuracies["float32"], abs=0.02)
    assert accuracies["bfloat16"] > 0.9


def test_other_names_are_refused(network: Make) -> None:
    from cnnspec.diagnostics import SpecError

    with pytest.raises(SpecError):
        network(precision="float64")
