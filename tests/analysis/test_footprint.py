from __future__ import annotations

import json
import os
import random
from collections import Counter
from itertools import product

import pytest
import torch
from random_nets import networks
from seen import Seen

from cnnspec.analysis.footprint import footprint

COUNT = int(os.environ.get("CNNSPEC_RANDOM_FIELDS", "120"))


def as_mask(found):
    spatial = found.of.spatial
    mask = torch.zeros(spatial, dtype=torch.bool)
    for at in product(*map(range, spatial)):
        mask[at] = at in found
    return mask


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
        if not network.input.rank or not branched(network) or network.input.elements > 20_000:
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
