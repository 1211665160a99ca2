"""Random specs of the whole language: what is emitted is the network in memory, in names, weights and outputs.

`CNNSPEC_RANDOM_EMISSIONS=2000 pytest tests/emission/test_random_networks.py` runs more of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from random_models import Writer
from running import assert_identical, make
from torch_layers import Huge

from cnnspec.building import build_module
from cnnspec.emission import Style, emit
from cnnspec.network import Network, check
from cnnspec.source import Source

COUNT = int(os.environ.get("CNNSPEC_RANDOM_EMISSIONS", "120"))
PARTS = 4
LARGEST = 3_000_000
"""Networks with more parameters, or more values on their maps, are only made and not run."""


def drawn(seed: int, folder: Path) -> tuple[Network, ...]:
    """The networks of one random spec without faults."""
    try:
        spec = Writer(seed, wrong=0).write()
    except Huge:
        return ()
    for path, text in spec.files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    found = check(Source(str(folder / "random.cnn"), spec.text))
    return () if found.errors else tuple(found.networks)


def disagreement(network: Network, style: Style) -> str:
    source = emit(network, style=style)
    size = sum(placed.node.output.elements for placed in network.layers) + network.parameters
    try:
        torch.manual_seed(0)
        built = build_module(network)
        assert_identical(make(source), built, network.input.sizes, runs=size < LARGEST)
    except Exception as error:
        return f"{type(error).__name__}: {error}\n{source}"
    return ""


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("part", range(PARTS))
def test_it_is_the_network_in_memory(part: int, tmp_path: Path) -> None:
    faults, tried = [], 0
    for seed in range(part, COUNT, PARTS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        for network in drawn(seed, folder):
            if network.parameters > 30 * LARGEST:
                continue
            for style in ("sequential", "forward"):
                tried += 1
                if wrong := disagreement(network, style):  # type: ignore[arg-type]
                    faults.append(f"=== seed {seed}, {network.name}, {style}\n{network.source.text}\n{wrong}")
    assert not faults, f"{len(faults)} of {tried}\n" + "\n".join(faults[:3])
    assert tried > COUNT // PARTS
