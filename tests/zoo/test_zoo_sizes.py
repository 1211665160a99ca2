"""The smallest input of every network of the zoo is the one that torchvision publishes, or that torch runs."""

from __future__ import annotations

import os

import pytest
import torch
from published import table
from reference import on_meta

import cnnspec
from cnnspec.network.anysize import all_sizes
from cnnspec.sizes.sets import between

PUBLISHED = table()

SMALLER = ("efficientnet_v2_s", "efficientnet_v2_m", "efficientnet_v2_l")
"""torchvision says 33 of them, and they run for less."""

ALL = os.environ.get("CNNSPEC_ZOO") == "all"


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_smallest_input_is_the_published_one(name: str) -> None:
    answer = all_sizes(cnnspec.load(f"zoo:{name}"))
    least = 1 if name in SMALLER else PUBLISHED[name]["min_size"]
    assert answer.smallest == (least, least)
    assert answer.boxes == ({"H": between(least), "W": between(least)},)
    assert [text for text, _ in answer.outputs] == ["1000"]
    assert not answer.limit


@pytest.mark.parametrize("name", SMALLER if ALL else SMALLER[:1])
def test_torch_runs_what_is_smaller_than_published(name: str) -> None:
    module = on_meta(name).eval()
    for height, width in ((1, 1), (1, 32), (17, 16), (33, 33)):
        assert module(torch.empty(1, 3, height, width, device="meta")).shape == (1, 1000)
    assert PUBLISHED[name]["min_size"] == 33


LIMITED = ("alexnet", "googlenet", "squeezenet1_0", "vgg11", "convnext_tiny", "densenet121", "inception_v3")


def test_torch_runs_it_on_numbers_too() -> None:
    module = cnnspec.build("zoo:efficientnet_v2_s").eval()
    assert module(torch.zeros(1, 3, 1, 1)).shape == (1, 1000)


@pytest.mark.parametrize("name", LIMITED if ALL else LIMITED[:3])
def test_torch_refuses_what_is_one_smaller(name: str) -> None:
    module, least = on_meta(name).eval(), PUBLISHED[name]["min_size"]
    module(torch.empty(1, 3, least, least, device="meta"))
    for height, width in ((least - 1, least), (least, least - 1)):
        with pytest.raises(RuntimeError):
            module(torch.empty(1, 3, height, width, device="meta"))


def test_side_outputs_want_more() -> None:
    network = cnnspec.load("zoo:inception_v3", set={"aux_logits": True})
    assert all_sizes(network).smallest == (75, 75)
    least = all_sizes(network, training=True).smallest
    module = on_meta("inception_v3").train()
    assert least
    module(torch.empty(2, 3, *least, device="meta"))
    with pytest.raises(RuntimeError):
        module(torch.empty(2, 3, least[0] - 1, least[1], device="meta"))
