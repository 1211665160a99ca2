"""A built module runs the same ATen operations in the same order as the module that one would write by hand, forward
and backward, and PyTorch's compiler takes it in one piece.

The operations are those of tensors without memory, so large networks are quick.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import cnnspec
from cnnspec.data.vision import import_torchvision

torchvision = import_torchvision()
EXAMPLES = Path(__file__).parents[1] / "examples"


class TinyCNN3(nn.Module):
    def __init__(self) -> None:
        super().__init__()

        def pair(before: int, after: int) -> nn.Sequential:
            return nn.Sequential(
                nn.Conv2d(before, after, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(after, after, 3, padding=1),
                nn.ReLU(),
                nn.MaxPool2d(2),
            )

        self.features = nn.Sequential(pair(3, 32), pair(32, 64), pair(64, 128))
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(2048, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))  # type: ignore[no-any-return]


class SimpleCNNBN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32)
        self.conv2, self.norm2 = nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64)
        self.pool, self.relu, self.dropout = nn.MaxPool2d(2), nn.ReLU(), nn.Dropout(0.5)
        self.first, self.last = nn.Linear(3136, 128), nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.norm1(self.conv1(x))))
        x = self.pool(self.relu(self.norm2(self.conv2(x))))
        x = self.dropout(self.relu(self.first(torch.flatten(x, 1))))
        return self.last(x)  # type: ignore[no-any-return]


BY_HAND: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "tinycnn3": (TinyCNN3, (3, 32, 32)),
    "simplecnn_bn": (SimpleCNNBN, (1, 28, 28)),
}
SOME = ["alexnet", "vgg11_bn", "squeezenet1_1", "resnet18", "resnext50_32x4d", "mobilenet_v2", "mobilenet_v3_small"]


class Log(TorchDispatchMode):
    """Every operation that is run, with the shapes and numbers that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.run: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [*map(described, args), *(f"{name}={described(value)}" for name, value in (kwargs or {}).items())]
        self.run.append(f"{func}({', '.join(given)})")
        return func(*args, **(kwargs or {}))


def described(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{value.dtype} {list(value.shape)}"
    if isinstance(value, float):
        return f"{value:.9g}"  # 0.0003 is also written 1 - 0.9997
    return f"[{', '.join(map(described, value))}]" if isinstance(value, list | tuple) else repr(value)


def operations(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> list[str]:
    """Of a forward and a backward pass in training."""
    with torch.device("meta"):
        module, log = make().train(), Log()
        x = torch.empty(4, *shape, requires_grad=True)
    with log:
        module(x).sum().backward()
    return log.run


@pytest.mark.parametrize("name", BY_HAND)
def test_those_of_a_lesson(name: str) -> None:
    by_hand, shape = BY_HAND[name]
    built = operations(lambda: cnnspec.build(EXAMPLES / f"{name}.cnn"), shape)
    assert built == operations(by_hand, shape)
    assert sum("convolution" in line for line in built) >= 4


@pytest.mark.parametrize("name", SOME)
def test_those_of_torchvision(name: str) -> None:
    """Those that are written alike there. torchvision overwrites the input of activations and of sums to save memory; a
    sum that does is counted as the same, activations are asked not to."""
    expected = operations(lambda: without_overwriting(getattr(torchvision.models, name)()), (3, 224, 224))
    built = operations(lambda: cnnspec.build(f"zoo:{name}"), (3, 224, 224))
    assert sums_alike(built) == sums_alike(expected)


def sums_alike(lines: list[str]) -> list[str]:
    return [line.replace("aten.add_.Tensor", "aten.add.Tensor") for line in lines]


def without_overwriting(module: nn.Module) -> nn.Module:
    for part in module.modules():
        if hasattr(part, "inplace"):
            part.inplace = False  # type: ignore[assignment]
    return module


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spec", [str(EXAMPLES / "tinycnn3.cnn"), "zoo:resnet18"])
def test_the_compiler_takes_it_whole(spec: str) -> None:
    """Also the backward pass is one piece then: it is that of the one graph."""
    module = cnnspec.build(spec)
    network = cnnspec.load(spec)
    found = torch._dynamo.explain(module)(torch.zeros(2, *network.input.sizes))
    assert (found.graph_count, found.graph_break_count) == (1, 0)
