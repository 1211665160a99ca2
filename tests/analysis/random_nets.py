"""Random networks for the analyses: those of `tests/network`, checked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "network"))

from random_models import Writer
from torch_layers import Huge

from cnnspec.network import Network, check
from cnnspec.source import Source


def networks(folder: Path, first: int) -> Iterator[tuple[int, Network]]:
    """Seeds and networks without end; what is refused is left out."""
    seed = first
    while True:
        seed += 1
        try:
            spec = Writer(seed, wrong=0.0).write()
        except Huge:
            continue
        for path, text in spec.files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)
        for network in check(Source(str(folder / "random.cnn"), spec.text)).networks:
            yield seed, network
