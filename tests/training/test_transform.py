"""A transform of the user's own: one sample at a time, the same every time, and told where it is wrong."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from killing import outcome
from stops import stopping_after
from test_resume import stopped
from torch import Tensor

import cnnspec
from cnnspec.data.parts import Part
from cnnspec.data.vision import import_torchvision
from cnnspec.network import Network
from cnnspec.training import BadRun, TrainError, compare, record, resume, train, transform
from cnnspec.training import run as run_module
from cnnspec.training.feeding import OneByOne
from cnnspec.training.transform import Own, name_of

import_torchvision()
v2: Any = import_module("torchvision.transforms.v2")

Make = Callable[..., Network]
CPU = torch.device("cpu")

DROPOUT = """
model Tiny(classes=10) {
  input 1x8x8
  conv(8, 3, padding=1), relu, maxpool(2)
  flatten, dropout(0.2)
  linear(classes)
}
train { data: digits, optimizer: adamw(lr=0.01), batch: 256, epochs: 2, augment: [shift(0.1)], mix: [mixup] }
"""


pytestmark = pytest.mark.usefixtures("no_pictures")


def shaken(x: Tensor) -> Tensor:
    """Draws from all three generators, and writes into what it is given."""
    x[:, random.randrange(8)] = np.random.randint(256)
    return x + torch.randint(3, (1,), dtype=torch.uint8)


def part(samples: int) -> Part:
    return Part(torch.randint(200, (samples, 1, 8, 8), dtype=torch.uint8), torch.arange(samples))


def drawn() -> list[float]:
    """What the generators of this process give next."""
    return [torch.rand(3).sum().item(), random.random(), np.random.rand()]


def taken(given: Part, own: Own, epoch: int, sizes: list[int]) -> tuple[Tensor, Tensor]:
    order = torch.randperm(len(given), generator=torch.Generator().manual_seed(0))
    draws, samples = torch.zeros(len(given), 2), OneByOne(given, 2, max(sizes), CPU, own)
    found = []
    for places, piece in zip(
        samples.batches(torch.split(order, sizes), draws, epoch), torch.split(order, sizes), strict=True
    ):
        assert torch.equal(samples.y[places], given.y[piece])
        assert torch.equal(samples.draws[places], draws[piece])
        found.append(samples.x[places].clone())
    return torch.cat(found), order


@pytest.mark.parametrize("beside", [0, 1, 2])
def test_a_sample_is_the_same_whoever_makes_it(monkeypatch: pytest.MonkeyPatch, beside: int) -> None:
    """In whatever process and step; another in another epoch and with another seed. Nothing else is changed."""
    monkeypatch.setattr(transform, "processes", lambda: beside)
    given, own = part(20), Own(shaken, seed=5)
    stored = given.x.clone()
    transform.seed_generators(1)
    before = drawn()
    transform.seed_generators(1)
    found, order = taken(given, own, 1, [8, 8, 4])
    assert drawn() == before
    assert torch.equal(found, torch.stack([own.changed(given, int(number), 1) for number in order]))
    assert torch.equal(given.x, stored)
    assert torch.equal(taken(given, own, 1, [3, 17])[0], found)
    assert not torch.equal(taken(given, own, 2, [20])[0], found)
    assert not torch.equal(taken(given, Own(shaken, seed=6), 1, [20])[0], found)


def test_views_of_the_given_sample_may_be_returned() -> None:
    given = part(4)
    assert torch.equal(Own(lambda x: x.transpose(1, 2), 0).changed(given, 2, 1), given.x[2].transpose(1, 2))


@pytest.mark.parametrize("beside", [0, 1])
def test_nothing_changed_is_the_run_without(
    network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: int
) -> None:
    """Bit for bit, with augmentation, mixing and dropout: it takes no random number from them."""
    monkeypatch.setattr(transform, "processes", lambda: beside)
    plain = train(network(DROPOUT), out=tmp_path / "plain", device="cpu")
    same = train(network(DROPOUT), out=tmp_path / "same", device="cpu", transform=lambda x: x)
    assert [replace(epoch, seconds=0) for epoch in same.history] == [replace(e, seconds=0) for e in plain.history]


def compose() -> Any:
    turned = v2.RandomApply([v2.RandomRotation(10, interpolation=v2.InterpolationMode.BILINEAR)], p=0.8)
    return v2.Compose([v2.ToImage(), turned, v2.ColorJitter(brightness=0.2), v2.RandomErasing(p=0.1)])


def test_a_run_with_torchvision_says_what_it_does_and_resumes(
    network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    net = network(DROPOUT)
    run = train(net, out=tmp_path / "whole", device="cpu", transform=compose(), say=said.append)
    train(net, out=tmp_path / "again", device="cpu", transform=compose())
    assert outcome(tmp_path / "whole") == outcome(tmp_path / "again")
    assert run.config.transform.startswith("Compose(ToImage() RandomApply(RandomRotation(")
    (line,) = (line for line in said if "slower than augment" in line)
    assert " ms for a sample, " in line
    assert " s for the 1,294 of an epoch in " in line
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "interruptible", stopping_after(9))
        half = train(net, out=tmp_path / "half", device="cpu", transform=compose())
    assert half.status == "interrupted"
    with pytest.raises(BadRun, match=r"began with a transform, which no folder keeps: Compose\(") as caught:
        resume(tmp_path / "half")
    assert f'cnnspec.resume("{tmp_path / "half"}", transform=...)' in caught.value.notes[0]
    with pytest.raises(BadRun, match="began with another transform than RandomHorizontalFlip"):
        resume(tmp_path / "half", transform=v2.RandomHorizontalFlip())
    cnnspec.resume(tmp_path / "half", transform=compose())
    assert outcome(tmp_path / "half") == outcome(tmp_path / "whole")


def test_a_run_without_takes_none_when_it_goes_on(
    network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped(network(DROPOUT), tmp_path / "run", 3, monkeypatch)
    with pytest.raises(BadRun, match="began without a transform"):
        resume(tmp_path / "run", transform=v2.RandomHorizontalFlip())


@pytest.mark.parametrize(
    ("made", "message", "note"),
    [
        (
            lambda x: x[:, :7],
            "the transform returns 1x7x8 for training sample 0, and was given 1x8x8",
            "it is <function",
        ),
        (lambda x: x.float() / 255, "returns float32 for training sample 0, and was given uint8", "ToDtype"),
        (lambda x: x.sum(), "returns one number for training sample 0, and was given 1x8x8", "it is"),
        (v2.ToPILImage(), "the transform returns no tensor for training sample 0 but Image", "it is ToPILImage()"),
        (v2.RandomCrop(20), "the transform fails at training sample 0: ValueError: Required crop", "it is RandomCrop"),
        (lambda x: x.nonsense, "the transform fails at training sample 0: AttributeError: ", "it is"),
        ("flip", "a transform is called with a sample, and 'flip' cannot be called", ""),
    ],
)
def test_one_that_cannot_be_used_leaves_no_folder(
    network: Make, tmp_path: Path, made: object, message: str, note: str
) -> None:
    with pytest.raises(TrainError) as caught:
        train(network(DROPOUT), out=tmp_path / "run", device="cpu", transform=made)
    assert message in caught.value.message
    assert note in "".join(caught.value.notes)
    assert not (tmp_path / "run").exists()


class FailsAt:
    """At samples that are called for after so many, in whatever process."""

    def __init__(self, calls: int, fault: Callable[[], object]) -> None:
        self.left, self.fault = calls, fault

    def __call__(self, x: Tensor) -> Tensor:
        self.left -= 1
        if self.left < 0:
            self.fault()
        return x

    def __repr__(self) -> str:
        return "FailsAt()"


def boom() -> None:
    raise KeyError("a label")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (boom, r"the transform fails at training sample \d+: KeyError: 'a label'"),
        (lambda: os._exit(9), "a process that calls the transform has died"),
    ],
)
def test_a_fault_in_the_middle_is_told_and_ends_the_run(
    network: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[], object], message: str
) -> None:
    monkeypatch.setattr(transform, "processes", lambda: 1)
    with pytest.raises(TrainError, match=message):
        train(network(DROPOUT), out=tmp_path / "run", device="cpu", transform=FailsAt(600, fault))
    result = record.read_result(tmp_path / "run")
    assert result is not None
    assert result.status == "failed"


def test_numbers_that_are_no_images(network: Make, tmp_path: Path) -> None:
    text = "model P { input 2\n linear(4), tanh, linear(1) }\ntrain { data: circles(samples=60), epochs: 1 }"
    run = train(network(text), out=tmp_path / "run", device="cpu", transform=lambda x: x + 0.01 * torch.randn(2))
    assert run.status == "finished"


def test_places_in_memory_are_no_part_of_a_name() -> None:
    assert name_of(boom) == "<function boom>"
    assert name_of(partial(boom)) == "functools.partial(<function boom>)"


def test_runs_differ_in_their_transforms(network: Make, tmp_path: Path) -> None:
    for name, made in (("a", None), ("b", v2.RandomHorizontalFlip())):
        train(network(DROPOUT, epochs=1), out=tmp_path / name, device="cpu", transform=made)
    assert compare.compare([tmp_path / "a", tmp_path / "b"]).differences["transform"] == {
        "none": ["a"],
        "RandomHorizontalFlip(p=0.5)": ["b"],
    }


@pytest.mark.skipif(sys.platform != "linux", reason="the other systems make no processes for it")
def test_a_killed_run_can_be_resumed_at_once(tmp_path: Path) -> None:
    """Its processes, which have inherited the lock of the folder, end with it."""
    (tmp_path / "spec.cnn").write_text(DROPOUT)
    (tmp_path / "script.py").write_text(KILLED)
    codes = []
    for what in ("train", "resume"):
        with (tmp_path / what).open("w") as said:  # no pipe, which would stay open as long as one of the processes
            done = subprocess.run([sys.executable, "script.py", what], cwd=tmp_path, stderr=said, check=False)
        codes.append((done.returncode, (tmp_path / what).read_text()))
    assert codes == [(-signal.SIGKILL, ""), (0, "")]


KILLED = """
import os, signal, sys, time
import cnnspec

left = 300 if sys.argv[1] == "train" else 10_000

def kills(x):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(30)
    return x

if sys.argv[1] == "train":
    cnnspec.train("spec.cnn", out="run", device="cpu", transform=kills)
else:
    cnnspec.resume("run", transform=kills)
"""
