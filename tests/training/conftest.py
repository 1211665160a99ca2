"""Small networks and runs that take a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from cnnspec.network import Network, load
from cnnspec.source import Source
from cnnspec.training import Run, train

DIGITS = """
model Tiny(classes=10) {
  input 1x8x8
  conv(8, 3, padding=1), relu, maxpool(2)
  flatten
  linear(classes)
}
train {
  data: digits
  optimizer: adamw(lr=0.01)
  batch: 64
  epochs: 3
}
"""

CIRCLES = """
model Points {
  input 2
  linear(16), tanh
  linear(1)
}
train {
  data: circles(samples=400)
  optimizer: adam(lr=0.02)
  batch: 32
  epochs: 3
}
"""


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Networks this small are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take longer than the training."""
    for name in ("curves", "confusion", "filters"):
        monkeypatch.setattr(f"cnnspec.training.plots.{name}", lambda *_: b"")


@pytest.fixture
def network() -> Callable[..., Network]:
    """A network from text, with settings overridden: `network(DIGITS, epochs=1)`."""

    def make(text: str = DIGITS, **settings: object) -> Network:
        given = {f"train.{name}": value for name, value in settings.items()}
        return load(Source("<spec>", text), set=given, train=True)

    return make


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on digits."""
    folder: Path = tmp_path_factory.mktemp("runs") / "digits"
    return train(load(Source("<spec>", DIGITS), train=True), out=folder, device="cpu")


@pytest.fixture(scope="session")
def circles_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on points of the plane, with one output."""
    folder: Path = tmp_path_factory.mktemp("runs") / "circles"
    return train(load(Source("<spec>", CIRCLES), train=True), out=folder, device="cpu")
