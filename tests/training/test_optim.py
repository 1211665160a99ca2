from __future__ import annotations

import json

import pytest
import torch
from torch.optim import lr_scheduler

import cnnspec
from cnnspec import recipe
from cnnspec.network import load
from cnnspec.network.grouping import sorts_of
from cnnspec.recipe import (
    Adam,
    AdamW,
    Constant,
    Cosine,
    Group,
    Linear,
    MultiStep,
    Muon,
    OneCycle,
    Plateau,
    Recipe,
    Sgd,
    StepDown,
)
from cnnspec.source import Source
from cnnspec.training.optim import make_optimizer, make_schedule, sorts

EPOCHS, STEPS = 4, 5
EVERY = (Constant(), StepDown(every=1), MultiStep((1, 2)), Linear(), Cosine(), OneCycle(), Plateau())


def weight() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.ones(3))]


def made(settings: recipe.Optimizer, *groups: Group) -> torch.optim.Optimizer:
    return make_optimizer(Recipe(optimizer=settings, groups=groups), torch.nn.Linear(3, 1, bias=False))


def rates(schedule: recipe.Schedule) -> list[float]:
    optimizer = made(Sgd(lr=0.1))
    return run(optimizer, make_schedule(schedule, optimizer, EPOCHS, STEPS))


def run(optimizer: torch.optim.Optimizer, schedule: lr_scheduler.LRScheduler) -> list[float]:
    seen = []
    for _ in range(EPOCHS * STEPS):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD(weight(), lr=0.1)


def test_constant() -> None:
    assert rates(Constant()) == [0.1] * EPOCHS * STEPS


def test_step_falls_after_whole_epochs() -> None:
    found = rates(StepDown(every=2, gamma=0.5))
    assert found == pytest.approx([0.1] * 10 + [0.05] * 10)


def test_cosine_is_that_of_torch() -> None:
    optimizer = sgd()
    expected = run(optimizer, lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * STEPS))
    assert rates(Cosine()) == expected
    assert expected[-1] < 0.001


def test_onecycle_is_that_of_torch() -> None:
    optimizer = sgd()
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.1, EPOCHS * STEPS, pct_start=0.25, cycle_momentum=False)
    expected = run(optimizer, schedule)
    assert rates(OneCycle(warmup=0.25)) == expected
    assert expected[0] == pytest.approx(0.1 / 25)
    assert max(expected) == pytest.approx(0.1)


@pytest.mark.parametrize("kind", [Constant, Cosine])
def test_a_warmup_is_that_of_torch(kind: type[Constant | Cosine]) -> None:
    optimizer = sgd()
    rise = lr_scheduler.LinearLR(optimizer, start_factor=1 / 6, total_iters=5)
    after = {
        Constant: lambda: lr_scheduler.ConstantLR(optimizer, factor=1.0),
        Cosine: lambda: lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * STEPS - 5),
    }[kind]()
    expected = run(optimizer, lr_scheduler.SequentialLR(optimizer, [rise, after], [5]))
    found = rates(kind(warmup=0.25))
    assert found == expected
    assert found[:6] == pytest.approx([0.1 * n / 6 for n in range(1, 7)])
    assert max(found) == pytest.approx(0.1)


def test_steps_down_are_counted_from_the_end_of_the_warmup() -> None:
    found = rates(StepDown(every=2, gamma=0.5, warmup=0.25))
    assert found[5:] == pytest.approx([0.1] * 10 + [0.05] * 5)


@pytest.mark.parametrize("warmup", [0, 0.05, 0.1, 0.25, 0.5, 0.99])
def test_onecycle_takes_every_length(warmup: float) -> None:
    for total in range(1, 25):
        takes_length(warmup, total)


@pytest.mark.parametrize("warmup", [0, 0.05, 0.5, 0.99])
def test_every_warmup_takes_every_length(warmup: float) -> None:
    for total in range(1, 12):
        for kind in (Constant, Cosine):
            takes_length(warmup, total, kind)


def takes_length(warmup: float, total: int, kind: type[Constant | Cosine | OneCycle] = OneCycle) -> None:
    optimizer = sgd()
    schedule = make_schedule(kind(warmup=warmup), optimizer, 1, total)
    for _ in range(total):
        assert 0 < optimizer.param_groups[0]["lr"] <= 0.1 + 1e-12
        optimizer.step()
        schedule.step()


def test_optimizers_get_their_arguments() -> None:
    group = made(Sgd(lr=0.3, momentum=0.9, weight_decay=0.01, nesterov=True)).param_groups[0]
    assert (group["lr"], group["momentum"], group["weight_decay"], group["nesterov"]) == (0.3, 0.9, 0.01, True)
    assert type(made(Adam())) is torch.optim.Adam
    assert type(adamw := made(AdamW(lr=0.002))) is torch.optim.AdamW
    assert (adamw.param_groups[0]["lr"], adamw.param_groups[0]["weight_decay"]) == (0.002, 0.01)


