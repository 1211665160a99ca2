"""torchvision's own networks, ported: the same names, the same count, the same bits.

`CNNSPEC_PORT=all pytest tests/porting/test_port_zoo.py` ports all 68, which needs ten minutes and 4 GB of memory;
names with blanks between them take these.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from reference import EXTRA_HEADS, PUBLISHED, size_of, torchvision

import cnnspec
from cnnspec.porting import Ported, port_module
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

RUN = "resnet18 resnet50 googlenet shufflenet_v2_x0_5 mobilenet_v3_small convnext_tiny"
CHOSEN = os.environ.get("CNNSPEC_PORT", RUN)
NAMES = list(PUBLISHED) if CHOSEN == "all" else CHOSEN.split()

ROOT = Path(__file__).parents[2]


@cache
def ported(name: str, aux: bool = False) -> Ported:
    torch.manual_seed(0)
    options: dict[str, Any] = {"aux_logits": True} if aux else {}
    size = size_of(name)
    return port_module(torchvision(name, **options), (3, size, size), name=name)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_network(name: str) -> None:
    result = ported(name)
    assert not result.notes
    assert result.verified is not None
    assert result.verified.told == (
        f"the original's names and {PUBLISHED[name]['parameters']:,} parameters; with its weights the same comes out, "
        "bit for bit"
    )
    assert result.whole
    assert cnnspec.check(result.source).errors == ()


@pytest.mark.parametrize("name", [name for name in NAMES if name in EXTRA_HEADS])
def test_side_outputs(name: str) -> None:
    result = ported(name, aux=True)
    assert result.whole
    assert {placed.path.partition(".")[0] for placed in result.network.layers if placed.side} == {  # type: ignore[union-attr]
        path.partition(".")[0]
        for path in torchvision(name, aux_logits=True).state_dict()
        if path.lower().startswith("aux")
    }


def code_lines(text: str) -> int:
    """Without comments and blank lines."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in text.splitlines())


@pytest.mark.skipif("resnet50" not in NAMES, reason="resnet50 is not among the networks chosen")
def test_resnet50_is_short() -> None:
    """Beside what the file in the zoo needs for this one: a block, the model and a preset."""
    text = (ROOT / "examples" / "zoo" / "resnet.cnn").read_text(encoding="utf-8")
    wanted = [
        item.span.text
        for item in parse(cnnspec.text(text)).file.items
        if isinstance(item, tree.Block | tree.Model | tree.Preset)
        and item.name.text in ("Bottleneck", "ResNet", "resnet50")
    ]
    by_hand = sum(map(code_lines, wanted))
    assert len(wanted) == 3
    assert code_lines(ported("resnet50").text) <= 2 * by_hand
    assert code_lines(ported("resnet50").text) <= by_hand + 2


@pytest.mark.skipif("resnet18" not in NAMES, reason="resnet18 is not among the networks chosen")
def test_what_a_port_looks_like() -> None:
    assert (
        ported("resnet18").text
        == """\
# Ported from resnet18 by cnnspec.
block BasicBlock(width, stride=1) {
  add {
    | conv1: conv(width, 3, stride=stride, padding=1, bias=false), bn1: batchnorm, relu
      conv2: conv(width, 3, padding=1, bias=false), bn2: batchnorm
    | if x.channels != width {
        downsample: { conv(width, 1, stride=2, bias=false), batchnorm }
      }
  }
  relu
}

model resnet18 {
  input 3x40x40

  conv1: conv(64, 7, stride=2, padding=3, bias=false), bn1: batchnorm, relu
  maxpool(3, stride=2, padding=1)
  for i, width, stride in zip(range(1, 5), [64, 128, 256, 512], [1, 2, 2, 2]) {
    "layer{i}": {
      BasicBlock(width, stride)
      BasicBlock(width)
    }
  }
  adaptive_avgpool(1), flatten
  fc: linear(1000)
  assert parameters == 11_689_512
}
"""
    )
