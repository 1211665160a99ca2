"""torchvision's own networks, to compare the zoo's with; and what the tests of the zoo share."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from published import table
from torch import nn

import cnnspec
from cnnspec.data.vision import import_torchvision
from cnnspec.network import Network

import_torchvision()
from torchvision import models  # noqa: E402

PUBLISHED = table()

EXTRA_HEADS = {"googlenet": False, "inception_v3": True}
"""Networks with side outputs, and whether they are there by default in the zoo. In torchvision they are in both."""

RUN = (
    "alexnet resnet18 resnet50 squeezenet1_1 densenet121 googlenet mobilenet_v2 mobilenet_v3_small mnasnet0_5 "
    "shufflenet_v2_x0_5 efficientnet_b0 regnet_y_400mf convnext_tiny"
)
"""Networks that every run of the tests fills with numbers: each kind of block is among them. `CNNSPEC_ZOO=all` takes
all 68, which needs ten minutes and 12 GB of memory; names with blanks between them take these."""

CHOSEN = os.environ.get("CNNSPEC_ZOO", RUN)
NUMBERS = list(PUBLISHED) if CHOSEN == "all" else CHOSEN.split()


def size_of(name: str) -> int:
    """A small input: 40x40 gives most of them 2x2 in the end. Inception's extra head wants more."""
    return 299 if name == "inception_v3" else max(40, PUBLISHED[name]["min_size"])


def zoo(name: str, **options: Any) -> Network:
    return cnnspec.load(f"zoo:{name}", set=options, input=[3, size_of(name), size_of(name)])


def torchvision(name: str, **options: Any) -> nn.Module:
    """torchvision's network with fresh weights."""
    if name in EXTRA_HEADS:
        options = {"aux_logits": EXTRA_HEADS[name]} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        module: nn.Module = models.get_model(name, **options)
    return module


def on_meta(name: str, **options: Any) -> nn.Module:
    """torchvision's network without numbers. RegNet computes its widths with tensors, so only what comes after that
    can be on the meta device."""
    if not name.startswith("regnet"):
        with torch.device("meta"):
            return torchvision(name, **options)
    make: Callable[..., nn.Module] = models.regnet.RegNet

    def without_numbers(*args: Any, **kwargs: Any) -> nn.Module:
        with torch.device("meta"):
            return make(*args, **kwargs)

    with patch.object(models.regnet, "RegNet", without_numbers):
        return torchvision(name, **options)


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


@contextmanager
def watched(module: nn.Module, see: Callable[[str, nn.Module], None]) -> Iterator[None]:
    """Calls `see` with the path of every module that runs, when it begins."""
    names = {each: name for name, each in module.named_modules()}
    hooks = [each.register_forward_pre_hook(lambda each, _: see(names[each], each)) for each in module.modules()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
