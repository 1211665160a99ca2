from __future__ import annotations

import json
import os
import random
from collections import Counter

import pytest
import torch
from random_nets import networks
from seen import Seen

from cnnspec.analysis.footprint import footprint

COUNT = int(os.environ.get("CNNSPEC_RANDOM_FIELDS", "100"))
LARGEST = 300_000
"""Larger networks are passed over: it is the connections that count."""


def as_mask(found):
    spatial = found.of.spatial
    mask = torch.zeros(spatial, dtype=torch.bool)
    for box in found.boxes:
        axes = [[at for at in range(size) if bits >> at & 1] for bits, size in zip(box, spatial, strict=True)]
        mask[torch.meshgrid(*map(torch.tensor, axes), indexing="ij")] = True
    return mask


def size(network):
    """How many numbers it takes to run, roughly."""
    return network.parameters + sum(placed.output.elements for placed in network.layers)


def branched(network):
    return any(node.kind != "aux" for node in combinators(network.root))


def combinators(node):
    for each in getattr(node, "inside", ()):
        if hasattr(each, "branches"):
            yield each
        yield from combinators(each)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("part", range(2))
def test_what_is_seen_is_what_the_gradient_says(part, tmp_path, record_property):
    rng, mix, count = random.Random(part), Counter(), 0
    for seed, network in networks(tmp_path, 1_000_000 * part):
        if not network.input.rank or not branched(network) or size(network) > LARGEST:
            continue
        seen = Seen(network)
        layers = [each for each in network.layers if not each.layer.bare]
        for placed in rng.sample(layers, min(len(layers), 4)):
            at = tuple(rng.randrange(size) for size in placed.output.spatial)
            found = footprint(network, placed.path, at)
            by_gradient = seen.by(placed, at)
            assert torch.equal(as_mask(found), by_gradient), (seed, placed.path, at)
            assert found.count == int(by_gradient.sum())
            mix.update({"places": 1, "boxes": len(found.boxes), f"{network.input.rank}-d": 1})
            mix.update({"part of the input": 0 < found.count < by_gradient.numel(), "nothing": not found.count})
        count += 1
        mix["specs"] += 1
        if count >= COUNT // 2:
            break
    record_property("counts", json.dumps(mix))


def test_of_a_place(steps):
    network = steps("1x9x9", "conv(1, 3, dilation=2)")
    found = footprint(network, "0", (0, 1))
    assert (found.hull, found.count) == (((0, 4), (1, 5)), 9)
    assert (2, 3) in found
    assert (1, 3) not in found
    assert list(found.rows()) == [0b101010, 0, 0b101010, 0, 0b101010, 0, 0, 0, 0]


def test_the_middle_unless_told_otherwise(steps):
    network = steps("1x8x9", "conv(1, 1)")
    assert footprint(network, "0").hull == ((4, 4), (4, 4))


def test_edges(steps):
    network = steps("1x6", "a: conv(1, 3, padding=1), b: conv(1, 3, padding=1, padding_mode=circular)")
    assert footprint(network, "a", (0,)).boxes == {(0b11,)}
    assert footprint(network, "b", (0,)).boxes == {(0b110111,)}


def test_crosses_are_no_boxes(steps):
    body = "concat { | conv(1, [1, 3], padding=[0, 1]) | conv(1, [3, 1], padding=[1, 0]) }, last: relu"
    found = footprint(steps("1x5x5", body), "last")
    assert (found.hull, found.count, (1, 1) in found) == (((1, 3), (1, 3)), 5, False)


def test_a_vector_sees_what_any_of_its_values_sees(steps):
    network = steps("1x5x5", "maxpool(2), flatten, head: linear(2)")
    assert (footprint(network, "head").hull, footprint(network, "head").count) == (((0, 3), (0, 3)), 16)
    assert footprint(steps("7", "linear(3)"), "0").count == 1


def test_groups_have_a_name_too(steps):
    network = steps("1x9", "part: { conv(1, 3), { conv(1, 3) } }, relu")
    assert footprint(network, "part").hull == footprint(network, "part.1.0").hull == ((2, 6),)


WRONG = [("2", None, KeyError), ("0", (5,), IndexError), ("0", (1, 1), IndexError)]


@pytest.mark.parametrize(("path", "at", "error"), WRONG)
def test_what_is_not_there(steps, path, at, error):
    with pytest.raises(error):
        footprint(steps("1x5", "conv(1, 1)"), path, at)


def test_a_place_between_what_a_stride_spreads_sees_nothing(steps):
    found = footprint(steps("1x4", "conv_transpose(1, 1, stride=2)"), "0", (1,))
    assert (found.hull, found.count) == ((), 0)
