"""Parts of a network that learn nothing, or only later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from killing import outcome
from safetensors.torch import load_file, save_file
from stops import stopping_after
from torch import Tensor, nn

from cnnspec.analysis.learning import frozen
from cnnspec.network import Network
from cnnspec.recipe import Recipe
from cnnspec.training import record, resume, train
from cnnspec.training import run as run_module
from cnnspec.training.freezing import let_learn, thawed
from cnnspec.training.loop import fit
from cnnspec.training.plan import plan_run, ready
from cnnspec.training.state import State, begin

Make = Callable[..., Network]

SPEC = """
model Frozen {
  input 1x8x8
  stem: conv(4, 3, padding=1)
  features: {
    conv(8, 3, padding=1), batchnorm, relu, dropout(0.3), maxpool(2)
    gain: scale(1.5)
  }
  flatten, dropout(0.3)
  head: linear(5)
}
train {
  data: random(1x8x8, 5, samples=90)
  augment: [flip]
  optimizer: adamw(lr=0.01, weight_decay=0.1)
  schedule: onecycle
  batch: 16
  epochs: 4
  clip: 1
}
"""

INSIDE = ("features.0.weight", "features.0.bias", "features.1.weight", "features.1.bias", "features.gain")
FIGURES = ("features.1.running_mean", "features.1.running_var", "features.1.num_batches_tracked")


pytestmark = pytest.mark.usefixtures("no_pictures")


def epochs(net: Network) -> Iterator[tuple[State, dict[str, Tensor]]]:
    """The state after every epoch, and a copy of its weights; first of all before them."""
    plan = plan_run(net, "cpu", None)
    model, data = ready(plan)
    state = begin(model, data, plan.recipe)
    yield state, copy(model)
    for _ in fit(state, data, plan.recipe, plan.objective, plan.sides):
        yield state, copy(model)


def copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def kept_for(state: State) -> set[str]:
    """The parameters that the optimizer keeps something for."""
    return {name for name, parameter in state.model.named_parameters() if parameter in state.optimizer.state}


@pytest.mark.parametrize("optimizer", ["adamw(weight_decay=0.1)", "sgd(lr=0.1, momentum=0.9, weight_decay=0.1)"])
def test_what_is_frozen_stays_bit_for_bit(network: Make, optimizer: str) -> None:
    """Its figures too, and neither weight decay nor the optimizer knows of it."""
    states = list(epochs(network(SPEC, freeze="features", optimizer=optimizer)))
    state, last = states[-1]
    assert changed(states[0][1], last) == {"stem.weight", "stem.bias", "head.weight", "head.bias"}
    assert kept_for(state) == {"stem.weight", "stem.bias", "head.weight", "head.bias"}
    assert all(state.model.get_parameter(name).grad is None for name in INSIDE)


def test_what_thaws_is_taken_in(network: Make) -> None:
    states = epochs(network(SPEC, freeze='[stem, "features.0", "features.1"]', unfreeze_after=[3, 2, 1]))
    _, before = next(states)
    rest = {"features.gain", "head.weight", "head.bias"}
    one = {"features.1.weight", "features.1.bias", *FIGURES}
    nought = {"features.0.weight", "features.0.bias"}
    for expected in (rest, rest | one, rest | one | nought, set(before)):
        state, after = next(states)
        assert changed(before, after) == expected, state.epoch
        assert kept_for(state) == expected - set(FIGURES)
        before = after


def test_its_own_count_of_steps(network: Make) -> None:
    """Adam corrects the bias of its means by how often it saw a gradient."""
    *_, (state, _) = epochs(network(SPEC, freeze="features", unfreeze_after=3))
    counts = {name: int(state.optimizer.state[p]["step"]) for name, p in state.model.named_parameters()}
    steps = counts["head.weight"] // 4
    assert counts["features.0.weight"] == steps
    assert counts["head.weight"] == 4 * steps > steps


def test_frozen_parts_work_as_in_a_measurement(network: Make) -> None:
    state, _ = next(epochs(network(SPEC, freeze="features")))
    let_learn(state.model, state.optimizer, ("features",))
    training = {name: module.training for name, module in state.model.named_modules()}
    assert not training["features.1"]
    assert not training["features.3"]
    assert training[""]
    assert training["2"] is training["3"] is True
    let_learn(state.model, state.optimizer, ())
    assert all(module.training for module in state.model.modules())
    assert all(parameter.requires_grad for parameter in state.model.parameters())


def test_side_outputs_of_frozen_parts_still_come(network: Make) -> None:
    spec = """
