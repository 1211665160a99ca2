from __future__ import annotations

import pytest

from cnnspec.analysis.counts import Counts, counts, total
from cnnspec.layers.activation import ReLU
from cnnspec.layers.conv import Conv
from cnnspec.layers.dropout import Dropout
from cnnspec.layers.linear import Linear
from cnnspec.layers.norm import BatchNorm
from cnnspec.layers.pool import MaxPool
from cnnspec.layers.shape import Flatten


def pair(width):
    return [Conv(width, 3, padding=1), ReLU(), Conv(width, 3, padding=1), ReLU(), MaxPool(2)]


def test_tinycnn(chain):
    network = chain((3, 32, 32), *pair(32), *pair(64), Flatten(), Linear(256), ReLU(), Dropout(0.5), Linear(10))
    each = [c.parameters for c in counts(network) if c.parameters]
    assert each == [896, 9_248, 18_496, 36_928, 1_048_832, 2_570]
    assert sum(each[:4]) == 65_568
    assert round(100 * each[4] / network.parameters) == 94
    assert total(counts(network)) == Counts(1_116_970, 0)


def test_buffers_are_counted_apart(chain):
    (norm,) = counts(chain((16, 8, 8), BatchNorm()))
    assert norm == Counts(parameters=32, buffers=16 + 16 + 1)


@pytest.mark.parametrize(
    ("shape", "layer", "expected"), [((3, 8, 8), Conv(16, 3), 448), ((784,), Linear(1000), 785_000), ((9,), ReLU(), 0)]
)
def test_facts_of_lessons(chain, shape, layer, expected):
    assert chain(shape, layer).parameters == expected


def test_side_outputs_count(steps):
    network = steps("3x4x4", "conv(2, 1), aux { batchnorm, flatten, linear(10) }")
    assert total(counts(network)) == Counts(8 + 4 + 330, 5)
    assert network.parameters == 342


def test_each_layer_has_its_own_counts_in_reading_order(steps):
    network = steps("3x4x4", "add { | conv(3, 1) | { conv(3, 3, padding=1) } }, factor: scale")
    assert [one.parameters for one in counts(network)] == [12, 84, 3]
