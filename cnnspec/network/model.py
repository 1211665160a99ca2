"""The checked network: blocks expanded, names resolved, every shape known. Immutable and complete."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from cnnspec.layers.base import Layer, Shape, TorchCall, Weights
from cnnspec.recipe import Recipe
from cnnspec.record import Record
from cnnspec.source import Source, Span


class LayerNode(Record):
    """One layer at its place. `path` is its name in the `state_dict` (`features.0.conv1`), `key` the last part of it;
    `labelled` tells whether the key was written or is a position. `span` is the call in the text."""

    path: str
    key: str
    labelled: bool
    layer: Layer
    input: Shape
    output: Shape
    span: Span

    @cached_property
    def weights(self) -> Weights:
        return self.layer.weights(self.input)

    @property
    def torch(self) -> TorchCall:
        return self.layer.torch(self.input)


class BlockUse(Record):
    """The block a group was expanded from: its name and the values of all its arguments, defaults included."""

    name: str
    arguments: dict[str, Any]
    span: Span


class GroupNode(Record):
    """A submodule: braces, a block (`block` says which) or the whole model (`path` is empty).

    `children` run one after another."""

    path: str
    key: str
    labelled: bool
    children: tuple[LayerNode | GroupNode, ...]
    block: BlockUse | None
    input: Shape
    output: Shape
    span: Span

    def layers(self) -> Iterator[LayerNode]:
        """All layers below, in the order they run."""
        for child in self.children:
            if isinstance(child, LayerNode):
                yield child
            else:
                yield from child.layers()


Node = LayerNode | GroupNode


class Network(Record):
    """A model of a spec that was checked without errors.

    `recipe` is None where the spec says nothing about training; relative paths in it start at `folder`."""

    name: str
    source: Source
    root: GroupNode
    arguments: dict[str, Any]
    recipe: Recipe | None
    folder: str

    def __repr__(self) -> str:
        return f"<Network {self.name}: {self.input} -> {self.output}, {self.parameters:,} parameters>"

    @property
    def input(self) -> Shape:
        return self.root.input

    @property
    def output(self) -> Shape:
        return self.root.output

    @cached_property
    def layers(self) -> tuple[LayerNode, ...]:
        """All layers, in the order they run."""
        return tuple(self.root.layers())

    @property
    def parameters(self) -> int:
        """How many numbers the network learns."""
        return sum(node.weights.count for node in self.layers)
