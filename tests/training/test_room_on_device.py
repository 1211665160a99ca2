"""Which parts of the data stay off a GPU, and what a run expects to take there."""

from __future__ import annotations

from unittest.mock import patch

import pytest
import torch

from cnnspec.analysis.training import training_memory
from cnnspec.data.parts import Data, Part
from cnnspec.network import load
from cnnspec.recipe import Recipe
from cnnspec.source import Source
from cnnspec.training.memory import USABLE, still_to_come, too_much_for


def data(*samples: int) -> Data:
    """Parts of so many samples of 1,000 bytes."""
    parts = [Part(torch.zeros(count, 1, 10, 100, dtype=torch.uint8), torch.zeros(count).long()) for count in samples]
    return Data(parts[0], parts[1], parts[2], ("a", "b"), torch.zeros(1), torch.ones(1))


@pytest.mark.parametrize(
    ("free", "off"),
    [(17, set()), (15.9, {"train"}), (5.9, {"validation", "train"}), (3.9, {"test", "train"})],
)
def test_the_smaller_parts_come_first(free: float, off: set[str]) -> None:
    with patch.object(torch.cuda, "mem_get_info", lambda device: (int((free * 1000 + 4000) / USABLE) + 1, 0)):
        assert too_much_for(torch.device("cuda"), data(10, 2, 4), 4000) == off
    assert not too_much_for(torch.device("cpu"), data(10, 2, 4), 1 << 60)


def test_what_is_to_come_is_the_peak_beside_the_weights() -> None:
    network = load(Source("<test>", "model M {\n  input 3x8x8\n  conv(8, 3), batchnorm, relu, flatten, linear(4)\n}\n"))
    recipe = Recipe(ema=0.9)
    found = training_memory(network, recipe)
    assert still_to_come(network, recipe) == found.peak - found.parameters - found.buffers > 0
    assert still_to_come(network, recipe.replace(batch=256)) > still_to_come(network, recipe)
