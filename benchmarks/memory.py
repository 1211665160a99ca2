"""Predicted against measured memory of training.

    python benchmarks/memory.py [--networks resnet18 vgg11 ...] [--batches 8 32 128] [--precision bfloat16]

With a GPU the same steps are run there, and compared with `torch.cuda.max_memory_allocated`. Without one they run on
tensors that have shapes and no numbers (PyTorch's meta device), and the storages are followed from the operation that
makes them to their end.
"""

from __future__ import annotations

import argparse
import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from cnnspec.analysis.tape import blocks
from cnnspec.analysis.training import Plan, training_memory
from cnnspec.building import build_module
from cnnspec.network import Network, load, read_source
from cnnspec.training.loop import placed
from cnnspec.training.objective import objective_of
from cnnspec.training.precision import computing
from cnnspec.training.sides import loss_of_sides, parted, sides_of

NETWORKS = (
    "alexnet", "vgg11_bn", "resnet18", "resnet50", "densenet121", "mobilenet_v2", "efficientnet_b0", "googlenet",
    "convnext_tiny", "shufflenet_v2_x1_0",
)  # fmt: skip
BATCHES = (2, 16, 128)

OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.1, foreach=True),
    "momentum": lambda parameters: torch.optim.SGD(parameters, 0.1, momentum=0.9, foreach=True),
    "adam": lambda parameters: torch.optim.Adam(parameters, foreach=True),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, foreach=True),
}
"""As PyTorch makes them on a GPU when nothing is said."""


class Tracker(TorchDispatchMode):
    """Adds up the storages that are alive on a device, in blocks of 512 bytes."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device = device
        self.now = self.peak = 0
        self.alive: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for each in tree_leaves(made):
            if isinstance(each, Tensor) and each.device.type == self.device:
                self.follow(each.untyped_storage())
        return made

    def follow(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self.alive:
            return
        size = blocks(storage.nbytes())

        def ended(_: Any) -> None:
            self.now -= size
            del self.alive[key]

        self.alive[key] = weakref.ref(storage, ended)
        self.now += size
        self.peak = max(self.peak, self.now)


def fused_dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """What dropout is on a GPU: one operation that keeps a mask of one byte per value."""
    if not training or p in (0, 1):
        return torch.dropout(x, p, training)
    return torch.native_dropout(x, p, training)[0]


class Layouts(TorchDispatchMode):
    """Convolutions of batches of images give them with the channels innermost, as cuDNN does where the weights are."""

    CONVOLUTIONS = (torch.ops.aten.convolution.default, torch.ops.aten.convolution_backward.default)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        return tree_map(innermost, made) if func in self.CONVOLUTIONS else made


def innermost(made: Any) -> Any:
    return torch.empty_like(made, memory_format=torch.channels_last) if made is not None and made.dim() == 4 else made


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """Within it, the meta device does what a GPU does where they differ."""
    with patch.object(F, "dropout", fused_dropout), Layouts():
        yield


def step(model: nn.Module, optimizer: Any, network: Network, x: Tensor, y: Tensor, precision: str) -> Any:
    """One step, as `cnnspec.training.loop` makes it."""
    objective, sides = objective_of(network), sides_of(network)
    with computing(precision, x.device) if precision == "bfloat16" else nullcontext():
        outputs, side_outputs = parted(model(x))
    loss = objective.loss(outputs, y)
    optimizer.zero_grad()
    (loss + loss_of_sides(sides, side_outputs, y)).backward()
    optimizer.step()
    return outputs, side_outputs, loss


def without_gpu(network: Network, plan: Plan) -> int:
    """The peak of two steps. Autocast knows nothing of the meta device: for bfloat16 it is that of fake tensors of the
    processor, whose lists of operations differ from a GPU's for layernorm, groupnorm, softmax and the like."""
    half = plan.precision == "bfloat16"
    device = torch.device("cpu" if half else "meta")
    with FakeTensorMode() if half else nullcontext(), as_on_a_gpu(), Tracker(device.type) as tracker:
        with device:
            model = build_module(network).train()  # fake tensors cannot be placed, and `Layouts` sees to that
            model = model if half else placed(model, network, device)
            x = batch_of(network, plan.batch)
            y = torch.zeros(plan.batch, dtype=torch.int64)
        optimizer = OPTIMIZERS[plan.optimizer](model.parameters())
        for _ in range(2):
            kept = step(model, optimizer, network, x, y, plan.precision)
        del kept
    gc.collect()
    return tracker.peak


def on_gpu(network: Network, plan: Plan) -> int:
    """The same from `torch.cuda.max_memory_allocated`, the cuBLAS workspace and whatever was there before left out."""
    device = torch.device("cuda")
    gc.collect()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    model = placed(build_module(network), network, device).train()
    with device:
        x = batch_of(network, plan.batch)
        y = torch.zeros(plan.batch, dtype=torch.int64)
    optimizer = OPTIMIZERS[plan.optimizer](model.parameters())
    for _ in range(2):
        kept = step(model, optimizer, network, x, y, plan.precision)
    del kept
    return torch.cuda.max_memory_allocated() - before


def batch_of(network: Network, count: int) -> Tensor:
    x = torch.zeros(count, *network.input.sizes)
    return x.contiguous(memory_format=torch.channels_last) if network.input.rank == 2 else x


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="*", default=NETWORKS)
    parser.add_argument("--batches", nargs="*", type=int, default=BATCHES)
    parser.add_argument("--optimizers", nargs="*", default=["sgd", "momentum", "adamw"])
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    asked = parser.parse_args()
    measure = on_gpu if torch.cuda.is_available() else without_gpu
    where = (
        torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else "tensors without numbers, their storages followed"
    )
    print(f"torch {torch.__version__}, {asked.precision}, measured on {where}; MiB\n")
    print(f"{'network':22}{'optimizer':12}{'batch':>6}{'measured':>12}{'predicted':>12}{'off':>9}")
    off = []
    for name in asked.networks:
        network = load(read_source(name if ":" in name or "." in name else f"zoo:{name}"))
        for optimizer in asked.optimizers:
            for batch in asked.batches:
                plan = Plan(batch, optimizer, asked.precision)
                measured, predicted = measure(network, plan), training_memory(network, plan).peak
                off.append(predicted / measured - 1)
                sizes = f"{measured / 2**20:>12,.1f}{predicted / 2**20:>12,.1f}"
                print(f"{name:22}{optimizer:12}{batch:>6}{sizes}{off[-1]:>+9.2%}", flush=True)
    print(f"\n{len(off)} settings, from {min(off):+.2%} to {max(off):+.2%}")


if __name__ == "__main__":
    main()
