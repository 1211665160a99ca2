"""Small steps are made on one thread of the processor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from cnnspec.network import Network
from cnnspec.training import train
from cnnspec.training.threads import WORTH_SHARING, suitable_threads, work_of_a_step

Make = Callable[..., Network]
CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_the_work_of_a_step(network: Make) -> None:
    net = network("model L { input 1x8x8\n flatten, linear(10) }")
    assert work_of_a_step(net, 1) == 3 * 640
    assert work_of_a_step(net, 64) == 64 * 3 * 640


def test_larger_steps_share_their_work(network: Make) -> None:
    net = network("model L { input 1x8x8\n flatten, linear(10) }")
    batch = WORTH_SHARING // work_of_a_step(net, 1)
    for size, device, threads in ((batch, CPU, 1), (batch + 1, CPU, 2), (batch, torch.device("meta"), 2)):
        with suitable_threads(net, size, device):
            assert torch.get_num_threads() == threads
        assert torch.get_num_threads() == 2


def test_threads_are_given_back_after_a_fault(network: Make) -> None:
    with pytest.raises(ZeroDivisionError), suitable_threads(network(), 1, CPU):
        _ = 1 / 0
    assert torch.get_num_threads() == 2


def test_a_run_tells_how_many_it_took(network: Make, tmp_path: Path) -> None:
    train(network(epochs=1), out=tmp_path / "run")
    assert json.loads((tmp_path / "run" / "versions.json").read_text())["threads"] == 1
    assert torch.get_num_threads() == 2
