"""Fifty networks of timm's convolutional families, drawn once, and how many of them `cnnspec port` brings over whole.

python benchmarks/port_timm.py draw     # the draw again, from the timm that is installed
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

FAMILIES = """
byobnet convmixer convnext cspnet cspnext densenet dla dpn efficientnet fasternet ghostnet hardcorenas hgnet hrnet
inception_next inception_resnet_v2 inception_v3 inception_v4 lcnetv2 mobilenetv3 nasnet nfnet pnasnet rdnet regnet repghost
repvit res2net resnest resnet resnetv2 rexnet selecsls senet sknet starnet tresnet vgg vovnet xception xception_aligned
""".split()
"""The modules of timm.models whose networks are convolutional by design. Attention over positions, state spaces and
mixers of tokens are not among them; gates on channels are."""

SEED, COUNT = 2026, 50

NAMES = Path(__file__).with_name("port_timm.txt")


def draw() -> list[str]:
    """The names, each with the same chance; drawn from timm 1.0.31."""
    from cnnspec.data.vision import import_torchvision

    import_torchvision()
    import timm

    names = sorted(name for family in FAMILIES for name in timm.list_models(module=family))
    return sorted(random.Random(SEED).sample(names, COUNT))


if __name__ == "__main__":
    if sys.argv[1:] == ["draw"]:
        print("\n".join(draw()))
    else:
        sys.exit(__doc__)
