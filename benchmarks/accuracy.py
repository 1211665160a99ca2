"""Accuracy on CIFAR-10 over seeds: the mean on the test set over the last three epochs, trained on all images.

    python benchmarks/accuracy.py 'folder("/path/to/cifar10")' --seeds 3 examples/tinycnn.cnn examples/tinycnn3.cnn

The test set is recorded after every epoch and chooses nothing. Runs stay in the folder that --out names.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean, stdev

import cnnspec


def last_three(spec: str, data: str, seed: int, epochs: int | None, augment: str | None, out: Path) -> float:
    """Test accuracy in percent, the mean of the last three epochs of one run."""
    settings = {"train.data": data, "train.seed": seed, "train.validation": 0}
    settings |= {"train.epochs": epochs} if epochs else {}
    settings |= {"train.augment": augment} if augment else {}
    run = cnnspec.train(spec, set=settings, out=out / f"{Path(spec).stem}-{seed}", test_every_epoch=True)
    accuracies = [epoch.test_accuracy for epoch in run.history if epoch.test_accuracy is not None]
    print(f"{spec} seed {seed}: {100 * accuracies[-1]:.2f} in the last epoch, {run.reading.verdict}", flush=True)
    return 100 * fmean(accuracies[-3:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a data set, as in a spec")
    parser.add_argument("specs", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="instead of those of the spec")
    parser.add_argument("--augment", help="instead of that of the spec; none for none")
    parser.add_argument("--out", type=Path, default=Path("runs/accuracy"))
    given = parser.parse_args()
    for spec in given.specs:
        means = [
            last_three(spec, given.data, seed, given.epochs, given.augment, given.out) for seed in range(given.seeds)
        ]
        spread = f" +- {stdev(means):.2f}" if len(means) > 1 else ""
        print(f"{spec}: {fmean(means):.2f}{spread} over {len(means)} seeds", flush=True)


if __name__ == "__main__":
    main()
