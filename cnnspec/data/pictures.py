"""Pictures of any size and mode, brought to the shape of an input."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from cnnspec.data.error import DataError, package
from cnnspec.data.room import Array, room
from cnnspec.layers.base import Shape

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""How Pillow calls pictures with that many channels."""

MODE_NAMES = {"L": "grey", "RGB": "RGB", "RGBA": "RGBA (colour and opacity)"}

CHUNK = 256


def picture_mode(shape: Shape, what: str) -> str:
    """Pillow's mode for an input; raises `DataError` where the input is not one of a picture."""
    if shape.rank == 2 and shape.channels in MODES:
        return MODES[shape.channels]
    if shape.rank == 0:
        message = f"{what} holds images, and the input {shape} is flat"
        help = "give the input the shape of an image, input 1x28x28 for instance, and make flatten the first layer"
        raise DataError(message, help=(help,))
    message = f"{what} holds images, and an input of {shape} is none"
    notes = ("an image has the shape CxHxW with 1 channel (grey), 3 (RGB) or 4 (RGBA)",)
    raise DataError(message, notes)


def fit(image: Image, shape: Shape) -> Array:
    """A picture as uint8 [C, H, W] of that shape: converted to its channels and stretched to its size (bilinear, with
    antialiasing)."""
    mode, (height, width) = MODES[shape.channels], shape.spatial
    if image.mode != mode:
        image = eight_bits(image).convert(mode)
    if image.size != (width, height):
        image = image.resize((width, height), package("PIL.Image").Resampling.BILINEAR)
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def eight_bits(image: Image) -> Image:
    """Pictures with 16 bits for a grey value, scaled to 8: Pillow's own conversion would clip them."""
    if not image.mode.startswith("I"):
        return image
    return package("PIL.Image").fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))  # type: ignore[no-any-return]


def read_images(
    paths: Sequence[Path], shape: Shape, help: str, pixels: Array | None = None
) -> tuple[Tensor, list[tuple[str, tuple[int, int]]]]:
    """Picture files as uint8 [N, C, H, W], read into `pixels` where they are given, and the mode and (width, height)
    each had.

    Raises `DataError` naming the files that cannot be read, with `help`."""
    pil = package("PIL.Image")
    pil.init()
    likely_first = sorted(pil.ID, key=lambda name: name not in ("JPEG", "PNG"))
    pixels = room_for(len(paths), shape) if pixels is None else pixels
    found: list[tuple[str, tuple[int, int]]] = [("", (0, 0))] * len(paths)
    faults: list[tuple[int, str]] = []

    def read(index: int) -> None:
        try:
            with pil.open(paths[index], formats=likely_first) as image:
                found[index] = image.mode, image.size
                pixels[index] = fit(image, shape)
        except Exception as error:  # Pillow's plugins raise nearly anything at a damaged file
            faults.append((index, _fault(paths[index], error)))

    in_threads(read, len(paths))
    if faults:
        raise _unreadable([(paths[index], text) for index, text in sorted(faults)], len(paths), help)
    return torch.from_numpy(pixels), found


def fit_all(x: Tensor, shape: Shape) -> Tensor:
    """Pictures in memory, uint8 [N, C, H, W], brought to another shape as `fit` does."""
    pil = package("PIL.Image")
    source = x.squeeze(1) if x.shape[1] == 1 else x.permute(0, 2, 3, 1)
    images = source.contiguous().numpy()
    pixels = room_for(len(x), shape)

    def convert(index: int) -> None:
        pixels[index] = fit(pil.fromarray(images[index]), shape)

    in_threads(convert, len(x))
    return torch.from_numpy(pixels)


def room_for(count: int, shape: Shape) -> Array:
    return room((count, *shape.sizes), np.uint8, f"{count:,} images of {shape}")


def in_threads(work: Callable[[int], None], count: int) -> None:
    """`work` for every index below `count`. Pillow lets other threads run while it decodes."""

    def chunk(start: int) -> None:
        for index in range(start, min(start + CHUNK, count)):
            work(index)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(chunk, range(0, count, CHUNK)))


def changes(found: Sequence[tuple[str, tuple[int, int]]], shape: Shape) -> tuple[str, ...]:
    """In words, what `fit` did to pictures with these modes and sizes."""
    mode, (height, width) = MODES[shape.channels], shape.spatial
    sizes = counted(size for _, size in found)
    modes = counted(was for was, _ in found)
    messages = []
    if set(sizes) != {(width, height)}:
        others = [f"{h}x{w}" for w, h in sizes if (w, h) != (width, height)]
        order = "" if all(w == h for w, h in (*sizes, (width, height))) else " (height x width)"
        messages.append(f"images are resized from {_and_others(others, 'sizes')} to {height}x{width}{order}")
    if set(modes) != {mode}:
        others = [MODE_NAMES.get(was, f"mode {was}") for was in modes if was != mode]
        messages.append(f"images are converted from {_and_others(others, 'modes')} to {MODE_NAMES[mode]}")
    return tuple(messages)


def counted(values: Any) -> dict[Any, int]:
    """How often each value occurs, the most frequent first."""
    counts: dict[Any, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _and_others(names: list[str], what: str) -> str:
    if len(names) <= 3:
        return " and ".join(names)
    return f"{names[0]} (and {len(names) - 1:,} other {what})"


def reason(error: BaseException) -> str:
    """An exception as the end of a sentence."""
    return str(error).split("\n")[0] or type(error).__name__


def _fault(path: Path, error: Exception) -> str:
    """Why a file is no picture that can be read."""
    if isinstance(error, package("PIL").UnidentifiedImageError):
        return "it does not begin as an image of any known format does" if path.stat().st_size else "it is empty"
    return reason(error)


def _unreadable(faults: list[tuple[Path, str]], total: int, help: str) -> DataError:
    count, (first, fault) = len(faults), faults[0]
    if count == 1:
        return DataError(f"{first} cannot be read as an image: {fault}", help=(help,))
    message = f"{count:,} of {total:,} files cannot be read as images"
    notes = tuple(f"{path}: {text}" for path, text in faults[:5])
    if count > 5:
        notes += (f"and {count - 5:,} more",)
    return DataError(message, notes, (help,))
