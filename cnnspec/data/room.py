"""Room for samples: in memory where they fit, else in a temporary file that is mapped into it.

A mapped file is read and written like memory, and the system keeps of it what it has room for.
"""

from __future__ import annotations

import os
import tempfile
from math import prod
from pathlib import Path
from shutil import disk_usage
from typing import Any

import numpy as np

from cnnspec.data.error import DataError

Array = np.ndarray[Any, Any]

SHARE = 0.5
"""Of the memory that is available: the rest is for training, and for what is made of the samples."""

MEMINFO, GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
LASTING = Path("/var/tmp")
"""Where temporary files lie on a disk, also where /tmp is memory."""


def room(sizes: tuple[int, ...], dtype: np.dtype[Any] | type, what: str) -> Array:
    """An array to be filled, a `numpy.memmap` where it is in a file; that is gone with it, however the process ends.

    `what` names the samples where there is room neither in memory nor on the disk, which raises `DataError`."""
    needed, free = prod(sizes) * np.dtype(dtype).itemsize, available()
    if free is None or needed <= SHARE * free:
        try:
            return np.empty(sizes, dtype)
        except MemoryError:
            free = 0
    return _mapped(sizes, dtype, needed, what, free)


def _mapped(sizes: tuple[int, ...], dtype: np.dtype[Any] | type, needed: int, what: str, free: int) -> Array:
    folder = temporary()
    try:
        left = disk_usage(folder).free
        if needed > left:
            raise _too_much(what, needed, free, folder, left)
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, needed)  # a disk that fills up later would kill the process
            return np.memmap(file, dtype, "r+" if hasattr(os, "posix_fallocate") else "w+", shape=sizes)
    except OSError as error:
        raise _too_much(what, needed, free, folder, 0) from error


def _too_much(what: str, needed: int, free: int, folder: Path, left: int) -> DataError:
    fact = f"there is memory for {gigabytes(int(SHARE * free))}, and room for {gigabytes(left)} in {folder}"
    other = "or name a folder on a larger disk in the environment variable TMPDIR"
    return DataError(f"{what} take {gigabytes(needed)}", (fact,), ("take a smaller input, or fewer samples", other))


def about_room(array: Array) -> tuple[str, ...]:
    """In words, that samples are in a file, where they are."""
    if not isinstance(array, np.memmap):
        return ()
    taken = f"images take {gigabytes(array.nbytes)}, more than half of the memory that is free"
    return (f"{taken}: they are read into a temporary file in {temporary()}",)


def require_memory(needed: int, what: str) -> None:
    """Raises `DataError` where `what`, which is read as a whole, takes more than there is."""
    free = available()
    if free is not None and needed > free:
        message = f"{what} takes {gigabytes(needed)} of memory, and {gigabytes(free)} are available"
        raise DataError(message, help=("take fewer samples, or images in folders, which need not fit into memory",))


def temporary() -> Path:
    if "TMPDIR" not in os.environ and os.access(LASTING, os.W_OK):
        return LASTING
    return Path(tempfile.gettempdir())


def gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


# ---------------------------------------------------------------------------------------------------------- memory


def available() -> int | None:
    """Bytes of memory that can be had without swapping; None where the system does not tell."""
    return min((each for each in (_of_machine(), _of_group()) if each is not None), default=None)


def _of_machine() -> int | None:
    try:
        facts = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
        return int(facts["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def _of_group() -> int | None:
    """What the container may still take; what it has read of files gives way."""
    try:
        most, taken = (int((GROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        facts = dict(line.split() for line in (GROUP / "memory.stat").read_text().splitlines())
        return most - taken + int(facts["inactive_file"])
    except (OSError, KeyError, ValueError):
        return None