model Sides {
  input 1x8x8
  features: {
    conv(4, 3, padding=1), relu
    aux { flatten, linear(5) }
  }
  flatten
  head: linear(5)
}
train {
  data: random(1x8x8, 5, samples=40)
  epochs: 1
}
"""
    (_, before), (_, after) = epochs(network(spec, freeze='["features.0"]'))
    assert "features.3.weight" in changed(before, after)
    (_, before), (_, after) = epochs(network(spec, freeze="features"))
    assert changed(before, after) == {"head.weight", "head.bias"}


def test_which_parts_in_which_epoch() -> None:
    recipe = Recipe(freeze=("a", "b"))
    assert frozen(recipe, 99) == ("a", "b")
    once = recipe.replace(unfreeze_after=2)
    assert [frozen(once, epoch) for epoch in (1, 2, 3)] == [("a", "b"), ("a", "b"), ()]
    slowly = recipe.replace(unfreeze_after=(3, 1))
    assert [frozen(slowly, epoch) for epoch in (1, 2, 3, 4)] == [("a", "b"), ("a",), ("a",), ()]
    assert thawed(once, 2) == "a and b learn from here on"
    assert [thawed(slowly, epoch) for epoch in (1, 2, 3)] == ["b learns from here on", "", "a learns from here on"]


# ---------------------------------------------------------------------------------------------------- going on


@pytest.mark.parametrize(
    "settings",
    [
        {"unfreeze_after": 2},
        {"unfreeze_after": 2, "optimizer": "sgd(lr=0.05, momentum=0.9)", "ema": 0.9},
        {"freeze": '[stem, "features.1"]', "unfreeze_after": [3, 1]},
    ],
)
def test_a_stopped_run_goes_on_bit_for_bit(
    network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, object]
) -> None:
    """Stopped before, at and after the epoch in which something thaws; the file of the start is gone by then."""
    path = tmp_path / "start.safetensors"
    torch.manual_seed(5)
    (state, weights), *_ = epochs(network(SPEC, epochs=1))
    del state
    save_file(
        {name: (tensor + 0.01).contiguous() for name, tensor in weights.items() if tensor.is_floating_point()}, path
    )
    net = network(SPEC, **{"freeze": "features", "weights": f'file("{path}")', **settings})
    train(net, out=tmp_path / "whole", device="cpu")
    stops = (1, 3, 8, 12, 13, 14, 17, 22)
    for calls in stops:
        with monkeypatch.context() as patch:
            patch.setattr(run_module, "interruptible", stopping_after(calls))
            assert train(net, out=tmp_path / f"{calls}", device="cpu").status == "interrupted"
    path.unlink()
    places = set()
    for calls in stops:
        folder = tmp_path / f"{calls}"
        resume(folder)
        places.add(json.loads((folder / "resumed.jsonl").read_text())["epoch"])
        assert outcome(folder) == outcome(tmp_path / "whole")
    assert places == {1, 2, 3, 4}


def test_what_is_frozen_is_in_the_record(network: Make, tmp_path: Path) -> None:
    said: list[str] = []
    net = network(SPEC, freeze="[features, stem]", unfreeze_after=[1, 9])
    train(net, out=tmp_path / "run", device="cpu", say=said.append)
    at = next(number for number, line in enumerate(said) if line.startswith("frozen"))
    assert said[at : at + 3] == [
        "frozen    features, 320 parameters, until epoch 1 is over",
        "          stem, 40 parameters, to the end",
        "          645 of 1,005 parameters learn from the beginning",
    ]
    kept = record.read_config(tmp_path / "run").train
    assert (kept["freeze"], kept["unfreeze_after"]) == ('["features", "stem"]', "[1, 9]")
    before, after = (load_file(tmp_path / "run" / f"{name}.safetensors") for name in ("last", "best"))
    assert torch.equal(before["stem.weight"], after["stem.weight"])
