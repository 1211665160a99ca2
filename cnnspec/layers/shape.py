"""Layers that change the shape and compute nothing."""

from __future__ import annotations

from typing import ClassVar

from cnnspec.layers.base import Layer, Reach, Shape, TorchCall


class Flatten(Layer):
    """Lays all values of a map in one row of features."""

    word = "flatten"
    reach: ClassVar[Reach] = "all"
    example = "flatten @ 128x4x4"

    def output(self, x: Shape) -> Shape:
        return Shape((x.elements,))

    def arithmetic(self, x: Shape) -> str:
        return f"{' * '.join(map(str, x.sizes))} = {x.elements}" if x.rank else ""

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.Flatten")


class Identity(Layer):
    """Passes on what it is given."""

    word = "identity"
    example = "identity @ 16x8x8"

    def output(self, x: Shape) -> Shape:
        return x

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall("nn.Identity")
