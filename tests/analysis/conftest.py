from __future__ import annotations

from collections.abc import Callable

import pytest

from cnnspec.layers.base import Layer, Shape
from cnnspec.network.model import GroupNode, LayerNode, Network
from cnnspec.source import Source

Chain = Callable[..., Network]


def make(sizes: tuple[int, ...], *layers: Layer) -> Network:
    source = Source("<test>", "model Test")
    span = source.span(0, 5)
    first = x = Shape(sizes)
    nodes = []
    for index, layer in enumerate(layers):
        y = layer.output(x)
        nodes.append(LayerNode(str(index), str(index), False, layer, x, y, span))
        x = y
    root = GroupNode("", "", False, tuple(nodes), None, first, x, span)
    return Network("Test", source, root, arguments={}, recipe=None, folder=".")


@pytest.fixture
def chain() -> Chain:
    """Makes a network of layers one after another: `chain((3, 32, 32), Conv(8, 3), ReLU())`."""
    return make
