"""Transfer on real digits: features learned on ten classes of MNIST, put to five classes of other digits.

    python benchmarks/transfer.py FOLDER --data-dir DIR

A network learns MNIST's ten digits. Then it is to tell 5, 6, 7, 8 and 9 apart among the digits of scikit-learn, by
other writers and scanned in another way, from a few images of each: from scratch, with the features of before frozen,
with them frozen at first, and with all of it learning from there on. The learning rate of each way is chosen on the
digits 0 to 4, which are not measured. The same once more from a network that has learned MNIST's digits 0 to 4 alone,
to which 5 to 9 are new. FOLDER keeps the data and the runs; what is in it is not trained again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.nn import functional

import cnnspec
from cnnspec.data.facts import Mnist
from cnnspec.data.loaders import load
from cnnspec.layers.base import Shape
from cnnspec.training import ending

SPEC = """
model Digits(classes=10) {
  input 1x28x28

  features: {
    conv(32, 3, padding=1), batchnorm, relu, maxpool(2)
    conv(64, 3, padding=1), batchnorm, relu, maxpool(2)
  }
  classifier: {
    flatten, linear(128), relu, dropout(0.5)
    linear(classes)
  }
}

train {
  data: mnist
  epochs: 2
}
"""

EPOCHS = 40
WAYS: dict[str, dict[str, object]] = {
    "from scratch": {},
    "features frozen": {"freeze": "features"},
    "frozen at first": {"freeze": "features", "unfreeze_after": EPOCHS // 2},
    "all learn": {},
}
"""Settings beside the weights to start from, which the first one has not."""

STARTS = {"ten": ", of 0 to 9", "five": ", of 0 to 4"}
"""Runs on MNIST, and the digits they know."""

RATES = (0.0003, 0.001, 0.003, 0.01)
CHOICE, MEASURED = range(5), range(5, 10)


def pictures() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """scikit-learn's digits as MNIST has its own: brought to 20x20 in the middle of 28x28, bytes."""
    digits = load_digits()
    images = torch.from_numpy(digits.images).float().unsqueeze(1) / 16
    larger = functional.interpolate(images, size=20, mode="bilinear", align_corners=False)
    framed = functional.pad(larger, [4] * 4)
    return (framed * 255).round().byte().numpy(), digits.target


def few(folder: Path, classes: range, per_class: int, seed: int) -> Path:
    """So many images of each class to train on; all that the largest such set leaves are to test on."""
    path = folder / f"digits-{classes[0]}-{per_class}-{seed}.npz"
    x, y = pictures()
    order = np.random.default_rng(seed).permutation(len(y))
    chosen = {label: [at for at in order if y[at] == label] for label in classes}
    train = [at for label in classes for at in chosen[label][:per_class]]
    test = [at for label in classes for at in chosen[label][100:]]
    first = classes[0]
    np.savez(path, x_train=x[train], y_train=y[train] - first, x_test=x[test], y_test=y[test] - first)
    return path


def accuracy(
    folder: Path, way: str, rate: float, classes: range, per_class: int, seed: int, start: str = "ten"
) -> float:
    """On the test images, in percent; `start` names the run to start from."""
    which = "" if start == "ten" else f"-{start}"
    run = folder / f"{way.replace(' ', '-')}-{rate}-{classes[0]}-{per_class}-{seed}{which}"
    if not (run / "result.json").exists():
        settings: dict[str, object] = {
            **WAYS[way],
            "data": f'npz("{few(folder, classes, per_class, seed)}")',
            "optimizer": f"adamw(lr={rate})",
            "schedule": "cosine",
            "batch": 16,
            "epochs": EPOCHS,
            "validation": 0,
            "seed": seed,
        }
        set = {"classes": 5} | {f"train.{name}": value for name, value in settings.items()}
        weights = None if way == "from scratch" else folder / start
        cnnspec.train(cnnspec.text(SPEC), set=set, weights=weights, out=run, device="cpu")
    found: float = json.loads((run / "result.json").read_text())["test"]["accuracy"]
    return 100 * found


def chosen_rates(folder: Path, seeds: int) -> dict[str, float]:
    """For each way the best rate on the digits 0 to 4, five images of each."""
    found = {}
    for way in WAYS:
        each = {rate: mean(accuracy(folder, way, rate, CHOICE, 5, seed) for seed in range(seeds)) for rate in RATES}
        found[way] = max(each, key=lambda rate: each[rate])
        print(f"{way:16} " + ", ".join(f"lr {rate:g}: {value:.1f}" for rate, value in each.items()), flush=True)
    return found


def rows(folder: Path, rates: dict[str, float], counts: Sequence[int], seeds: int) -> Iterator[str]:
    yield f"{'images per class':28}" + "".join(f"{count:>14}" for count in counts)
    for start, about in STARTS.items():
        for way, rate in rates.items():
            if start == "ten" or way != "from scratch":
                cells = (row(folder, way, rate, count, seeds, start) for count in counts)
                yield f"{way + (way != 'from scratch') * about:28}" + "".join(cells)


def row(folder: Path, way: str, rate: float, count: int, seeds: int, start: str) -> str:
    each = [accuracy(folder, way, rate, MEASURED, count, seed, start) for seed in range(seeds)]
    return f"{mean(each):8.1f} ± {stdev(each):3.1f}"


def pretrain(folder: Path, data_dir: Path | None, name: str) -> None:
    """On all of MNIST, or on its digits 0 to 4."""
    set: dict[str, object] = {}
    if name == "five":
        data = load(Mnist(), Shape((1, 28, 28)), root=folder, data_dir=data_dir, validation=0)
        arrays = {}
        for part, of in {"train": data.train, "test": data.test}.items():
            arrays |= {f"x_{part}": of.x[of.y < 5].numpy(), f"y_{part}": of.y[of.y < 5].numpy()}
        np.savez(folder / "half.npz", **arrays)
        set = {"classes": 5, "train.data": f'npz("{folder}/half.npz")'}
    if not (folder / name / "result.json").exists():
        cnnspec.train(cnnspec.text(SPEC), set=set, data_dir=data_dir, out=folder / name, device="cpu")
    found = json.loads((folder / name / "result.json").read_text())["test"]["accuracy"]
    print(f"MNIST, {name} classes: {found:.2%} on its test set", flush=True)


def without_pictures() -> None:
    """They take longer than the training."""
    for name in ("curves", "confusion", "filters"):
        setattr(ending.plots, name, lambda *_: b"")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[2, 5, 20, 100])
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    without_pictures()
    started = time.perf_counter()
    for name in STARTS:
        pretrain(given.folder, given.data_dir, name)
    rates = chosen_rates(given.folder, min(3, given.seeds))
    print("\n".join(rows(given.folder, rates, given.counts, given.seeds)))
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
