from __future__ import annotations

from collections.abc import Callable

import pytest

from cnnspec.layers.base import Layer, Shape
from cnnspec.network import load
from cnnspec.network.model import GroupNode, LayerNode, Network
from cnnspec.source import Source

Chain = Callable[..., Network]


def make(sizes: tuple[int, ...], *layers: Layer) -> Network:
    source = Source("<test>", "model Test")
    first = x = Shape(sizes)
    nodes = []
    for index, layer in enumerate(layers):
        y = layer.output(x)
        nodes.append(LayerNode(str(index), False, layer, x, y, step=None))  # type: ignore[arg-type]
        x = y
    root = GroupNode("", False, tuple(nodes), None, first, x, None, source.span(0, 5))
    return Network("Test", source, root, arguments={}, recipe=None, folder=".")


@pytest.fixture
def chain() -> Chain:
    """Makes a network of layers one after another: `chain((3, 32, 32), Conv(8, 3), ReLU())`."""
    return make


@pytest.fixture
def steps() -> Callable[..., Network]:
    """Makes a network of steps as a spec writes them: `steps("3x32x32", "conv(8, 3), relu")`; `blocks` stand before
    the model."""

    def write(shape: str, body: str, blocks: str = "") -> Network:
        return load(Source("<test>", f"{blocks}\nmodel Test {{\n  input {shape}\n  {body}\n}}\n"))

    return write
