"""Random changes to training images."""

from __future__ import annotations

from typing import ClassVar

from cnnspec.words import KINDS, Count, Positive, Probability, Word, by_name, list_of, word_of


class Augmentation(Word):
    """Base of the augmentations: random changes to training images, drawn anew in every epoch."""

    channels: ClassVar[tuple[int, ...] | None] = None
    """How many channels an image may have, None for any number."""


class Crop(Augmentation):
    """Shift by up to `padding` pixels: pad with zeros on every side, cut the old size out at random."""

    word = "crop"
    padding: Count = 4


class Flip(Augmentation):
    """Mirror left and right."""

    word = "flip"
    p: Probability = 0.5


class Rotation(Augmentation):
    """Turn by up to `degrees` either way."""

    word = "rotation"
    degrees: Positive = 10.0


class ColorJitter(Augmentation):
    """Multiply brightness, contrast and saturation by random factors between 1 - v and 1 + v."""

    word = "color_jitter"
    channels = (1, 3, 4)
    brightness: Probability = 0.2
    contrast: Probability = 0.2
    saturation: Probability = 0.2


class Shift(Augmentation):
    """Move by up to `fraction` of the size either way, along each axis (an affine translation)."""

    word = "shift"
    fraction: Probability = 0.1


AUGMENTATIONS = by_name(Crop, Flip, Rotation, ColorJitter, Shift)

KINDS["Augmentations"] = list_of(word_of(AUGMENTATIONS, "an augmentation"), "a list of augmentations")

Augmentations = tuple[Augmentation, ...]
