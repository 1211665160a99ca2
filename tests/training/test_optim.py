from __future__ import annotations

import pytest
import torch
from torch.optim import lr_scheduler

from cnnspec import recipe
from cnnspec.recipe import Adam, AdamW, Constant, Cosine, OneCycle, Sgd, StepDown
from cnnspec.training.optim import make_optimizer, make_schedule

EPOCHS, STEPS = 4, 5


def weight() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.ones(3))]


def rates(schedule: recipe.Schedule) -> list[float]:
    optimizer = make_optimizer(Sgd(lr=0.1), weight())
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
    group = make_optimizer(Sgd(lr=0.3, momentum=0.9, weight_decay=0.01, nesterov=True), weight()).param_groups[0]
    assert (group["lr"], group["momentum"], group["weight_decay"], group["nesterov"]) == (0.3, 0.9, 0.01, True)
    assert type(make_optimizer(Adam(), weight())) is torch.optim.Adam
    assert type(made := make_optimizer(AdamW(lr=0.002), weight())) is torch.optim.AdamW
    assert (made.param_groups[0]["lr"], made.param_groups[0]["weight_decay"]) == (0.002, 0.01)


def test_every_optimizer_and_schedule_can_be_made() -> None:
    for kind in recipe.OPTIMIZERS.values():
        optimizer = make_optimizer(kind(), weight())
        for schedule in (Constant(), StepDown(every=1), Cosine(), OneCycle()):
            make_schedule(schedule, optimizer, 2, 3)
    assert set(recipe.SCHEDULES.values()) == {Constant, StepDown, Cosine, OneCycle}
