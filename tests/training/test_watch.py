"""What is said of layers is what they do, and looking changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from stops import stopping_after
from torch.nn import functional as F

from cnnspec.network import Network
from cnnspec.training import BadRun, resume, train, watch
from cnnspec.training import run as run_module
from cnnspec.training.loop import prepare
from cnnspec.training.plan import Plan, plan_run, seeded_model
from cnnspec.training.record import read_weights
from cnnspec.training.watch import Look, in_words, look, read_looks, verdicts, write_looks

Make = Callable[..., Network]

NORMS = """model N { input 1x8x8
  conv(4, 3), batchnorm, relu, dropout(0.3), residual { conv(4, 3, padding=1), relu }, flatten, linear(10) }"""
DEEP = "model D { input 1x8x8\n flatten\n repeat 8 { linear(32), %s }\n linear(10) }"


pytestmark = pytest.mark.usefixtures("no_pictures")


def seen(plan: Plan, seed: int = 0) -> list[Look]:
    model = seeded_model(plan.network, seed, torch.device("cpu"))
    return look(model, plan.network, plan.data, plan.objective, plan.sides, 1)


def test_the_figures_are_those_of_a_lesson(network: Make) -> None:
    """Forward and backward written down by hand, with the weights of the module."""
    plan = plan_run(network("model L { input 1x8x8\n flatten, linear(20), relu, linear(10) }"), "cpu", None)
    model = seeded_model(plan.network, 0, torch.device("cpu"))
    w1, b1, w2, b2 = model.parameters()
    x = prepare(plan.data.train.x[:128], plan.data.mean, plan.data.std).flatten(1)
    first = F.linear(x, w1, b1)
    hidden = first.relu()
    last = F.linear(hidden, w2, b2)
    loss = F.cross_entropy(last, plan.data.train.y[:128])
    gradients = torch.autograd.grad(loss, [first, hidden, last, w1, w2])
    found = {one.layer: one for one in seen(plan)}
    assert list(found) == ["1", "2", "3"]
    for name, output, gradient in zip(found, (first, hidden, last), gradients, strict=False):
        assert found[name].activation == pytest.approx(output.abs().mean().item(), rel=1e-5)
        assert found[name].gradient == pytest.approx(gradient.abs().mean().item(), rel=1e-5)
    assert found["2"].dead == (hidden == 0).all(0).float().mean().item()
    for name, weight, gradient in (("1", w1, gradients[3]), ("3", w2, gradients[4])):
        assert found[name].ratio == pytest.approx((gradient.norm() / weight.norm()).item(), rel=1e-5)


def test_looking_changes_nothing(network: Make, tmp_path: Path) -> None:
    """Neither weights nor running statistics nor the masks of dropout."""
    net = network(NORMS, epochs=2)
    plain = train(net, out=tmp_path / "plain", device="cpu")
    watched = train(net, out=tmp_path / "watched", device="cpu", watch=True)
    (before, _), (after, _) = read_weights(plain.folder, "last"), read_weights(watched.folder, "last")
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [replace(epoch, seconds=0) for epoch in plain.history] == [replace(e, seconds=0) for e in watched.history]
    assert not (plain.folder / "layers.csv").exists()
    assert (watched.folder / "layers.png").read_bytes().startswith(b"\x89PNG")
    assert {one.epoch for one in watched.looks} == {1, 2}
    assert [one.kind for one in watched.looks[:6]] == ["conv", "batchnorm", "relu", "conv", "relu", "linear"]


def test_an_interrupted_run_ends_with_the_same_looks(
    network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network(NORMS, epochs=3, batch=200)
    whole = train(net, out=tmp_path / "whole", device="cpu", watch=True)

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "interruptible", stopping_after(20))
        assert train(net, out=tmp_path / "run", device="cpu", watch=True).status == "interrupted"
    assert resume(tmp_path / "run").looks == whole.looks
    assert (tmp_path / "run/layers.csv").read_bytes() == (tmp_path / "whole/layers.csv").read_bytes()


def test_layers_that_vanish(network: Make) -> None:
    found = verdicts(seen(plan_run(network(DEEP % "sigmoid"), "cpu", None)))
    assert found["1"] == "vanishing"
    assert found["17"] == "healthy"
    assert set(verdicts(seen(plan_run(network(DEEP % "batchnorm, relu"), "cpu", None))).values()) == {"healthy"}


def test_layers_that_die(network: Make) -> None:
    """A bias far below zero, which a step too large may leave."""
    plan = plan_run(network(), "cpu", None)
    model = seeded_model(plan.network, 0, torch.device("cpu"))
    with torch.no_grad():
        model.get_parameter("0.bias")[:5] = -100
    found = look(model, plan.network, plan.data, plan.objective, (), 4)
    assert verdicts(found) == {"0": "healthy", "1": "dying", "4": "healthy"}
    told = "\n".join(lead + text for lead, text in in_words(found))
    assert "DYING: relu 1 (62% of its units)" in told
    assert "leaky_relu" in told


def test_layers_that_explode(network: Make) -> None:
    plan = plan_run(network(), "cpu", None)
    model = seeded_model(plan.network, 0, torch.device("cpu"))
    with torch.no_grad():
        model.get_parameter("0.weight").mul_(1e6)
        model.get_parameter("4.bias")[0] = float("inf")
    found = verdicts(look(model, plan.network, plan.data, plan.objective, (), 1))
    assert found == {"0": "exploding", "1": "exploding", "4": "exploding"}


def test_a_file_of_looks_is_read_back_and_a_damaged_one_is_reported(tmp_path: Path) -> None:
    looks = [Look(epoch, "a.b", "conv", 0.1 / epoch, 0.0, 1e-9, None if epoch == 1 else 0.3) for epoch in (1, 2, 3)]
    assert read_looks(tmp_path, 3) == []
    write_looks(tmp_path, looks)
    assert read_looks(tmp_path, 2) == looks[:2]
    (tmp_path / watch.FILE).write_text("epoch,layer\nx,y\n")
    with pytest.raises(BadRun, match="damaged"):
        read_looks(tmp_path, 3)


def test_tensorboard_reads_the_curves(network: Make, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = train(network(epochs=2), out=tmp_path / "run", device="cpu", watch=True, tensorboard=True)
    events = accumulator.EventAccumulator(str(run.folder / "tensorboard"))
    events.Reload()
    tags = events.Tags()["scalars"]
    assert {"loss/train", "accuracy/validation", "learning_rate", "activation/0", "ratio/4"} <= set(tags)
    found = [(event.step, event.value) for event in events.Scalars("loss/train")]
    assert found == [(epoch.epoch, pytest.approx(epoch.train_loss)) for epoch in run.history]
