"""Arrays of numbers, from tables and archives, as samples of an input, and their labels as classes."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnspec.data.error import DataError
from cnnspec.data.parts import Part, Raw
from cnnspec.data.pictures import MODES, changes, fit_all, picture_mode
from cnnspec.layers.base import Shape

Array = np.ndarray[Any, Any]


def as_raw(what: str, arrays: dict[str, tuple[Array, Array]], shape: Shape) -> Raw:
    """Samples and labels of the parts (train, and validation and test where they are) as a reader returns them.

    `what` names the source in messages."""
    tensors, messages = as_samples(what, [x for x, _ in arrays.values()], shape)
    classes, labels = as_classes(what, {name: y for name, (_, y) in arrays.items()})
    parts = {name: Part(x, y) for name, x, y in zip(arrays, tensors, labels, strict=True)}
    return Raw(parts["train"], parts.get("test"), classes, parts.get("validation"), messages=messages)


# ---------------------------------------------------------------------------------------------------------- samples


def as_samples(what: str, arrays: list[Array], shape: Shape) -> tuple[list[Tensor], tuple[str, ...]]:
    """Arrays [N, ...] as tensors [N, *shape]: images as bytes, anything else as float32.

    What is decided from the first array (the layout, the range of the values) holds for all of them."""
    for array in arrays:
        _check_numbers(what, array)
    if shape.rank != 2:
        return [torch.from_numpy(_in_shape(what, array, shape).astype(np.float32)) for array in arrays], ()
    turned = [_channels_first(what, array, shape) for array in arrays]
    images, messages = [image for image, _ in turned], turned[0][1]
    scale = _byte_scale(images)
    if scale is None:
        low, high = min(float(image.min()) for image in images), max(float(image.max()) for image in images)
        messages += (f"values from {low:.4g} to {high:.4g} are no pixels (0 to 1, or 0 to 255): they stay as they are",)
        return [torch.from_numpy(_in_shape(what, image, shape).astype(np.float32)) for image in images], messages
    tensors = [torch.from_numpy(_bytes(image, scale)) for image in images]
    found = [(MODES[x.shape[1]], (x.shape[3], x.shape[2])) for x in tensors]
    fitted = [x if x.shape[1:] == shape.sizes else fit_all(x, shape) for x in tensors]
    return fitted, messages + changes(found, shape)


def _check_numbers(what: str, array: Array) -> None:
    if array.dtype.kind not in "biuf":
        raise DataError(f"the samples of {what} are not numbers but {array.dtype}")
    if array.ndim < 2 or not len(array):
        raise DataError(f"{what} has no samples: its array has the shape {_times(array.shape)}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"{what} has values that are no numbers (nan) or infinite")


def _in_shape(what: str, array: Array, shape: Shape) -> Array:
    if array.shape[1:] == shape.sizes:
        return array
    last = (*shape.spatial, shape.channels)
    if array.shape[1:] == last:
        return np.ascontiguousarray(np.moveaxis(array, -1, 1))
    if array[0].size == shape.elements and (array.ndim == 2 or shape.channels == 1):
        return array.reshape(-1, *shape.sizes)
    raise _wrong_shape(what, array, shape)


def _wrong_shape(what: str, array: Array, shape: Shape) -> DataError:
    samples = _times(array.shape[1:])
    message = f"{what} has samples of {samples}, and the input is {shape}"
    if shape.rank == 0 and array.ndim > 2:
        return DataError(message, help=(f"write input {samples}, and make flatten the first layer",))
    return DataError(message, help=(f"write input {samples}",))


def _channels_first(what: str, array: Array, shape: Shape) -> tuple[Array, tuple[str, ...]]:
    """Images as [N, C, H, W], and what was done to make them so."""
    picture_mode(shape, what)
    sizes = array.shape[1:]
    if len(sizes) == 3 and _channels_are_last(sizes, shape):
        return array.transpose(0, 3, 1, 2), ("images have their channels last; they are moved to the front",)
    if len(sizes) == 3 and sizes[0] in MODES:
        return array, ()
    if len(sizes) == 2:
        return array[:, None], ()
    if len(sizes) == 1:
        return _unflattened(what, array, shape), ()
    raise _wrong_shape(what, array, shape)


def _channels_are_last(sizes: tuple[int, ...], shape: Shape) -> bool:
    """Where both ends could be channels, the input decides, or the smaller of them."""
    if sizes[2] not in MODES or sizes == shape.sizes:
        return False
    return sizes[0] not in MODES or sizes == (*shape.spatial, shape.channels) or sizes[2] < sizes[0]


def _unflattened(what: str, array: Array, shape: Shape) -> Array:
    """Flat pixels are those of the input, or of a square grey image."""
    count = array.shape[1]
    if count == shape.elements:
        return array.reshape(-1, *shape.sizes)
    side = isqrt(count)
    if side * side == count:
        return array.reshape(-1, 1, side, side)
    message = f"{what} has {count:,} pixels per image, and the input {shape} takes {shape.elements:,}"
    raise DataError(message, ("they are no square either, which could be resized",))


def _byte_scale(images: list[Array]) -> float | None:
    """What brings pixels to 0 to 255; None where the values are neither these nor shares of 1.

    Fractions are rounded only where the range is that of pixels: 3.7 of 5 is a measurement, 3.7 of 255 is not."""
    low, high = min(image.min() for image in images), max(image.max() for image in images)
    if low < 0 or high > 255:
        return None
    if images[0].dtype.kind in "iu":
        return 1.0
    if high <= 1:
        return 255.0
    return 1.0 if high > 128 or all((image == image.round()).all() for image in images) else None


def _bytes(array: Array, scale: float) -> Array:
    if array.dtype != np.uint8:
        array = (array * np.float32(scale)).round().astype(np.uint8)
    return np.ascontiguousarray(array)


def _times(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes))


# ----------------------------------------------------------------------------------------------------------- labels


def as_classes(what: str, labels: dict[str, Array]) -> tuple[tuple[str, ...], list[Tensor]]:
    """Labels as class numbers. The classes are the different labels of the training part, numbers in their order and
    texts in that of the alphabet."""
    columns = {name: _column(what, array) for name, array in labels.items()}
    train = columns["train"]
    values = np.unique(train)
    names = tuple(map(str, values.tolist()))
    if len(values) < 2:
        raise DataError(f"{what} has one class only, {names[0]}: there is nothing to tell apart")
    if len(values) > max(2, len(train) / 2):
        message = f"the labels of {what} are no classes: {len(train):,} samples have {len(values):,} different ones"
        raise DataError(message, (f"{', '.join(names[:5])}, ...",))
    for name, column in columns.items():
        unknown = column[~np.isin(column, values)]
        if len(unknown):
            message = f"the {name} part of {what} has the label {unknown[0]}, which no training sample has"
            raise DataError(message, (f"the training part has {', '.join(names[:20])}",))
    return names, [torch.from_numpy(np.searchsorted(values, column).astype(np.int64)) for column in columns.values()]


def _column(what: str, labels: Array) -> Array:
    """Labels as [N] whole numbers, or as texts."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        message = f"the labels of {what} have the shape {_times(labels.shape)}: one number per sample is needed"
        raise DataError(message, help=("if they are one-hot, save labels.argmax(1) instead",))
    if labels.dtype.kind == "U":
        try:
            labels = labels.astype(np.float64)
        except ValueError:
            return labels
    if labels.dtype.kind not in "biuf":
        raise DataError(f"the labels of {what} are neither numbers nor texts but {labels.dtype}")
    whole = labels.astype(np.int64)
    if (whole != labels).any():
        message = f"the labels of {what} are no classes: {labels[whole != labels][0]} is not a whole number"
        raise DataError(message)
    return whole
