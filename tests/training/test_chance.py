from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from cnnspec.training.chance import Chance  # noqa: E402


def test_every_sample_comes_once_and_each_epoch_has_an_order_of_its_own() -> None:
    orders = [Chance(seed, 500, 2).order(epoch) for seed in (0, 1) for epoch in (1, 2)]
    for order in orders:
        assert order.sort().values.tolist() == list(range(500))
    assert len({tuple(order.tolist()) for order in orders}) == 4


def test_the_same_seed_and_epoch_give_the_same() -> None:
    assert torch.equal(Chance(3, 100, 4).draws(7), Chance(3, 100, 4).draws(7))
    assert not torch.equal(Chance(3, 100, 4).draws(7), Chance(3, 100, 4).draws(8))


def test_streams_of_neighbouring_seeds_and_of_order_and_draws_have_nothing_in_common() -> None:
    """Correlation over 20,000 numbers: chance alone stays under 0.03."""
    streams = [Chance(seed, 20_000, 1).draws(epoch).flatten() for seed in (0, 1) for epoch in (0, 1, 2)]
    streams += [Chance(0, 20_000, 1).order(1).float()]
    found = torch.corrcoef(torch.stack(streams)) - torch.eye(len(streams))
    assert found.abs().max() < 0.03


def test_seeds_of_any_size() -> None:
    assert Chance(2**80, 3, 1).draws(1).shape == (3, 1)
