from __future__ import annotations

from cnnspec.analysis.memory import activations
from cnnspec.layers.conv import Conv
from cnnspec.layers.pool import MaxPool
from cnnspec.layers.shape import Flatten


def test_activations(chain):
    found = activations(chain((3, 32, 32), Conv(16, 3, padding=1), MaxPool(2), Flatten()))
    assert [a.elements for a in found] == [16 * 32 * 32, 16 * 16 * 16, 4096]
    assert [a.bytes for a in found] == [65_536, 16_384, 16_384]
