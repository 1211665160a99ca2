"""NumPy archives."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnspec.data.arrays import Array, as_raw
from cnnspec.data.error import DataError
from cnnspec.data.facts import Npz
from cnnspec.data.parts import Raw, Request
from cnnspec.data.pictures import reason
from cnnspec.data.room import require_memory

SAMPLES = ("x", "images", "data")
LABELS = ("y", "labels", "targets")
PARTS = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}
"""What arrays are called: `x_train`, `train_images`, `xtrain`; the training part also without its name, `x`."""

MAGIC = (b"PK", b"\x93NUMPY")
"""How archives begin, which are ZIP files, and files of a single array."""

KEYS = "save it with these names: numpy.savez(PATH, x_train=..., y_train=..., x_test=..., y_test=...), or x and y alone"


def read_npz(dataset: Npz, request: Request) -> Raw:
    path, what = request.file(dataset.path), f'npz("{dataset.path}")'
    arrays = _arrays(path)
    parts = {part: _pair(arrays, names) for part, names in PARTS.items()}
    parts["train"] = parts["train"] or _pair(arrays, ("",))
    if parts["train"] is None:
        raise DataError(f"{path} does not hold samples and labels", (f"it holds {', '.join(arrays)}",), (KEYS,))
    found = {part: pair for part, pair in parts.items() if pair is not None}
    for part, (x, y) in found.items():
        if x.shape[:1] != y.shape[:1]:
            shapes = f"samples {x.shape} and labels {y.shape}"
            raise DataError(f"the {part} part of {what} has not one label for each sample", (shapes,))
    return as_raw(what, found, request.shape)


def _arrays(path: Path) -> dict[str, Array]:
    """The arrays of an archive, by their names in lower case."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if not head.startswith(MAGIC):
            raise DataError(f"{path} is no NumPy archive", ("its first bytes are not those of such a file",), (KEYS,))
        archive = np.load(path, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise DataError(f"{path} holds one array without a name", help=(KEYS,))
        with archive:
            require_memory(sum(each.file_size for each in archive.zip.infolist()), str(path))
            return {name.lower(): archive[name] for name in archive.files}
    except DataError:
        raise
    except Exception as error:  # NumPy, zipfile and zlib each have errors of their own
        if "pickle" in str(error):
            message = f"{path} holds Python objects, which are not loaded: they could run any code"
            raise DataError(message, help=("save arrays of numbers, all samples of one shape",)) from error
        raise DataError(f"{path} cannot be read as a NumPy archive", (reason(error),)) from error


def _pair(arrays: dict[str, Array], parts: tuple[str, ...]) -> tuple[Array, Array] | None:
    samples, labels = _named(arrays, SAMPLES, parts), _named(arrays, LABELS, parts)
    return None if samples is None or labels is None else (samples, labels)


def _named(arrays: dict[str, Array], kinds: tuple[str, ...], parts: tuple[str, ...]) -> Array | None:
    names = {name for kind in kinds for part in parts for name in (kind + part, part + kind)}
    return next((array for name, array in arrays.items() if name.replace("_", "") in names), None)
