from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cnnspec.data.parts import Part
from cnnspec.network import Network
from cnnspec.training import loop
from cnnspec.training.feeding import Resident, Samples, Streamed, on_the_device, within_reach
from cnnspec.training.plan import plan_run, seeded_model
from cnnspec.training.state import batches, begin

Make = Callable[..., Network]
CPU = torch.device("cpu")


def part(samples: int) -> Part:
    x = torch.arange(samples * 12, dtype=torch.int64).to(torch.uint8).view(samples, 3, 2, 2)
    return Part(x, torch.arange(samples))


def taken(samples: Samples, order: Tensor, draws: Tensor, batch: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """What steps get to see."""
    places = samples.batches(batches(order, batch), draws, 1)
    return [(samples.x[chosen], samples.y[chosen], samples.draws[chosen]) for chosen in places]


@pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 64, 65, 100])
@pytest.mark.parametrize("block", [1, 200, 300, 100_000])
def test_blocks_bring_what_is_there_anyway(count: int, block: int) -> None:
    """Also where a last sample alone joins the step before it, and where a block is a single step."""
    given, columns, batch = part(count), 2, 8
    resident, streamed = Resident(given, columns), Streamed(given, columns, batch, CPU, block)
    before = streamed.x.data_ptr(), streamed.y.data_ptr(), streamed.draws.data_ptr()
    for epoch in range(3):
        generator = torch.Generator().manual_seed(epoch)
        order, draws = torch.randperm(count, generator=generator), torch.rand(count, columns, generator=generator)
        for expected, found in zip(
            taken(resident, order, draws, batch), taken(streamed, order, draws, batch), strict=True
        ):
            assert all(torch.equal(e, f) for e, f in zip(expected, found, strict=True))
    assert before == (streamed.x.data_ptr(), streamed.y.data_ptr(), streamed.draws.data_ptr())
    assert streamed.x.nbytes <= max(2 * block, 9 * 12) + 12


def test_nothing_left_is_nothing() -> None:
    draws = torch.rand(5, 1)
    assert list(Resident(part(5), 1).batches([], draws, 1)) == []
    assert list(Streamed(part(5), 1, 2, CPU).batches([], draws, 1)) == []


def test_a_stream_can_be_left_in_the_middle() -> None:
    """As at Ctrl-C; the next epoch begins with its own samples."""
    streamed, order = Streamed(part(40), 0, 4, CPU, 100), torch.arange(40)
    for _ in streamed.batches(batches(order, 4), torch.empty(40, 0), 1):
        break
    found = [y for _, y, _ in taken(streamed, order.flip(0), torch.empty(40, 0), 4)]
    assert torch.cat(found).tolist() == list(range(39, -1, -1))


def test_what_is_where_decides() -> None:
    data = plan_data(part(10))
    assert isinstance(within_reach(data, 0, 4), Resident)
    elsewhere = replace(data, mean=data.mean.to("meta"))
    assert isinstance(within_reach(elsewhere, 0, 4), Streamed)


def plan_data(given: Part) -> loop.Data:
    return loop.Data(given, None, given, ("a", "b"), torch.zeros(3), torch.ones(3))


def test_a_run_on_blocks_is_the_same_bit_for_bit(network: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def weights() -> dict[str, Tensor]:
        plan = plan_run(network(augment="[crop(1), flip]", epochs=2, batch=50), "cpu", None)
        state = begin(seeded_model(plan.network, 0, CPU), plan.data, plan.recipe)
        list(loop.fit(state, plan.data, plan.recipe, plan.objective))
        return dict(state.model.state_dict())

    resident, made = weights(), []

    def stream(data: loop.Data, columns: int, batch: int, own: object) -> Samples:
        made.append(Streamed(data.train, columns, batch, CPU, 10_000))
        return made[-1]

    monkeypatch.setattr(loop, "within_reach", stream)
    streamed = weights()
    assert len(made) == 1
    assert made[0].steps == 3
    assert all(torch.equal(resident[name], streamed[name]) for name in resident)


def test_a_part_in_pieces() -> None:
    given = part(7)
    found = list(on_the_device(given, [slice(0, 3), slice(3, 6), slice(6, 7)], CPU))
    assert [len(y) for _, y in found] == [3, 3, 1]
    assert torch.equal(torch.cat([x for x, _ in found]), given.x)
