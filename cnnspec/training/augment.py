"""Random changes to a batch of images, on the device where the batch is, and the step from bytes to network input.

Every image of a batch has its own random numbers, which are drawn beforehand: what is done to it here is a function of
them. Where an image is moved, what enters at the edges is zero, as it is black before normalisation. Bytes stay
bytes; float images are taken as they are and never clamped, so their values may lie anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from cnnspec.recipe import Augmentation, ColorJitter, Crop, Flip, Rotation, Shift


def columns(augmentations: tuple[Augmentation, ...]) -> int:
    """How many random numbers an image takes."""
    return sum(CHANGES[type(augmentation)].columns for augmentation in augmentations)


def augment(x: Tensor, augmentations: tuple[Augmentation, ...], draws: Tensor) -> Tensor:
    """Images [N, C, H, W] (uint8 or float), changed by their random numbers `draws` (from 0 to 1, [N, columns]); same
    shape, type and device."""
    widths = [CHANGES[type(augmentation)].columns for augmentation in augmentations]
    for augmentation, numbers in zip(augmentations, torch.split(draws, widths, 1), strict=True):
        x = CHANGES[type(augmentation)].change(x, augmentation, numbers.unbind(1))
    return x


def normalise(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Samples [N, C, ...] as float32 with zero mean and unit deviation per channel (or feature).

    `mean` and `std` count bytes as 0 to 1; float samples are taken as they are."""
    scale = 255 if x.dtype == torch.uint8 else 1
    shape = (-1, *[1] * (x.dim() - 2))
    return x.float().sub(mean.to(x.device).view(shape) * scale).div_(std.to(x.device).view(shape) * scale)


Numbers = tuple[Tensor, ...]
"""Random numbers from 0 to 1, one per image in each: [N]."""


def _between(low: float, high: float, number: Tensor) -> Tensor:
    return number * (high - low) + low


def _crop(x: Tensor, crop: Crop, numbers: Numbers) -> Tensor:
    # a float drawn just under 1 may round up to the next whole number
    down, right = ((n * (2 * crop.padding + 1)).long().clamp(max=2 * crop.padding) - crop.padding for n in numbers)
    return moved(x, down, right, crop.padding, crop.padding)


def _shift(x: Tensor, shift: Shift, numbers: Numbers) -> Tensor:
    most = [shift.fraction * size for size in x.shape[2:]]
    down, right = (_between(-limit, limit, n).round().long() for limit, n in zip(most, numbers, strict=True))
    return moved(x, down, right, *map(round, most))


def moved(x: Tensor, down: Tensor, right: Tensor, most_down: int, most_right: int) -> Tensor:
    """Images moved by whole pixels, at most so many either way; zeros enter at the edges."""
    height, width = x.shape[2:]
    padded = functional.pad(x, [most_right, most_right, most_down, most_down])
    # a view of all windows of the old size: [N, C, places down, places right, H, W]; indexing copies one per image
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    return windows[torch.arange(len(x), device=x.device), :, most_down - down, most_right - right]


def _flip(x: Tensor, flip: Flip, numbers: Numbers) -> Tensor:
    return flipped(x, numbers[0] < flip.p)


def flipped(x: Tensor, chosen: Tensor) -> Tensor:
    """The chosen images ([N], true or false) mirrored left and right."""
    return torch.where(chosen.view(-1, 1, 1, 1), x.flip(-1), x)


def _rotation(x: Tensor, rotation: Rotation, numbers: Numbers) -> Tensor:
    return turned(x, _between(-rotation.degrees, rotation.degrees, numbers[0]))


def turned(x: Tensor, degrees: Tensor) -> Tensor:
    """Images turned counter-clockwise about their middle, with bilinear interpolation."""
    height, width = x.shape[2:]
    angle = degrees.deg2rad()
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # where each pixel comes from; a grid runs from -1 to 1 along both axes, so the sides' ratio goes into the turn
    rows = (cos, -sin * height / width, zero, sin * width / height, cos, zero)
    grid = functional.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(x.shape), align_corners=False)
    return _as(x, functional.grid_sample(x.float(), grid.float(), align_corners=False))


def _color_jitter(x: Tensor, jitter: ColorJitter, numbers: Numbers) -> Tensor:
    amounts = (jitter.brightness, jitter.contrast, jitter.saturation)
    return jittered(x, *(_between(1 - amount, 1 + amount, n) for amount, n in zip(amounts, numbers, strict=True)))


def jittered(x: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    """Images multiplied by a brightness, then drawn to (or from) their mean grey, then to their grey version, by
    factors [N]. Opacity, a fourth channel, stays; grey images have no saturation to change."""
    colours = _within(x, x[:, :3].float() * brightness.view(-1, 1, 1, 1))
    colours = _within(x, _blend(colours, _grey(colours).mean((1, 2, 3), keepdim=True), contrast))
    if colours.shape[1] == 3:
        colours = _within(x, _blend(colours, _grey(colours), saturation))
    return torch.cat([_as(x, colours), x[:, 3:]], 1)


def _blend(x: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(other.expand_as(x), x, factor.view(-1, 1, 1, 1))


def _grey(x: Tensor) -> Tensor:
    """Luma (ITU-R BT.601), [N, 1, H, W]; the first channel where there are not three."""
    if x.shape[1] != 3:
        return x[:, :1]
    red, green, blue = x.split(1, 1)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _within(like: Tensor, x: Tensor) -> Tensor:
    return x.clamp(0, 255) if like.dtype == torch.uint8 else x


def _as(like: Tensor, x: Tensor) -> Tensor:
    """Floats with the type of the images they were made from."""
    return x.round().clamp(0, 255).to(torch.uint8) if like.dtype == torch.uint8 else x.to(like.dtype)


class Change(NamedTuple):
    columns: int
    """How many random numbers an image takes."""
    change: Callable[[Tensor, Any, Numbers], Tensor]


CHANGES: dict[type[Augmentation], Change] = {
    Crop: Change(2, _crop),
    Flip: Change(1, _flip),
    Rotation: Change(1, _rotation),
    ColorJitter: Change(3, _color_jitter),
    Shift: Change(2, _shift),
}
