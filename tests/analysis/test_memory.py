from __future__ import annotations

from cnnspec.analysis.memory import activations
from cnnspec.layers.conv import Conv
from cnnspec.layers.pool import MaxPool
from cnnspec.layers.shape import Flatten


def test_activations(chain):
    found = activations(chain((3, 32, 32), Conv(16, 3, padding=1), MaxPool(2), Flatten()))
    assert [a.elements for a in found] == [16 * 32 * 32, 16 * 16 * 16, 4096]
    assert [a.bytes for a in found] == [65_536, 16_384, 16_384]


def test_a_layer_is_counted_where_it_runs_only_in_training(steps):
    network = steps("3x4x4", "conv(2, 1), aux { flatten, linear(10) }, relu")
    assert [a.elements for a in activations(network)] == [32, 32, 10, 32]
