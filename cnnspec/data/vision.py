"""The data sets that torchvision knows: found on disk or downloaded, with one clear error for all that can fail."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from cnnspec.data.error import DataError, package
from cnnspec.data.facts import Cifar10, Cifar100, Dataset, FashionMnist, Mnist, TorchvisionImages
from cnnspec.data.parts import Part, Raw, Request
from cnnspec.data.pictures import reason
from cnnspec.data.square import adapted, require_pictures
from cnnspec.layers.base import Shape

NAMES: dict[type[Dataset], str] = {
    Mnist: "MNIST",
    FashionMnist: "FashionMNIST",
    Cifar10: "CIFAR10",
    Cifar100: "CIFAR100",
}
"""Their classes in `torchvision.datasets`."""

TIMEOUT = 30.0
"""Seconds without an answer after which a download has failed."""

_declared: list[Any] = []
"""Libraries of operator signatures; they are withdrawn when nothing holds them."""


def import_torchvision() -> Any:
    """torchvision, also where its compiled operators do not suit the installed torch.

    With a build for another torch (CUDA beside CPU, mostly) torchvision stops at import, because it describes
    operators that were never loaded. Data sets and transforms need none of them, so declaring their signatures
    is enough.
    """
    try:
        return package("torchvision")
    except (RuntimeError, ImportError) as error:
        if "operator torchvision::" not in str(error):
            raise _broken(error) from error
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    _declared.append(library)
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    try:
        return package("torchvision")
    except (RuntimeError, ImportError) as error:
        raise _broken(error) from error


def _broken(error: Exception) -> DataError:
    help = f"install the torchvision that was built for torch {torch.__version__}"
    return DataError("torchvision cannot be imported", (reason(error),), (help,))


def read_torchvision(dataset: TorchvisionImages, request: Request) -> Raw:
    require_pictures(dataset, request.shape)
    source = getattr(import_torchvision().datasets, NAMES[type(dataset)])
    train, test = (_read(dataset, source, request.data_dir, train=train) for train in (True, False))
    return adapted(dataset, train, test, request.shape)


def _read(dataset: TorchvisionImages, source: Any, folder: Path, *, train: bool) -> Part:
    try:
        with impatient():
            found = source(str(folder), train=train, download=True)
        x, y = torch.as_tensor(found.data), torch.as_tensor(found.targets)
    except Exception as error:  # torchvision raises whatever its parsers and the network raise
        raise _explained(dataset, source, folder, _said(error)) from error
    x = x.unsqueeze(1) if x.dim() == 3 else x.permute(0, 3, 1, 2).contiguous()
    expected = (len(dataset.mean), dataset.size, dataset.size)
    if len(x) != len(y) or tuple(x.shape[1:]) != expected:
        fault = f"{len(x):,} images of {Shape(tuple(x.shape[1:]))} and {len(y):,} labels were read"
        raise _explained(dataset, source, folder, fault)
    if not 0 <= int(y.min()) <= int(y.max()) < len(dataset.names):
        fault = f"labels from {y.min()} to {y.max()} were read, and there are {len(dataset.names)} classes"
        raise _explained(dataset, source, folder, fault)
    return Part(x, y)


@contextmanager
def impatient() -> Iterator[None]:
    """Connections that get no answer fail after `TIMEOUT` instead of hanging."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


MISSING = "missing"
ELSEWHERE = "with the files in another folder, name it: --data-dir DIR, or the environment variable CNNSPEC_DATA"
FETCH = "with a network, run the same command again: it downloads them there"


def _explained(dataset: TorchvisionImages, source: Any, folder: Path, cause: str) -> DataError:
    """Which files are missing or damaged, where they belong, and what to do."""
    files = _idx_files(source, folder) if hasattr(source, "resources") else _batch_files(source, folder)
    home = next(iter(files)).parent
    if all(fault == MISSING for fault in files.values()):
        message = f"{dataset.word} is not in {folder}, and it could not be downloaded"
        wanted = f"these files belong in {home}: {', '.join(path.name for path in files)}"
        return DataError(message, (wanted, cause), (ELSEWHERE, FETCH))
    faults = [f"{path.name}: {fault}" for path, fault in files.items() if fault]
    message = f"{dataset.word} in {home} cannot be read"
    if len(faults) == 1:
        message, faults = f"{message}: {faults[0]}", []
    damaged = " ".join(str(path) for path, fault in files.items() if fault not in ("", MISSING))
    mend = (f"move away what is damaged: {damaged}",) if damaged else ()
    return DataError(message, (*faults, cause), (*mend, FETCH, ELSEWHERE))


def _said(error: Exception) -> str:
    return f"torchvision says: {' '.join(str(error).split())}" if str(error) else "torchvision gives no reason"


def _idx_files(source: Any, folder: Path) -> dict[Path, str]:
    """What is wrong with each file of an MNIST; nothing where the text is empty."""
    raw = folder / source.__name__ / "raw"
    return {path: _idx_fault(path) for path in (raw / name.removesuffix(".gz") for name, _ in source.resources)}


def _idx_fault(path: Path) -> str:
    """The format: two zero bytes, the type (8 for bytes), the number of axes, their sizes, the values."""
    axes = 3 if "images" in path.name else 1
    if not path.is_file():
        return MISSING
    with path.open("rb") as file:
        head = file.read(4 + 4 * axes)
    if head[:4] != bytes([0, 0, 8, axes]) or len(head) < 4 + 4 * axes:
        return "damaged, its first bytes are not those of such a file" if head else "empty"
    expected = len(head)
    values = 1
    for axis in range(axes):
        values *= int.from_bytes(head[4 + 4 * axis : 8 + 4 * axis], "big")
    expected += values
    size = path.stat().st_size
    return "" if size == expected else f"damaged, it should have {expected:,} bytes and has {size:,}"


def _batch_files(source: Any, folder: Path) -> dict[Path, str]:
    """What is wrong with each file of a CIFAR, by torchvision's check sums."""
    sums = [*source.train_list, *source.test_list, (source.meta["filename"], source.meta["md5"])]
    return {
        path: _sum_fault(path, md5) for path, md5 in ((folder / source.base_folder / name, md5) for name, md5 in sums)
    }


def _sum_fault(path: Path, md5: str) -> str:
    if not path.is_file():
        return MISSING
    if not path.stat().st_size:
        return "empty"
    sound = package("torchvision.datasets.utils").check_integrity(str(path), md5)
    return "" if sound else "damaged, its check sum is not that of the original"
