"""Random changes to a batch of images, on the device where the batch is, and the step from bytes to network input.

Every image of a batch has its own random numbers, which are drawn beforehand: what is done to it here is a function of
them. Where an image is moved, what enters at the edges is zero, as it is black before normalisation. Bytes stay
bytes; float images are taken as they are and never clamped, so their values may lie anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from cnnspec.recipe import Augmentation, ColorJitter, Crop, Cutout, Flip, RandomErasing, Rotation, Shift


def columns(augmentations: tuple[Augmentation, ...]) -> int:
    """How many random numbers an image takes."""
    return sum(CHANGES[type(augmentation)].columns for augmentation in augmentations)


def augment(x: Tensor, augmentations: tuple[Augmentation, ...], draws: Tensor, mean: Tensor | None = None) -> Tensor:
    """Images [N, C, H, W] (uint8 or float), changed by the first of their random numbers `draws` (from 0 to 1, [N,
    columns]); same shape, type and device. What is covered becomes `mean`, which counts bytes as 0 to 1; zero where
    None."""
    widths = [CHANGES[type(augmentation)].columns for augmentation in augmentations]
    for augmentation, columns in zip(augmentations, torch.split(draws[:, : sum(widths)], widths, 1), strict=True):
        change, numbers = CHANGES[type(augmentation)], columns.unbind(1)
        if isinstance(change, Cover):
            x = covered(x, change.mask(x, augmentation, numbers), mean)
        else:
            x = change.change(x, augmentation, numbers)
    return x


def settled(augmentations: tuple[Augmentation, ...], draws: Tensor, first: Tensor, epoch: int) -> Tensor:
    """The random numbers of an epoch, those of images that are mirrored in every other epoch such as to bring that
    about; `first` are those of the first epoch."""
    at = 0
    for augmentation in augmentations:
        if isinstance(augmentation, Flip) and augmentation.alternate:
            draws[:, at] = first[:, at] if epoch % 2 else 1 - first[:, at]
        at += CHANGES[type(augmentation)].columns
    return draws


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
    return moved(x, down, right, crop.padding, crop.padding, crop.mode)


def _shift(x: Tensor, shift: Shift, numbers: Numbers) -> Tensor:
    most = [shift.fraction * size for size in x.shape[2:]]
    down, right = (_between(-limit, limit, n).round().long() for limit, n in zip(most, numbers, strict=True))
    return moved(x, down, right, round(most[0]), round(most[1]))


def moved(x: Tensor, down: Tensor, right: Tensor, most_down: int, most_right: int, mode: str = "zeros") -> Tensor:
    """Images moved by whole pixels, at most so many either way; zeros enter at the edges, or what they reflect."""
    height, width = x.shape[2:]
    if mode == "reflect":
        padded = reflected(reflected(x, most_down, 2), most_right, 3)
    else:
        padded = functional.pad(x, [most_right, most_right, most_down, most_down])
    # a view of all windows of the old size: [N, C, places down, places right, H, W]; indexing copies one per image
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    return windows[torch.arange(len(x), device=x.device), :, most_down - down, most_right - right]


def reflected(x: Tensor, by: int, axis: int) -> Tensor:
    """Images made longer on both sides of an axis by what an edge reflects. (`torch.nn.functional.pad` would not take
    bytes.)"""
    last = x.shape[axis] - 1
    places = torch.arange(-by, last + by + 1, device=x.device).abs()
    return x.index_select(axis, last - (last - places).abs())


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
    red, green, blue = x[:, :1], x[:, 1:2], x[:, 2:]
    return red * 0.299 + green * 0.587 + blue * 0.114


def _within(like: Tensor, x: Tensor) -> Tensor:
    return x.clamp(0, 255) if like.dtype == torch.uint8 else x


def _as(like: Tensor, x: Tensor) -> Tensor:
    """Floats with the type of the images they were made from."""
    return x.round().clamp(0, 255).to(torch.uint8) if like.dtype == torch.uint8 else x.to(like.dtype)


# ---------------------------------------------------------------------------------------------------------- covers


def covered(x: Tensor, mask: Tensor, mean: Tensor | None) -> Tensor:
    """Images with a colour where the mask [N, 1, H, W] is true."""
    colour = torch.zeros_like(x[0, :, 0, 0]) if mean is None else mean * (255 if x.dtype == torch.uint8 else 1)
    return torch.where(mask, _as(x, colour).view(1, -1, 1, 1), x)


def rectangle(x: Tensor, top: Tensor, bottom: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Where the rows from `top` to before `bottom` cross such columns ([N] each): [N, 1, H, W]."""
    rows, columns = (torch.arange(size, device=x.device) for size in x.shape[2:])
    high, wide = _inside(rows, top, bottom), _inside(columns, left, right)
    return (high[:, :, None] & wide[:, None, :]).unsqueeze(1)


def _inside(places: Tensor, first: Tensor, end: Tensor) -> Tensor:
    return (places >= first[:, None]) & (places < end[:, None])


def _place(number: Tensor, places: int | Tensor) -> Tensor:
    """One of so many places from 0 on, as a random number says."""
    # a float drawn just under 1 may round up to the next whole number
    return torch.minimum((number * places).floor(), torch.zeros_like(number) + places - 1)


def _cutout(x: Tensor, cutout: Cutout, numbers: Numbers) -> Tensor:
    down, right = (_place(number, size) for number, size in zip(numbers, x.shape[2:], strict=True))
    before, after = cutout.size // 2, cutout.size - cutout.size // 2
    return rectangle(x, down - before, down + after, right - before, right + after)


def _erased(x: Tensor, erasing: RandomErasing, numbers: Numbers) -> Tensor:
    """A ratio that would make a rectangle higher or wider than the image is not drawn."""
    height, width = x.shape[2:]
    happens, part, shape, down, right = numbers
    area = _between(erasing.smallest, erasing.largest, part) * height * width
    most = (height**2 / area).log().clamp(max=-log(erasing.ratio))
    least = (area / width**2).log().clamp(min=log(erasing.ratio))
    ratio = (shape * (most - least).clamp(min=0) + least).exp()
    high, wide = (area * ratio).sqrt().round().clamp(max=height), (area / ratio).sqrt().round().clamp(max=width)
    top, left = _place(down, height - high + 1), _place(right, width - wide + 1)
    return rectangle(x, top, top + high, left, left + wide) & (happens < erasing.p).view(-1, 1, 1, 1)


class Change(NamedTuple):
    columns: int
    """How many random numbers an image takes."""
    change: Callable[[Tensor, Any, Numbers], Tensor]


class Cover(NamedTuple):
    columns: int
    mask: Callable[[Tensor, Any, Numbers], Tensor]
    """Of what is covered, [N, 1, H, W]."""


CHANGES: dict[type[Augmentation], Change | Cover] = {
    Crop: Change(2, _crop),
    Flip: Change(1, _flip),
    Rotation: Change(1, _rotation),
    ColorJitter: Change(3, _color_jitter),
    Shift: Change(2, _shift),
    Cutout: Cover(2, _cutout),
    RandomErasing: Cover(5, _erased),
}
