"""What of the fast path can be shown without a GPU: what is recorded there is called here instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from cnnspec.network import Network
from cnnspec.training import capture, compiling, loop
from cnnspec.training.capture import Quick, Rates, Recorded, unchanged
from cnnspec.training.history import Epoch
from cnnspec.training.plan import plan_run, seeded_model
from cnnspec.training.state import State, begin

Make = Callable[..., Network]
CPU = torch.device("cpu")
NORMS = """
model N { input 1x8x8
  conv(4, 3), batchnorm, relu, dropout(0.3), flatten, linear(10) }
"""


class Imagined:
    """Stands for a recorded CUDA graph: reads what it learns from in one place, and nothing of it on the host."""

    made = 0
    played = 0

    def __init__(self, step: Callable[[Tensor], None], chosen: Tensor) -> None:
        Imagined.made += 1
        self.step, self.chosen = step, chosen

    def record(self) -> str:
        for _ in range(3):
            self.step(self.chosen)
        return ""

    def play(self, chosen: Tensor) -> None:
        Imagined.played += 1
        self.chosen.copy_(chosen)
        self.step(self.chosen)


@pytest.fixture(autouse=True)
def _anew() -> None:
    Imagined.made = Imagined.played = 0


def trained(network: Network, compiling: compiling.Compiling = "off") -> tuple[State, list[Epoch], list[str]]:
    plan, said = plan_run(network, "cpu", None), list[str]()
    state = begin(seeded_model(network, 0, CPU), plan.data, plan.recipe)
    epochs = loop.fit(state, plan.data, plan.recipe, plan.objective, compiling=compiling, say=said.append)
    return state, [replace(epoch, seconds=0) for epoch in epochs], said


def imagine(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, where the rate is a tensor too."""

    class Quicker(Quick):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            self.recorder = Imagined  # type: ignore[assignment]

    monkeypatch.setattr(loop, "Quick", Quicker)


