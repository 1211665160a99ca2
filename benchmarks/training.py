"""The trainer beside a plain PyTorch loop: a DataLoader, transforms per image, float32. Same network, data and recipe.

    python benchmarks/training.py 'folder("/path/to/cifar10")' --samples 2000
    python benchmarks/training.py 'folder("/path/to/cifar10")' --device cuda --samples 50000 --epochs 15

Ways and seeds can be split over calls that are limited in time, which keep their runs in one file:

    python benchmarks/training.py DATA --device cuda --samples 50000 --epochs 15 --only plain --rounds 3 --record runs
    python benchmarks/training.py DATA --device cuda --samples 50000 --epochs 15 --only recorded chooses --record runs

A run here is the training with a measurement on the validation part after every epoch; the data is in memory before.
The ways take turns, round by round with a seed each, and what is printed are medians, and the mean and standard
deviation of accuracies. What it takes to record and to
compile steps is apart; the ratio of the last column counts it in. On a machine with other work the ratios of CPU
seconds, over all threads and loader processes, are the ones to trust for what runs on the processor.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

import cnnspec
from cnnspec.data.parts import Data, Part
from cnnspec.data.vision import import_torchvision
from cnnspec.training import loop
from cnnspec.training.compiling import Compiling
from cnnspec.training.device import working
from cnnspec.training.plan import Plan, plan_run, ready
from cnnspec.training.precision import Precision
from cnnspec.training.state import begin


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


class Ended(NamedTuple):
    accuracy: float
    preparing: float = 0.0


def plain(plan: Plan, workers: int) -> Ended:
    """The loop of every tutorial; the accuracy on the validation part after the last epoch."""
    data, recipe, device = plan.data, plan.recipe, plan.device
    assert data.validation is not None
    torch.manual_seed(recipe.seed)
    model = cnnspec.build(plan.network).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
    how: dict[str, Any] = {"num_workers": workers, "pin_memory": device.type == "cuda"}
    training = DataLoader(Images(data.train, data, train=True), recipe.batch, shuffle=True, **how)
    held_back = DataLoader(Images(data.validation, data, train=False), 2 * recipe.batch, **how)
    accuracy = 0.0
    for _ in range(recipe.epochs):
        model.train()
        for x, y in training:
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(x.to(device)), y.to(device))
            loss.backward()
            optimizer.step()
            loss.item()
        model.eval()
        with torch.no_grad():
            hits = sum(int((model(x.to(device)).argmax(1) == y.to(device)).sum()) for x, y in held_back)
            accuracy = hits / len(data.validation)
    return Ended(accuracy)


def ours(plan: Plan, precision: Precision, compiling: Compiling = "off", recorded: bool = True) -> Ended:
    model, data = ready(plan)
    state = begin(model, data, plan.recipe)
    quick = loop.Quick if recorded else kernel_by_kernel
    with patch.object(loop, "Quick", quick), working(plan.device, deterministic=False):
        *_, last = loop.fit(
            state, data, plan.recipe, plan.objective, plan.sides, precision, compiling=compiling, say=print
        )
    return Ended(last.validation_accuracy or 0.0, state.preparing)


def kernel_by_kernel(*given: Any) -> loop.Quick:
    """Steps as they are written."""
    quick = loop.Quick(*given)
    quick.recorder = None
    return quick


def measured(way: Callable[[], Ended]) -> Measured:
    before, started = os.times(), time.perf_counter()
    accuracy, preparing = way()
    after, seconds = os.times(), time.perf_counter() - started
    return Measured(seconds, sum(after[:4]) - sum(before[:4]), preparing, accuracy)


class Measured(NamedTuple):
    seconds: float
    processor: float
    """Seconds of this process and its children."""
    preparing: float
    accuracy: float


class Run(NamedTuple):
    way: str
    seed: int
    images: int
    """Training images, over all epochs."""
    seconds: float
    processor: float
    preparing: float
    accuracy: float

    @property
    def training(self) -> float:
        """Seconds without preparation."""
        return self.seconds - self.preparing


def ways_on(plan: Plan, workers: int) -> dict[str, Callable[[], Ended]]:
    """The first is what the others are compared with."""
    found: dict[str, Callable[[], Ended]] = {f"plain loop, {workers} workers": lambda: plain(plan, workers)}
    if plan.device.type != "cuda":
        return found | {
            "cnnspec, float32": lambda: ours(plan, "float32"),
            "cnnspec, bfloat16": lambda: ours(plan, "bfloat16"),
        }
    return found | {
        "plain loop, 8 workers": lambda: plain(plan, 8),
        "kernel by kernel, float32": lambda: ours(plan, "float32", recorded=False),
        "recorded, float32": lambda: ours(plan, "float32"),
        "recorded, bfloat16": lambda: ours(plan, "bfloat16"),
        "compiled, bfloat16": lambda: ours(plan, "bfloat16", "on"),
        "as it chooses itself": lambda: ours(plan, plan.config.precision, "auto"),
    }


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
    parser.add_argument("--first", type=int, default=0, help="the seed of the first round")
    parser.add_argument("--only", nargs="*", default=[""], help="parts of the names of the ways to take")
    parser.add_argument("--record", type=Path, help="a file that keeps every run, and adds those of calls before")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings = {"train.data": given.data, "train.epochs": given.epochs}

    found = recorded(given.record)
    if found and not found[0].way.startswith("plain loop"):
        parser.error(f"{given.record} begins with {found[0].way}: ratios are those to a plain loop, which comes first")
    for seed in range(given.first, given.first + given.rounds):
        network = cnnspec.load(given.spec, set={**settings, "train.seed": seed}, train=True)
        plan = part_of(plan_run(network, given.device, None), given.samples)
        for name, way in ways_on(plan, given.workers).items():
            if any(part in name for part in given.only):
                found.append(Run(name, seed, given.epochs * len(plan.data.train), *measured(way)))
                print(found[-1], flush=True)
                if given.record:
                    with given.record.open("a", encoding="utf-8") as lines:
                        print(json.dumps(found[-1]), file=lines)
    if not found:
        parser.error(f"no way is called {' or '.join(given.only)}")
    print(f"\n{found[0].images:,} training images per run, {given.threads} threads, {given.device}\n\n{table(found)}")


def recorded(file: Path | None) -> list[Run]:
    return [Run(*json.loads(line)) for line in file.read_text("utf-8").splitlines()] if file and file.exists() else []


def middle(ratios: Iterable[float]) -> float:
    values = list(ratios)
    return median(values) if values else float("nan")


def table(runs: list[Run]) -> str:
    """A row for each way; its ratios are those to the first way's run of the same seed."""
    lines = [f"{'':26}  runs   images/s   ratio   per CPU second   ratio   prepared   ratio with it   accuracy (mean)"]
    base = {run.seed: run for run in runs if run.way == runs[0].way}
    for way in dict.fromkeys(run.way for run in runs):
        mine = [run for run in runs if run.way == way]
        pairs = [(base[run.seed], run) for run in mine if run.seed in base]
        wall, cpu = median(run.training for run in mine), median(run.processor for run in mine)
        clock = middle(before.seconds / run.training for before, run in pairs)
        whole = middle(before.seconds / run.seconds for before, run in pairs)
        by_cpu = middle(before.processor / run.processor for before, run in pairs)
        accuracy, prepared = 100 * fmean(run.accuracy for run in mine), median(run.preparing for run in mine)
        speed = f"{mine[0].images / wall:10.0f}   {clock:5.2f}   {mine[0].images / cpu:14.0f}   {by_cpu:5.2f}"
        spread = 100 * stdev(run.accuracy for run in mine) if len(mine) > 1 else 0.0
        row = f"{way:26}  {len(mine):4} {speed}   {prepared:6.1f} s   {whole:13.2f}   {accuracy:.2f} ± {spread:.2f} %"
        lines.append(row)
    return "\n".join(lines)


if __name__ == "__main__":
    main()
