"""A built module beside the hand-written one: forward and backward in interleaved pairs, on the processor or on a GPU.

    python benchmarks/modules.py [--pairs 30] [--device cpu] [--batch 16]

In every other pair the built one comes first. What is printed is the median of the ratios of each pair, and the middle
half of them; the module beside itself shows what the machine adds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time

import torch
from torch import nn

import cnnspec
from cnnspec.data.vision import import_torchvision

ROOT = Path(__file__).resolve().parents[1]


def by_hand() -> dict[str, tuple[Callable[[], nn.Module], str, tuple[int, ...]]]:
    """Name, the hand-written module, the spec, the shape of a sample."""
    sys.path.insert(0, str(ROOT / "tests"))
    from test_same_operations import BY_HAND

    models = import_torchvision().models
    lessons = {name: (make, str(ROOT / f"examples/{name}.cnn"), shape) for name, (make, shape) in BY_HAND.items()}
    zoo = {name: (getattr(models, name), f"zoo:{name}", (3, 96, 96)) for name in ("resnet18", "mobilenet_v2")}
    return {**lessons, **zoo}


def seconds(module: nn.Module, x: torch.Tensor) -> float:
    """Of a forward and a backward pass: of the processor where it does the work, as other work does not count then."""
    clock = perf_counter if x.is_cuda else process_time
    started = clock()
    module(x).sum().backward()
    if x.is_cuda:
        torch.cuda.synchronize()
    return clock() - started


def ratios(first: nn.Module, second: nn.Module, x: torch.Tensor, pairs: int) -> list[float]:
    """Of the second to the first."""
    for _ in range(3):
        seconds(first, x), seconds(second, x)
    found = []
    for number in range(pairs):
        modules = (first, second) if number % 2 else (second, first)
        times = {id(module): seconds(module, x) for module in modules}
        found.append(times[id(second)] / times[id(first)])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=16)
    given = parser.parse_args()
    print(
        f"{given.pairs} pairs, batch {given.batch}, {given.device}\n\n{'':14}  built / by hand        by hand / by hand"
    )
    for name, (make, spec, shape) in by_hand().items():
        x = torch.rand(given.batch, *shape, device=given.device)
        hand, again, built = (module.to(given.device) for module in (make(), make(), cnnspec.build(spec)))
        texts = []
        for other in (built, again):
            found = ratios(hand, other, x, given.pairs)
            low, _, high = quantiles(found, n=4)
            texts.append(f"{median(found):.3f} ({low:.3f} to {high:.3f})")
        print(f"{name:14}  {'   '.join(texts)}")


if __name__ == "__main__":
    main()
