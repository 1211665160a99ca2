"""Activations: a function applied to every value by itself, and softmax."""

from __future__ import annotations

from typing import ClassVar

from cnnspec.layers.base import Layer, Shape, TorchCall


class Activation(Layer):
    """Base of the layers that keep the shape; `module` is PyTorch's name of them."""

    module: ClassVar[str]

    def output(self, x: Shape) -> Shape:
        return x

    def torch(self, x: Shape) -> TorchCall:
        return TorchCall(f"nn.{self.module}")


class ReLU(Activation):
    """max(0, x)"""

    word, module = "relu", "ReLU"
    example = "relu @ 16x8x8"
