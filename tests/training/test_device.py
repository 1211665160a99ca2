from __future__ import annotations

import pytest
import torch

from cnnspec.training.device import NoDevice, available, pick_device


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2 if cuda else 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_order(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, best: str) -> None:
    pretend(monkeypatch, cuda=cuda, mps=mps)
    assert pick_device().type == best
    assert available()[-1] == "cpu"


def test_the_name_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, mps=False)
    assert pick_device("cpu").type == "cpu"
    assert pick_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize("name", ["cuda", "mps", "gpu", "xpu", "meta", "", "cuda:x"])
def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pretend(monkeypatch, cuda=False, mps=False)
    with pytest.raises(NoDevice, match="here"):
        pick_device(name)


def test_too_high_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, mps=False)
    with pytest.raises(NoDevice, match="the last is cuda:1"):
        pick_device("cuda:2")