RECIPES: list[dict[str, object]] = [
    {"optimizer": "sgd(lr=0.125)"},
    {"optimizer": "sgd(lr=0.125, momentum=0.5)", "augment": "[crop(1), flip]"},
    {"optimizer": "sgd(lr=0.125)", "ema": 0.5},
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_recorded_steps_learn_the_same_bit_for_bit(
    network: Make, recipe: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropout draws the same, norms measure the same; a smaller step at the end of an epoch is not played."""
    net = network(NORMS, epochs=2, batch=100, **recipe)
    expected, history, said = trained(net)
    assert said == []
    imagine(monkeypatch)
    found, again, said = trained(net)
    assert again == history
    assert all(map(torch.equal, found.kept.state_dict().values(), expected.kept.state_dict().values()))
    assert Imagined.made == 1
    full_steps = 2 * (len(plan_run(net, "cpu", None).data.train) // 100)
    timed = 1 + capture.TIMED
    assert Imagined.played == timed + full_steps - ("ema" in recipe)
    assert said == [said[0]]
    assert "recorded as a CUDA graph" in said[0]


def test_a_schedule_reaches_recorded_steps(network: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(optimizer="adamw(lr=0.01)", schedule="onecycle", epochs=2, batch=100)
    expected, history, _ = trained(net)
    imagine(monkeypatch)
    found, again, _ = trained(net)
    assert [epoch.learning_rate for epoch in again] == [epoch.learning_rate for epoch in history]
    for name, tensor in expected.model.state_dict().items():
        torch.testing.assert_close(found.model.state_dict()[name], tensor, rtol=1e-4, atol=1e-6)
    assert [type(group["lr"]) for group in found.optimizer.param_groups] == [float]


def test_thawed_weights_are_recorded_anew(network: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "model F { input 1x8x8\n first: { conv(4, 3) }\n relu, flatten, linear(10) }"
    net = network(text, optimizer="sgd(lr=0.125, momentum=0.5)", freeze="[first]", unfreeze_after=1, epochs=3)
    expected, history, _ = trained(net)
    imagine(monkeypatch)
    found, again, said = trained(net)
    assert again == history
    assert Imagined.made == len(said) == 2
    assert all(map(torch.equal, found.model.state_dict().values(), expected.model.state_dict().values()))


def test_trials_leave_no_trace(network: Make) -> None:
    """Neither on a state before its first step nor on one that has made some."""
    net = network(NORMS, optimizer="adamw", epochs=1, batch=100, ema=0.5)
    plan = plan_run(net, "cpu", None)
    state = begin(seeded_model(net, 0, CPU), plan.data, plan.recipe)

    def step() -> None:
        state.optimizer.zero_grad()
        state.model(torch.rand(4, 1, 8, 8)).sum().backward()
        state.optimizer.step()
        state.follow()
        state.loss += 1

    def everything() -> list[Tensor]:
        assert state.mean is not None
        kept = [value for slots in state.optimizer.state.values() for value in slots.values()]
        tensors = [*state.model.state_dict().values(), *state.mean.state_dict().values(), *kept, state.loss, state.hits]
        return [*(tensor.clone() for tensor in tensors), torch.get_rng_state()]

    for _ in range(2):
        before = everything()
        with unchanged(state):
            step()
        after = everything()
        begun = len(after) - len(before)
        assert all(map(torch.equal, before[:10], after[:10]))
        assert begun == 0 or all(
            not value.any() for slots in state.optimizer.state.values() for value in slots.values()
        )
        assert torch.equal(before[-1], after[-1])
        step()
    assert begun == 0
    assert all(map(torch.equal, before, after))


def test_zeros_are_as_good_as_nothing_begun(network: Make) -> None:
    """The first step of momentum and of Adam after a trial is the first step without one."""
    for optimizer in ("sgd(lr=0.125, momentum=0.9, nesterov=true)", "adam", "adamw", "muon"):
        net = network(NORMS, optimizer=optimizer)
        plan, weights = plan_run(net, "cpu", None), []
        for trial in (False, True):
            state = begin(seeded_model(net, 0, CPU), plan.data, plan.recipe)
            state.model.eval()

            def step(state: State = state) -> None:
                state.optimizer.zero_grad()
                state.model(torch.ones(2, 1, 8, 8)).sum().backward()
                state.optimizer.step()

            if trial:
                with unchanged(state):
                    step()
            for _ in range(3):
                step()
            weights.append(torch.cat([tensor.flatten() for tensor in state.model.parameters()]))
        assert torch.equal(*weights), optimizer


def test_rates_are_numbers_outside_of_steps() -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD([{"params": [model.weight], "lr": 0.5}, {"params": [model.bias], "lr": 0.25}])
    rates = Rates(optimizer, CPU)
    for factor in (1.0, 1.0, 0.5):
        for group in optimizer.param_groups:
            group["lr"] *= factor
        numbers = [group["lr"] for group in optimizer.param_groups]
        with rates.on_the_device():
            there = [group["lr"] for group in optimizer.param_groups]
            assert all(isinstance(rate, Tensor) for rate in there)
            assert [rate.item() for rate in there] == numbers
        assert [group["lr"] for group in optimizer.param_groups] == numbers


def test_compiling_repays_itself_in_long_runs_alone() -> None:
    assert not compiling.repays(0.001, 15 * 390, 30)
    assert compiling.repays(0.001, 200 * 390, 25)
    assert compiling.expected_seconds(nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))) == 21


@pytest.mark.parametrize(
    ("long", "faster", "words"),
    [(False, True, "would not repay"), (True, True, "compiled in"), (True, False, "so they are not")],
)
def test_the_faster_step_is_taken(
    network: Make, monkeypatch: pytest.MonkeyPatch, long: bool, faster: bool, words: str
) -> None:
    imagine(monkeypatch)
    times = iter([1.0, 0.5 if faster else 2.0])
    monkeypatch.setattr(loop.Quick, "_timed", lambda self, step: next(times))
    monkeypatch.setattr(capture, "repays", lambda each, left, expected: long)
    monkeypatch.setattr(capture, "compiled", lambda step: step)
    _, history, said = trained(network(epochs=1), "auto")
    assert len(history) == 1
    assert words in said[0]
    assert Imagined.made == 1 + long


def test_what_cannot_be_compiled_is_trained_all_the_same(network: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(step: Callable[[Tensor], None]) -> Callable[[Tensor], None]:
        def fail(chosen: Tensor) -> None:
            raise capture.TrainError("steps cannot be compiled: no compiler")

        return fail

    imagine(monkeypatch)
    monkeypatch.setattr(capture, "repays", lambda each, left, expected: True)
    monkeypatch.setattr(capture, "compiled", broken)
    _, history, said = trained(network(epochs=1), "auto")
    assert len(history) == 1
    assert "steps cannot be compiled: no compiler" in said[0]
    with pytest.raises(capture.TrainError):
        trained(network(epochs=1), "on")


def test_compiled_steps_learn_the_same(network: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced as for the compiler, and run as PyTorch has them."""
    whole = torch.compile
    monkeypatch.setattr(torch, "compile", lambda step, dynamic: whole(step, dynamic=dynamic, backend="eager"))
    text = "model C { input 1x8x8\n conv(4, 3), batchnorm, relu, flatten, linear(10) }"
    net = network(text, optimizer="sgd(lr=0.125, momentum=0.5)", epochs=1, batch=200)
    expected, history, _ = trained(net)
    found, again, said = trained(net, "on")
    assert said[0].startswith("steps     compiled")
    assert again[0].train_loss == pytest.approx(history[0].train_loss, rel=1e-5)
    for name, tensor in expected.model.state_dict().items():
        torch.testing.assert_close(found.model.state_dict()[name], tensor, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("recipe", [*RECIPES, {"optimizer": "adamw", "clip": 1.0}, {"optimizer": "muon"}])
def test_a_gpu_plays_recorded_steps(network: Make, recipe: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as launched one by one, to the last bits of sums."""
    net = network(NORMS.replace("dropout(0.3), ", ""), epochs=2, batch=100, **recipe)
    losses = []
    for recorder in (Recorded, None):
        plan = plan_run(net, "cuda", None)
        from cnnspec.training.plan import ready

        model, data = ready(plan)
        monkeypatch.setattr(capture.Quick, "as_written", property(lambda self, r=recorder: r is None))
        said: list[str] = []
        state = begin(model, data, plan.recipe)
        history = list(loop.fit(state, data, plan.recipe, plan.objective, say=said.append))
        assert recorder is None or "recorded as a CUDA graph" in said[0]
        losses.append([epoch.train_loss for epoch in history])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
