"""Fifty networks of timm's convolutional families, drawn once, and how many of them `cnnspec port` brings over whole.

python benchmarks/port_timm.py draw     # the draw again, from the timm that is installed
python benchmarks/port_timm.py run      # all of them, with numbers, into port_timm_results.txt
python benchmarks/port_timm.py run convmixer_1536_20 vgg11
"""

from __future__ import annotations

import gc
import random
import sys
import time
from pathlib import Path
from typing import Any

# fmt: off
FAMILIES = [
    "byobnet", "convmixer", "convnext", "cspnet", "cspnext", "densenet", "dla", "dpn", "efficientnet", "fasternet",
    "ghostnet", "hardcorenas", "hgnet", "hrnet", "inception_next", "inception_resnet_v2", "inception_v3",
    "inception_v4", "lcnetv2", "mobilenetv3", "nasnet", "nfnet", "pnasnet", "rdnet", "regnet", "repghost", "repvit",
    "res2net", "resnest", "resnet", "resnetv2", "rexnet", "selecsls", "senet", "sknet", "starnet", "tresnet", "vgg",
    "vovnet", "xception", "xception_aligned",
]
# fmt: on
"""The modules of timm.models whose networks are convolutional by design. Attention over positions, state spaces and
mixers of tokens are not among them; gates on channels are."""

SEED, COUNT = 2026, 50

NAMES = Path(__file__).with_name("port_timm.txt")
RESULTS = Path(__file__).with_name("port_timm_results.txt")


def timm() -> Any:
    from cnnspec.data.vision import import_torchvision

    import_torchvision()
    import timm

    return timm


def draw() -> list[str]:
    """The names, each with the same chance; drawn from timm 1.0.31."""
    names = sorted(name for family in FAMILIES for name in timm().list_models(module=family))
    return sorted(random.Random(SEED).sample(names, COUNT))


def ported(name: str) -> tuple[bool, str]:
    """Whether a network came over whole, and what is to be said of it."""
    from cnnspec.porting import port_module
    from cnnspec.porting.source import made, named

    found = made(named(f"timm:{name}"))
    assert found.sizes is not None
    begin = time.perf_counter()
    result = port_module(found.module, found.sizes, name=name, facts=found.facts)
    seconds = time.perf_counter() - begin
    shape = "x".join(map(str, found.sizes))
    told = f"{name:28} {shape:11} {len(result.text.splitlines()):4} lines {seconds:5.1f} s  "
    if result.whole:
        return True, told + "whole"
    kinds = dict.fromkeys(note.text for note in result.notes) or dict.fromkeys(error.message for error in result.errors)
    first, *others = kinds or [result.compared]
    places = f", in {len(result.notes)} places" if len(result.notes) > 1 else ""
    more = f"; and {len(others)} more kinds" if others else ""
    return False, told + f"not whole: {first}{more}{places}"


def run(names: list[str]) -> None:
    import torch

    lines = [f"torch {torch.__version__.partition('+')[0]}, timm {timm().__version__}, seed {SEED}", ""]
    wholes = 0
    for name in names:
        torch.manual_seed(0)
        whole, line = ported(name)
        wholes += whole
        lines.append(line)
        print(line, flush=True)
        gc.collect()
    lines += ["", f"{wholes} of {len(names)} came over whole: the same names, count and, with the same weights, bits."]
    print(lines[-1])
    if len(names) == COUNT:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["draw"]:
        print("\n".join(draw()))
    elif sys.argv[1:2] == ["run"]:
        run(sys.argv[2:] or NAMES.read_text(encoding="utf-8").split())
    else:
        sys.exit(__doc__)
