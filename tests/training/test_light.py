from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from cnnspec.training.light import lighten, with_compiler, without_compiler

WATCHED = """
import sys
from cnnspec.cli import main
from cnnspec.training import loop

begun = []

class Quick(loop.Quick):
    def __call__(self, chosen):
        begun.append(begun or print("first step:", "torch._dynamo" in sys.modules, "matplotlib.axes" in sys.modules))
        super().__call__(chosen)

loop.Quick = Quick
try:
    main(sys.argv[1:])
finally:
    print("end:", "torch._dynamo" in sys.modules)
"""


def test_the_compiler_is_not_imported(tmp_path: Path) -> None:
    """Neither for the first step, nor for checkpoints; pictures wait until they are drawn."""
    (tmp_path / "a.cnn").write_text(
        "model A { input 1x4x4\n flatten, linear(2) }\n"
        "train { data: random(1x4x4, 2, samples=40)\n epochs: 1\n ema: 0.5\n clip: 1\n schedule: onecycle }"
    )
    command = [sys.executable, "-c", WATCHED, "train", str(tmp_path / "a.cnn"), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "first step: False False" in done.stdout, done.stdout + done.stderr
    assert "end: False" in done.stdout


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_a_light_step_is_the_same(kind: type[torch.optim.Optimizer]) -> None:
    found = []
    for light in (False, True):
        torch.manual_seed(0)
        model = nn.Linear(3, 2)
        optimizer = kind(model.parameters(), lr=0.1, weight_decay=0.01)  # type: ignore[call-arg]
        if light:
            lighten(optimizer)
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(4, 3)).square().sum().backward()
            optimizer.step()
        found.append(torch.cat([weight.detach().flatten() for weight in model.parameters()]))
        assert all(weight.requires_grad for weight in model.parameters())
    assert torch.equal(*found)


def test_what_was_taken_away_comes_back() -> None:
    plain = torch.optim.Optimizer.zero_grad.__wrapped__  # type: ignore[attr-defined]
    with_compiler()
    before = vars(plain).get("__dynamo_disable")
    without_compiler()
    with_compiler()
    assert vars(plain).get("__dynamo_disable") is before