def test_every_optimizer_and_schedule_can_be_made() -> None:
    for kind in recipe.OPTIMIZERS.values():
        optimizer = made(kind())
        for schedule in EVERY:
            make_schedule(schedule, optimizer, 2, 3)
    assert set(recipe.SCHEDULES.values()) == set(map(type, EVERY))


# ------------------------------------------------------------------------------------------------- further schedules


def test_milestones_linear_and_the_end_of_a_cosine_are_those_of_torch() -> None:
    optimizer = sgd()
    expected = run(optimizer, lr_scheduler.MultiStepLR(optimizer, [5, 15], 0.5))
    assert rates(MultiStep((1, 3), gamma=0.5)) == pytest.approx(expected)
    optimizer = sgd()
    assert rates(Linear(end=0.1)) == run(optimizer, lr_scheduler.LinearLR(optimizer, 1.0, 0.1, EPOCHS * STEPS))
    optimizer = sgd()
    expected = run(optimizer, lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * STEPS, eta_min=0.02))
    assert rates(Cosine(end=0.2)) == pytest.approx(expected)


def test_linear_falls_evenly_to_its_end() -> None:
    assert rates(Linear()) == pytest.approx([0.1 * (1 - n / 20) for n in range(20)])


@pytest.mark.parametrize("warmup", [0, 0.25])
def test_plateau_is_that_of_torch(warmup: float) -> None:
    losses = [1.0, 0.5, 0.5, 0.6, 0.5, 0.4, 0.41, 0.42, 0.43, 0.44]
    optimizer = made(Sgd(lr=0.1))
    schedule = make_schedule(Plateau(factor=0.5, patience=1, warmup=warmup), optimizer, len(losses), STEPS)
    other = sgd()
    expected = lr_scheduler.ReduceLROnPlateau(other, factor=0.5, patience=1)
    seen, wanted = [], []
    for loss in losses:
        for _ in range(STEPS):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        schedule.measured(loss)  # type: ignore[attr-defined]
        expected.step(loss)
        wanted.append(other.param_groups[0]["lr"])
    rise = round(warmup * len(losses) * STEPS)
    assert seen[rise + STEPS :: STEPS] == pytest.approx(wanted[rise // STEPS : -1])
    assert seen[:rise] == pytest.approx([0.1 * n / (rise + 1) for n in range(1, rise + 1)])
    assert seen[-1] < 0.1


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.word)
@pytest.mark.parametrize("warmup", [0.0, 0.3])
def test_every_schedule_goes_on_from_what_it_saved(kind: recipe.Schedule, warmup: float) -> None:
    settings = kind.replace(warmup=warmup)

    def begun() -> tuple[torch.optim.Optimizer, lr_scheduler.LRScheduler]:
        optimizer = made(Sgd(lr=0.1), Group(kind="all", lr=0.2))
        return optimizer, make_schedule(settings, optimizer, EPOCHS, STEPS)

    def steps(pair: tuple[torch.optim.Optimizer, lr_scheduler.LRScheduler], first: int, last: int) -> list[float]:
        seen = []
        for number in range(first, last):
            seen.append(pair[0].param_groups[0]["lr"])
            pair[0].step()
            pair[1].step()
            if number % STEPS == STEPS - 1 and hasattr(pair[1], "measured"):
                pair[1].measured(1.0)
        return seen

    whole = begun()
    before, expected = steps(whole, 0, 8), steps(whole, 8, 20)
    halted, again = begun(), begun()
    assert steps(halted, 0, 8) == before
    again[0].param_groups[0]["lr"] = halted[0].param_groups[0]["lr"]
    again[1].load_state_dict(json.loads(json.dumps(halted[1].state_dict())))
    assert steps(again, 8, 20) == expected


# ------------------------------------------------------------------------------------------------------------ groups


class Small(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.PReLU(), torch.nn.Conv2d(4, 4, 3)
        )
        self.factor = torch.nn.Parameter(torch.ones(4, 1, 1))
        self.head = torch.nn.Linear(4, 2)


def grouped(optimizer: torch.optim.Optimizer, model: torch.nn.Module) -> dict[str, tuple[float, float]]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        names[id(parameter)]: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def test_groups_hold_what_they_name_and_add_up() -> None:
    model = Small()
    groups = (
        Group(kind="vectors", weight_decay=0.0),
        Group(("features",), lr=0.01),
        Group(("features.3",), "biases", lr=0.5, weight_decay=0.2),
    )
    optimizer = make_optimizer(Recipe(optimizer=Sgd(lr=0.1, weight_decay=0.3), groups=groups), model)
    assert grouped(optimizer, model) == {
        "factor": (0.1, 0.0),
        "features.0.weight": (0.01, 0.3),
        "features.0.bias": (0.01, 0.0),
        "features.1.weight": (0.01, 0.0),
        "features.1.bias": (0.01, 0.0),
        "features.2.weight": (0.01, 0.0),
        "features.3.weight": (0.01, 0.3),
        "features.3.bias": (0.5, 0.2),
        "head.weight": (0.1, 0.3),
        "head.bias": (0.1, 0.0),
    }
    assert len(optimizer.param_groups) == 5


def test_a_rate_of_zero_leaves_parameters_alone() -> None:
    model = Small()
    optimizer = make_optimizer(Recipe(groups=(Group(kind="norm_weights", lr=0.0),)), model)
    assert "features.1.weight" not in grouped(optimizer, model)
    assert not model.features[1].weight.requires_grad
    assert model.features[1].bias.requires_grad


@pytest.mark.parametrize("name", ["convnext_tiny", "resnet18", "googlenet", "efficientnet_b0", "swin_like"])
def test_sorts_are_those_that_the_check_knows(name: str) -> None:
    if name == "swin_like":
        layers = "gain: scale(0.1), prelu, groupnorm(2), layernorm(over=channels), rmsnorm(over=all)"
        text = f"model N {{ input 4x8x8\n {layers}\n conv_transpose(8, 2), flatten, linear(3) }}"
        network = load(Source("<spec>", text))
    else:
        network = cnnspec.load(f"zoo:{name}")
    with torch.device("meta"):
        assert sorts(cnnspec.build(network)) == sorts_of(network.root.items)


# -------------------------------------------------------------------------------------------------------------- muon


def gradients(model: torch.nn.Module, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this PyTorch has no Muon of its own")
@pytest.mark.parametrize("nesterov", [True, False])
def test_muon_takes_the_steps_of_torch_on_flattened_filters(nesterov: bool) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Linear(6, 20), torch.nn.Linear(4, 2))
    model[0].to(memory_format=torch.channels_last)
    first, second = model[0].weight.detach().clone(), model[1].weight.detach().clone()
    matrices = [torch.nn.Parameter(first.flatten(1)), torch.nn.Parameter(second.clone())]
    how = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1, "nesterov": nesterov, "ns_steps": 5}
    expected = torch.optim.Muon(matrices, **how)
    rest = {name: p.detach().clone() for name, p in model.named_parameters()}
    others = [torch.nn.Parameter(rest[name]) for name in ("0.bias", "1.bias", "2.weight", "2.bias")]
    plain = torch.optim.AdamW(others, lr=0.003)
    optimizer = make_optimizer(Recipe(optimizer=Muon(**how, others=AdamW(lr=0.003))), model)  # type: ignore[arg-type]
    for step in range(4):
        gradients(model, step)
        found = dict(model.named_parameters())
        for mine, name in zip(matrices, ("0.weight", "1.weight"), strict=True):
            mine.grad = found[name].grad.reshape(mine.shape).contiguous()
        for mine, name in zip(others, ("0.bias", "1.bias", "2.weight", "2.bias"), strict=True):
            mine.grad = found[name].grad.clone()
        for each in (optimizer, expected, plain):
            each.step()
    torch.testing.assert_close(model[0].weight.flatten(1), matrices[0], rtol=0, atol=0.004)
    torch.testing.assert_close(model[1].weight, matrices[1], rtol=0, atol=0.004)
    assert (model[0].weight - first).abs().max() > 0.05
    for mine, name in zip(others, ("0.bias", "1.bias", "2.weight", "2.bias"), strict=True):
        assert torch.equal(mine, dict(model.named_parameters())[name])


def test_muon_makes_steps_orthogonal_and_holds_the_length() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(8, 16, 3), torch.nn.Linear(4, 2))
    optimizer = make_optimizer(Recipe(optimizer=Muon(lr=0.1, normalise=True)), model)
    gradients(model, 0)
    before = model[0].weight.detach().clone() * 4 / model[0].weight.detach().norm()
    optimizer.step()
    values = torch.linalg.svdvals((before - model[0].weight.detach()).flatten(1) / 0.1)
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_schedules_reach_both_halves_of_muon() -> None:
    optimizer = make_optimizer(Recipe(optimizer=Muon(lr=0.2, others=Sgd(lr=0.1))), Small())
    schedule = make_schedule(Linear(), optimizer, 1, 2)
    gradients(model := Small(), 0)
    optimizer.step()
    schedule.step()
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1, 0.05])
    assert model is not None
