"""Steps of training on one thread of the processor and on all of them, in turn: from which size of network on do more
threads pay?

    python benchmarks/threads.py
    OMP_WAIT_POLICY=passive python benchmarks/threads.py

On a machine with other work the second line shows what threads cost that wait for one another by spinning.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median

import torch

import cnnspec
from cnnspec.data.parts import Data, Part
from cnnspec.layers.base import Shape
from cnnspec.training.loop import fit
from cnnspec.training.objective import objective_of
from cnnspec.training.plan import seeded_model
from cnnspec.training.precision import Precision
from cnnspec.training.state import begin
from cnnspec.training.threads import work_of_a_step

EXAMPLES = Path(__file__).parents[1] / "examples"
NETWORKS = [
    "digits",
    "mlp",
    "lenet",
    "oneconv",
    "twoconv",
    "simplecnn_bn",
    "threeblock_bn",
    "tinycnn",
    "tinycnn3",
    "zoo/resnet18",
]


def some(samples: int, shape: Shape) -> Part:
    return Part(torch.randint(0, 256, (samples, *shape.sizes), dtype=torch.uint8), torch.randint(0, 10, (samples,)))


def seconds(network: cnnspec.Network, steps: int, precision: Precision) -> float:
    """Of a step."""
    recipe = network.recipe
    assert recipe is not None
    torch.manual_seed(0)
    axes = (network.input.sizes[0],)
    classes = tuple(str(number) for number in range(10))
    train, none = some(steps * recipe.batch, network.input), some(1, network.input)
    data = Data(train, None, none, classes, torch.full(axes, 0.5), torch.full(axes, 0.25))
    state = begin(seeded_model(network, 0, torch.device("cpu")), data, recipe)
    *_, epoch = fit(state, data, recipe, objective_of(network), precision=precision)
    return epoch.seconds / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", nargs="*", default=NETWORKS)
    parser.add_argument("--batches", nargs="*", type=int, default=[16, 64, 256])
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    given = parser.parse_args()
    every = torch.get_num_threads()
    print(f"{'':16} batch   MFLOP of a step   ms on 1 thread   ms on {every}   ratio")
    for name in given.networks:
        for batch in given.batches:
            changes = {"train.batch": batch, "train.epochs": 1, "train.augment": "[]", "train.mix": "[]"}
            network = cnnspec.load(EXAMPLES / f"{name}.cnn", set=changes, train=True)
            work = work_of_a_step(network, batch)
            steps, times = max(2, min(20, int(2e9 / work))), dict[int, list[float]]({1: [], every: []})
            for _ in range(given.rounds):
                for threads, taken in times.items():
                    torch.set_num_threads(threads)
                    taken.append(1e3 * seconds(network, steps, given.precision))
            one, all_ = median(times[1]), median(times[every])
            ratio = median(a / b for a, b in zip(*times.values(), strict=True))
            print(f"{name:16} {batch:5}   {work / 1e6:15.1f}   {one:14.2f}   {all_:7.2f}   {ratio:5.2f}", flush=True)


if __name__ == "__main__":
    main()
