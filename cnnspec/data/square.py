"""Data sets whose images all have one size: the border and the size that their arguments ask for."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import pad

from cnnspec.data.facts import SquareImages
from cnnspec.data.parts import Part, Raw
from cnnspec.data.pictures import MODES, changes, fit_all, picture_mode
from cnnspec.layers.base import Shape


def require_pictures(dataset: SquareImages, shape: Shape) -> None:
    """Before anything is read: raises `DataError` where images should be resized to an input that takes none."""
    if dataset.resize:
        picture_mode(shape, dataset.word)


def adapted(dataset: SquareImages, train: Part, test: Part | None, shape: Shape) -> Raw:
    """Images as they are stored, uint8 [N, C, H, W], as a reader returns them."""
    train = Part(adapt(train.x, dataset, shape), train.y)
    test = test and Part(adapt(test.x, dataset, shape), test.y)
    messages = _messages(dataset, shape)
    if train.x.shape[1] != len(dataset.mean):  # what is known of colours says nothing about grey, nor the reverse
        return Raw(train, test, dataset.names, messages=messages)
    return Raw(train, test, dataset.names, mean=dataset.mean, std=dataset.std, messages=messages)


def adapt(x: Tensor, dataset: SquareImages, shape: Shape) -> Tensor:
    """Images [N, C, H, W] with a border first, then brought to the input: whichever of the two is asked for."""
    if dataset.pad:
        x = pad(x, [dataset.pad] * 4)
    return fit_all(x, shape) if dataset.resize else x


def _messages(dataset: SquareImages, shape: Shape) -> tuple[str, ...]:
    side = dataset.size + 2 * dataset.pad
    border = f"images have a border of {dataset.pad} zeros on every side: {dataset.size} becomes {side}"
    resized = changes([(MODES[len(dataset.mean)], (side, side))], shape) if dataset.resize else ()
    return ((border,) if dataset.pad else ()) + resized
