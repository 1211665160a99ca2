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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from cnnspec.analysis.optimizers import NAMED
from cnnspec.analysis.tape import blocks
from cnnspec.analysis.training import training_memory
from cnnspec.building import build_module
from cnnspec.data.parts import Data, Part
from cnnspec.network import Network, load, read_source
from cnnspec.recipe import Recipe
from cnnspec.training import loop, state
from cnnspec.training.device import suit
from cnnspec.training.loop import fit, measure, placed
from cnnspec.training.objective import objective_of
from cnnspec.training.precision import computing
from cnnspec.training.sides import sides_of
from cnnspec.training.state import per_step

NETWORKS = (
    "alexnet", "vgg11_bn", "resnet18", "resnet50", "densenet121", "mobilenet_v2", "efficientnet_b0", "googlenet",
    "convnext_tiny", "shufflenet_v2_x1_0",
)  # fmt: skip
BATCHES = (2, 16, 128)


class Tracker(TorchDispatchMode):
    """Adds up the storages that are alive on a device, in blocks of 512 bytes, but for those of some tensors."""

    def __init__(self, device: str, without: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.device, self.without = device, {tensor.untyped_storage()._cdata for tensor in without}
        self.now = self.peak = 0
        self.alive: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = args[0].add_(args[1]) if adds_up(func, args) else func(*args, **(kwargs or {}))
        for each in tree_leaves(made):
            if isinstance(each, Tensor) and each.device.type == self.device:
                self.follow(each.untyped_storage())
        return made

    def follow(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self.alive or key in self.without:
            return
        size = blocks(storage.nbytes())

        def ended(_: Any) -> None:
            self.now -= size
            del self.alive[key]

        self.alive[key] = weakref.ref(storage, ended)
        self.now += size
        self.peak = max(self.peak, self.now)


def adds_up(func: Any, args: Any) -> bool:
    """Whether the backward pass adds gradients up that reach a tensor on two ways. It does so in the first of them
    where nobody else holds that, unless operations are watched, as they are here."""
    if func is not torch.ops.aten.add.Tensor or torch._C._current_graph_task_id() == -1:
        return False
    return bool(torch._C._storage_Use_Count(args[0].untyped_storage()._cdata) == 2)  # one is that of asking


def fused_dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """What dropout is on a GPU: one operation that keeps a mask of one byte per value."""
    if not training or p in (0, 1):
        return torch.dropout(x, p, training)
    return torch.native_dropout(x, p, training)[0]


class Layouts(TorchDispatchMode):
    """What the meta device lacks: convolutions of batches of images give them with the channels innermost, as cuDNN
    does where the weights are; and the fused step of SGD, which makes nothing."""

    CONVOLUTIONS = (torch.ops.aten.convolution.default, torch.ops.aten.convolution_backward.default)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._fused_sgd_.default:
            return None
        made = func(*args, **(kwargs or {}))
        return tree_map(innermost, made) if func in self.CONVOLUTIONS else made


def innermost(made: Any) -> Any:
    return torch.empty_like(made, memory_format=torch.channels_last) if made is not None and made.dim() == 4 else made


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """Within it, the meta device does what a GPU does where they differ."""
    anywhere = [patch(f"torch.optim.{name}._device_dtype_check_for_fused", str) for name in ("sgd", "adam")]
    fused = patch.object(state, "suit", lambda optimizer, device: suit(optimizer, torch.device("cuda")))
    plain = patch.object(loop, "computing", lambda precision, device: computing(precision, torch.device("cpu")))
    with patch.object(F, "dropout", fused_dropout), anywhere[0], anywhere[1], fused, plain, Layouts():
        yield


class Enough(Exception):
    """Raised by what a run asks after each step, whether it is to end: so it ends without measuring anything."""


def asked(times: int) -> Callable[[], bool]:
    left = iter(range(times))

    def stopping() -> bool:
        if next(left, None) is None:
            raise Enough
        return False

    return stopping


def train(network: Network, recipe: Recipe, data: Data) -> None:
    """Two steps of `cnnspec train`, of its last epoch, and what it measures behind."""
    device = data.mean.device
    with device:
        model = build_module(network)
    model = innermost_weights(model) if device.type == "cpu" else placed(model, network, device)
    now = state.begin(model, data, recipe)
    now.epoch = recipe.epochs
    how = (objective_of(network), sides_of(network), recipe.precision)
    with suppress(Enough):
        next(fit(now, data, recipe, *how, stopping=asked(2), plainly=True))
    # In inference mode operations could not be watched; and where there are no numbers none can be told in the end.
    plainly: Any = vars(measure)["__wrapped__"]
    with torch.no_grad(), nullcontext() if device.type == "cuda" else suppress(RuntimeError):
        plainly(now.kept, data.test, data, how[0], recipe.batch, recipe.precision)


def innermost_weights(model: nn.Module) -> nn.Module:
    """As `placed` lays them; fake tensors cannot be moved."""
    for module in model.modules():
        for key, weight in module.named_parameters(recurse=False):
            if weight.dim() == 4:
                there = weight.detach().contiguous(memory_format=torch.channels_last)
                module.register_parameter(key, nn.Parameter(there))
    return model


def data_for(network: Network, recipe: Recipe, device: torch.device) -> Data:
    """Enough for two steps, and to be measured in two pieces: bytes for a network of images."""
    samples, shape = 2 * max(per_step(recipe), 2 * recipe.batch), network.input.sizes
    x = torch.zeros(samples, *shape, dtype=torch.uint8 if network.input.rank == 2 else torch.float32, device=device)
    part = Part(x, torch.zeros(samples, dtype=torch.int64, device=device))
    moments = torch.zeros(shape[0], device=device), torch.ones(shape[0], device=device)
    return Data(part, None, part, tuple(map(str, range(network.output.elements))), *moments)


def without_gpu(network: Network, recipe: Recipe) -> int:
    """The peak of two steps. Autocast knows nothing of the meta device: for bfloat16 it is that of fake tensors of the
    processor, whose lists of operations differ from a GPU's for layernorm, groupnorm, softmax and the like."""
    half = recipe.precision == "bfloat16"
    device = torch.device("cpu" if half else "meta")
    with FakeTensorMode() if half else nullcontext(), as_on_a_gpu():
        data = data_for(network, recipe, device)
        with Tracker(device.type, (data.train.x, data.train.y, data.mean, data.std)) as tracker:
            train(network, recipe, data)
    gc.collect()
    return tracker.peak


def on_gpu(network: Network, recipe: Recipe) -> int:
    """The same from `torch.cuda.max_memory_allocated`, the cuBLAS workspace and whatever was there before left out."""
    gc.collect()
    torch.cuda.empty_cache()
    data = data_for(network, recipe, torch.device("cuda"))
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    train(network, recipe, data)
    return torch.cuda.max_memory_allocated() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="*", default=NETWORKS)
    parser.add_argument("--batches", nargs="*", type=int, default=BATCHES)
    parser.add_argument("--optimizers", nargs="*", choices=NAMED, default=["sgd", "momentum", "adamw", "muon"])
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
                recipe = Recipe(batch=batch, optimizer=NAMED[optimizer], precision=asked.precision)
                measured, predicted = measure(network, recipe), training_memory(network, recipe).peak
                off.append(predicted / measured - 1)
                sizes = f"{measured / 2**20:>12,.1f}{predicted / 2**20:>12,.1f}"
                print(f"{name:22}{optimizer:12}{batch:>6}{sizes}{off[-1]:>+9.2%}", flush=True)
    print(f"\n{len(off)} settings, from {min(off):+.2%} to {max(off):+.2%}")


if __name__ == "__main__":
    main()
