"""The trainer beside a plain PyTorch loop: a DataLoader, transforms per image, float32. Same network, data and recipe.

    python benchmarks/training.py 'folder("/path/to/cifar10")' --spec examples/tinycnn3.cnn --samples 2000

A run here is the training with a measurement on the validation part after every epoch; the data is in memory before.
The ways take turns, round by round, and what is printed are medians. On a machine with other work the ratios of CPU
seconds, over all threads and loader processes, are the ones to trust.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

import cnnspec
from cnnspec.data.parts import Data, Part
from cnnspec.data.vision import import_torchvision
from cnnspec.training.loop import fit
from cnnspec.training.plan import Plan, plan_run, seeded_model
from cnnspec.training.precision import Precision
from cnnspec.training.state import begin

CPU = torch.device("cpu")


class Images(Dataset[tuple[torch.Tensor, int]]):
    """Images in memory, each made a PIL image and transformed when it is asked for, as torchvision's data sets do."""

    def __init__(self, part: Part, data: Data, *, train: bool) -> None:
        transforms = import_torchvision().transforms
        random = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()] if train else []
        scale = [transforms.ToTensor(), transforms.Normalize(data.mean.tolist(), data.std.tolist())]
        self.change = transforms.Compose([transforms.ToPILImage(), *random, *scale])
        self.x, self.y = part.x, part.y.tolist()

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.change(self.x[index]), self.y[index]


def plain(plan: Plan, workers: int) -> float:
    """The loop of every tutorial; the accuracy on the validation part after the last epoch."""
    data, recipe = plan.data, plan.recipe
    assert data.validation is not None
    torch.manual_seed(recipe.seed)
    model = cnnspec.build(plan.network)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
    training = DataLoader(Images(data.train, data, train=True), recipe.batch, shuffle=True, num_workers=workers)
    held_back = DataLoader(Images(data.validation, data, train=False), 2 * recipe.batch, num_workers=workers)
    accuracy = 0.0
    for _ in range(recipe.epochs):
        model.train()
        for x, y in training:
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            loss.item()
        model.eval()
        with torch.no_grad():
            accuracy = sum(int((model(x).argmax(1) == y).sum()) for x, y in held_back) / len(data.validation)
    return accuracy


def ours(plan: Plan, precision: Precision) -> float:
    state = begin(seeded_model(plan.network, plan.recipe.seed, CPU), plan.data, plan.recipe)
    *_, last = fit(state, plan.data, plan.recipe, plan.objective, plan.sides, precision)
    return last.validation_accuracy or 0.0


def measured(way: Callable[[], float]) -> tuple[float, float, float]:
    """Seconds by the clock, CPU seconds of this process and its children, accuracy."""
    before, started = os.times(), time.perf_counter()
    accuracy = way()
    after, seconds = os.times(), time.perf_counter() - started
    return seconds, sum(after[:4]) - sum(before[:4]), accuracy


def part_of(plan: Plan, samples: int) -> Plan:
    """With fewer training images, taken at random."""
    order = torch.randperm(len(plan.data.train), generator=torch.Generator().manual_seed(0))
    return replace(plan, data=replace(plan.data, train=plan.data.train.pick(order[:samples])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a data set of images of 3x32x32, as in a spec")
    parser.add_argument("--spec", default=str(Path(__file__).parents[1] / "examples/tinycnn3.cnn"))
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings = {"train.data": given.data, "train.epochs": given.epochs}

    found: dict[str, list[tuple[float, float, float]]] = {}
    for seed in range(given.rounds):
        network = cnnspec.load(given.spec, set={**settings, "train.seed": seed}, train=True)
        plan = part_of(plan_run(network, "cpu", None), given.samples)
        ways: dict[str, Callable[[], float]] = {
            f"plain loop, {given.workers} workers": lambda plan=plan: plain(plan, given.workers),  # type: ignore[misc]
            "cnnspec, float32": lambda plan=plan: ours(plan, "float32"),  # type: ignore[misc]
            "cnnspec, bfloat16": lambda plan=plan: ours(plan, "bfloat16"),  # type: ignore[misc]
        }
        for name, way in ways.items():
            found.setdefault(name, []).append(measured(way))
    images = given.epochs * min(given.samples, len(plan.data.train))
    first = next(iter(found.values()))
    print(f"{images:,} training images per run, {given.rounds} rounds, {given.threads} threads\n")
    print(f"{'':24}  images/s   ratio   images per CPU second   ratio   accuracy (mean)")
    for name, runs in found.items():
        wall, cpu = median(run[0] for run in runs), median(run[1] for run in runs)
        by_clock = median(base[0] / run[0] for base, run in zip(first, runs, strict=True))
        by_cpu = median(base[1] / run[1] for base, run in zip(first, runs, strict=True))
        accuracy = 100 * fmean(run[2] for run in runs)
        speed = f"{images / wall:8.0f}   {by_clock:5.2f}   {images / cpu:21.0f}   {by_cpu:5.2f}"
        print(f"{name:24}  {speed}   {accuracy:.1f} %")


if __name__ == "__main__":
    main()
