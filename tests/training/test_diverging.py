"""Where a loss stops being finite is told: the epoch, the step, and the layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnspec.network import Network
from cnnspec.training import BadRun, between, loop, record, resume, train
from cnnspec.training.between import GO, LOOK, SAVE, STOP, BetweenSteps
from cnnspec.training.chance import Chance
from cnnspec.training.distributed import ALONE
from cnnspec.training.error import Diverged

Make = Callable[..., Network]

TWO = """
model Two {
  input 1x8x8
  conv(4, 3, padding=1), relu
  flatten
  linear(16), relu
  linear(10)
}
"""


pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, float], None]:
    """Makes the samples of one step of the second epoch what no layer can bear, in every run from now on."""

    def poison(step: int, number: float) -> None:
        real = loop.augment

        def augment(x: torch.Tensor, augmentations: Any, draws: torch.Tensor, *rest: Any) -> torch.Tensor:
            x = real(x, augmentations, draws, *rest)
            return x.float() * number if float(draws[0, 0]) in marked else x

        marked: set[float] = set()
        monkeypatch.setattr(loop, "augment", augment)

        def order(self: Any, epoch: int) -> torch.Tensor:
            found = real_order(self, epoch)
            if epoch == 2:
                marked.update(self.draws(2)[found[(step - 1) * 64 : step * 64], 0].tolist())
            return found

        real_order = Chance.order
        monkeypatch.setattr(Chance, "order", order)

    return poison


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_step_and_layer(network: Make, tmp_path: Path, poisoned: Callable[..., None], number: float) -> None:
    poisoned(5, number)
    said: list[str] = []
    net = network(TWO, augment="[flip]", batch=64, epochs=4)
    run = train(net, out=tmp_path / "run", device="cpu", say=said.append)
    assert run.status == "diverged"
    where = "in epoch 2, at step 5; the first layer whose output is not finite is conv in line 4 (0)"
    assert run.fault == f"the loss is no longer a finite number {where}"
    assert len(run.history) == 1
    assert record.read_weights(tmp_path / "run", "best")[1] == 1
    with pytest.raises(BadRun, match="at step 5"):
        resume(tmp_path / "run")


def test_a_layer_that_overflows_by_itself(network: Make, tmp_path: Path) -> None:
    run = train(network(TWO, optimizer="sgd(lr=1e25)", batch=64), out=tmp_path / "run", device="cpu")
    assert run.fault.startswith(
        "the loss is no longer a finite number in epoch 1, at step 2; the first layer whose out"
    )
    assert "linear in line 6 (3)" in run.fault or "linear in line 7 (5)" in run.fault


def test_it_is_seen_within_an_epoch_and_never_saved(
    network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poisoned: Callable[..., None]
) -> None:
    """After some seconds, which are none here."""
    monkeypatch.setattr(between, "LOOK_EVERY", 0.0)
    poisoned(5, float("nan"))
    steps: list[int] = []
    real = between.require_finite
    monkeypatch.setattr(between, "require_finite", lambda state, team: (steps.append(state.step), real(state, team)))
    run = train(network(TWO, augment="[flip]", batch=64, epochs=4), out=tmp_path / "run", device="cpu", save_every=0.0)
    assert "in epoch 2, at step 5" in run.fault
    assert steps[-1] == 5


# ------------------------------------------------------------------------------------------ saving within an epoch


def test_a_long_epoch_is_saved_on_the_way(network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed in the middle of the first epoch goes on from its last step, and ends as if never."""
    net = network(batch=64, epochs=2)
    whole = train(net, out=tmp_path / "whole", device="cpu")

    class Killed(BaseException):
        pass

    def prepare(*args: torch.Tensor) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if steps == 8:
            raise Killed
        return real(*args)

    steps, real = 0, loop.prepare
    with monkeypatch.context() as patch:
        patch.setattr(loop, "prepare", prepare)
        with pytest.raises(Killed):
            train(net, out=tmp_path / "run", device="cpu", save_every=0.0)
    said: list[str] = []
    run = resume(tmp_path / "run", say=said.append)
    assert any("resumed   in epoch 1 of 2, after step 7 of 21" in line for line in said)
    assert (run.folder / "last.safetensors").read_bytes() == (whole.folder / "last.safetensors").read_bytes()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(between, "monotonic", found)
    return found


def test_what_is_wanted_when(clock: Clock) -> None:
    class State:
        epoch, step, finite = 1, 3, torch.tensor(3)

    state: Any = State()
    asked: list[bool] = []
    saved: list[float] = []
    steps = BetweenSteps(state, ALONE, lambda: bool(asked), lambda: saved.append(clock.now), minutes=1)
    wanted = []
    for clock.now in (1, 11, 61, 62, 73, 130):
        wanted.append(steps._wanted())
        assert not steps()
    assert wanted == [GO, LOOK, SAVE, GO, LOOK, SAVE]
    assert saved == [61, 130]
    state.epoch = 2  # what came before is saved at its end
    clock.now = 191
    assert steps._wanted() == LOOK
    state.step = 0
    assert steps._wanted() == GO
    state.step, state.finite = 7, torch.tensor(5)
    with pytest.raises(Diverged, match="in epoch 2, at step 6") as caught:
        steps()
    assert caught.value.step == 6
    asked.append(True)
    assert steps._wanted() == STOP
