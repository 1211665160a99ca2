"""Without numbers: all 68 have torchvision's parameters, and its settings layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from reference import EXTRA_HEADS, PUBLISHED, on_meta, shapes, size_of, watched, zoo
from torch import nn

import cnnspec

CASES = [pytest.param(name, {}, id=name) for name in PUBLISHED]
CASES += [
    pytest.param(name, {"aux_logits": not default}, id=f"{name}-{'without' if default else 'with'}")
    for name, default in EXTRA_HEADS.items()
]

SETTINGS = {
    "Conv2d": "in_channels out_channels kernel_size stride padding dilation groups padding_mode",
    "Linear": "in_features out_features",
    "BatchNorm2d": "num_features eps momentum affine track_running_stats",
    "LayerNorm": "normalized_shape eps elementwise_affine",
    "LayerNorm2d": "normalized_shape eps elementwise_affine",
    "Dropout": "p",
    "StochasticDepth": "p mode",
}
"""What is compared of each kind of module that has weights, or draws."""


def setting(path: str, module: nn.Module) -> Iterator[tuple[Any, ...]]:
    """Kind and settings of a module, with its path where it has weights. Numbers to twelve places: a rate that is
    worked out may differ in the last bit."""
    kind = type(module).__name__
    if kind in SETTINGS:
        values = [getattr(module, name) for name in SETTINGS[kind].split()]
        rounded = [float(f"{value:.12g}") if isinstance(value, float) else value for value in values]
        yield (kind, path if list(module.parameters()) else "", *rounded)


def settings(module: nn.Module) -> list[tuple[Any, ...]]:
    """Of all modules, which cnnspec makes in the order they run."""
    return [found for path, each in module.named_modules() for found in setting(path, each)]


def settings_that_run(module: nn.Module, size: int, *, training: bool = False) -> list[tuple[Any, ...]]:
    """Of the modules that run, in the order they run: torchvision makes some that never do."""
    found: list[tuple[Any, ...]] = []
    with watched(module.train(training), lambda path, each: found.extend(setting(path, each))):
        module(torch.empty(2, 3, size, size, device="meta"))
    return found


@pytest.mark.parametrize(("name", "options"), CASES)
def test_names_shapes_and_settings(name: str, options: dict[str, Any]) -> None:
    theirs = on_meta(name, **options)
    with torch.device("meta"):
        ours = cnnspec.build(zoo(name, **options))
    assert shapes(ours) == shapes(theirs)
    if name != "googlenet":  # whose extra heads torchvision makes after everything else
        assert list(shapes(ours)) == list(shapes(theirs))
    assert settings(ours) == settings_that_run(theirs, size_of(name), training=name in EXTRA_HEADS)


def test_a_setting_that_differs_is_seen() -> None:
    theirs = on_meta("mobilenet_v2")
    right = settings_that_run(theirs, 32)
    for module in theirs.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.3
    wrong = settings_that_run(theirs, 32)
    assert [one for one, other in zip(right, wrong, strict=True) if one != other] == [("Dropout", "", 0.2)]
