"""No operation of a step waits for the device, whatever the recipe: only then can a GPU play it again by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

from cnnspec.network import Network
from cnnspec.training import loop
from cnnspec.training.capture import Rates, waits_in
from cnnspec.training.plan import on_device, plan_run, seeded_model
from cnnspec.training.state import begin
from cnnspec.training.waiting import Waits

Make = Callable[..., Network]
CPU, META = torch.device("cpu"), torch.device("meta")


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: x.sum().item(),
        lambda x: float(x[0]),
        lambda x: bool((x > 0).all()),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: x.masked_select(x > 0),
        lambda x: x.unique(),
        lambda x: x.long().bincount(),
        lambda x: torch.equal(x, x),
        lambda x: x.index_put((x > 0,), torch.tensor(1.0)),
        lambda x: x.to("meta"),
    ],
)
def test_what_waits_is_found(operation: Callable[[Tensor], object]) -> None:
    waits = Waits("cpu")
    with waits:
        operation(torch.arange(4.0))
    assert waits.found


def test_what_does_not_wait_is_not_found() -> None:
    x, chosen = torch.arange(4.0), torch.tensor([1, 2])
    waits = Waits("cpu")
    with waits:
        x[chosen].sum().add_(1).clamp(max=2)
        torch.where(x > 1, x, 0.0)
        x.long().to(torch.float32).copy_(x)
    assert not waits.found


STEM = "input 3x8x8\n conv(4, 3, padding=1), batchnorm, relu"
NETWORKS = {
    "scores": f"model M {{ {STEM}, dropout(0.5), flatten, linear(3) }}",
    "one output": f"model M {{ {STEM}, flatten, linear(1) }}",
    "probabilities": f"model M {{ {STEM}, flatten, linear(3), softmax }}",
    "logarithms": f"model M {{ {STEM}, flatten, linear(3), log_softmax }}",
    "one against the rest": f"model M {{ {STEM}, flatten, linear(3), sigmoid }}",
    "one probability": f"model M {{ {STEM}, flatten, linear(1), sigmoid }}",
    "side output": f"model M {{ {STEM}, aux(weight=0.3) {{ flatten, linear(3) }}, flatten, linear(3) }}",
}
AUGMENTATIONS = "[crop(2), shift(0.2), flip, rotation(20), color_jitter(0.3, 0.3, 0.3)]"
RECIPES: dict[str, dict[str, object]] = {
    "sgd": {"optimizer": "sgd(lr=0.125)"},
    "momentum": {"optimizer": "sgd(lr=0.125, momentum=0.9, nesterov=true, weight_decay=0.01)", "schedule": "onecycle"},
    "muon": {"optimizer": "muon"},
    "adam": {"optimizer": "adam"},
    "adamw": {"optimizer": "adamw", "clip": 1.0, "label_smoothing": 0.1},
    "augmented": {"augment": AUGMENTATIONS},
    "covered": {"augment": "[crop(2, mode=reflect), flip(alternate=true), cutout(3), random_erasing]"},
    "mixed": {"mix": "[mixup, cutmix]", "augment": "[flip]", "label_smoothing": 0.1},
    "accumulated": {"accumulate": 2, "mix": "mixup"},
    "groups": {"groups": "[group(kind=norms, lr=0), group(kind=biases, lr=0.1)]", "schedule": "plateau"},
    "muon and sgd": {"optimizer": "muon(normalise=true, others=sgd(momentum=0.9))", "schedule": "linear"},
    "mean of weights": {"ema": 0.9},
    "bfloat16": {"precision": "bfloat16"},
}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[Tensor], None]]:
    """The steps that `fit` makes while it trains; it makes none of them itself."""
    made: list[Callable[[Tensor], None]] = []

    class Kept(loop.Quick):
        def __init__(self, step: Callable[[Tensor], None], *rest: object) -> None:
            super().__init__(step, *rest)  # type: ignore[arg-type]
            made.append(step)

    monkeypatch.setattr(loop, "Quick", Kept)
    return made


def waiting(network: Network, steps: list[Callable[[Tensor], None]]) -> list[str]:
    """With the optimizer as it is on a GPU: fused, and with its rate in a tensor there."""
    plan = plan_run(network, "cpu", None)
    state = begin(seeded_model(network, 0, CPU), plan.data, plan.recipe)
    for group in state.optimizer.param_groups:
        group.update({name: True for name in ("fused",) if name in group})
    for _ in loop.fit(state, plan.data, plan.recipe, plan.objective, plan.sides, plan.config.precision):
        break
    state.model.train()
    with Rates(state.optimizer, CPU).on_the_device():
        return waits_in(steps[-1], torch.arange(8))


def classes_of(name: str) -> int:
    return 2 if name in ("one output", "one probability") else 3


def refused(*given: object, **rest: object) -> Tensor:
    raise AssertionError("numbers of the host are sent to the device")


def spec(text: str, classes: int, **settings: object) -> tuple[str, dict[str, object]]:
    data = f"random(3x8x8, {classes}, samples=40)"
    return text, {"data": data, "epochs": 1, "batch": 8, "validation": 0, **settings}


@pytest.mark.parametrize("name", NETWORKS)
def test_no_loss_waits(network: Make, name: str, steps: list[Callable[[Tensor], None]]) -> None:
    text, settings = spec(NETWORKS[name], classes_of(name))
    assert waiting(network(text, **settings, label_smoothing=0.1), steps) == []


@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_waits(network: Make, name: str, steps: list[Callable[[Tensor], None]]) -> None:
    text, settings = spec(NETWORKS["scores"], 3, **RECIPES[name])
    assert waiting(network(text, **settings), steps) == []


@pytest.mark.filterwarnings("ignore:Seems like `optimizer.step")
@pytest.mark.parametrize("name", [*NETWORKS, "augmented"])
def test_nothing_is_copied_to_or_from_the_host(
    network: Make, name: str, steps: list[Callable[[Tensor], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen with tensors without memory in the place of those on the GPU. What optimizers do is left out: there they
    refuse these."""
    text, settings = spec(NETWORKS.get(name, NETWORKS["scores"]), classes_of(name), **RECIPES.get(name, {}))
    made = network(text, **settings)
    plan = plan_run(made, "cpu", None)
    there = on_device(plan.data, META)
    monkeypatch.setattr(loop, "computing", lambda precision, device: nullcontext())
    state = begin(seeded_model(made, 0, META), there, plan.recipe)
    state.optimizer.step = lambda: None  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="meta"):
        next(iter(loop.fit(state, there, plan.recipe, plan.objective, plan.sides, plan.config.precision)))
    state.model.train()
    monkeypatch.setattr(torch, "tensor", refused)
    assert waits_in(steps[-1], torch.zeros(8, dtype=torch.int64, device=META)) == []
