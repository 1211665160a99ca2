"""Random changes to training images."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnspec.words import KINDS, Count, Positive, Probability, Word, by_name, list_of, word_of


class Augmentation(Word):
    """Base of the augmentations: random changes to training images, drawn anew in every epoch."""

    channels: ClassVar[tuple[int, ...] | None] = None
    """How many channels an image may have, None for any number."""


class Crop(Augmentation):
    """Shift by up to `padding` pixels: pad with zeros on every side (or with the image's own reflection), cut the old
    size out at random."""

    word = "crop"
    padding: Count = 4
    mode: Literal["zeros", "reflect"] = "zeros"


class Flip(Augmentation):
    """Mirror left and right. With `alternate` chance decides for the first epoch alone: from then on each image is
    mirrored in every other epoch (Jordan 2024)."""

    word = "flip"
    p: Probability = 0.5
    alternate: bool = False

    def contradiction(self) -> tuple[str, Word] | None:
        if self.alternate and self.p != 0.5:
            return "flip that alternates mirrors every other epoch, whatever p is", self.replace(p=0.5)
        return None


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


class Cutout(Augmentation):
    """Cover a square of this side, anywhere, also partly outside, with the mean colour of the data (DeVries and Taylor
    2017)."""

    word = "cutout"
    size: Count = 16


class RandomErasing(Augmentation):
    """Cover a rectangle with the mean colour of the data (Zhong et al. 2017): with probability `p`, of `smallest` to
    `largest` part of the image, its height to its width between `ratio` and 1 / `ratio`."""

    word = "random_erasing"
    p: Probability = 0.5
    smallest: Probability = 0.02
    largest: Probability = 0.33
    ratio: Probability = 0.3

    def contradiction(self) -> tuple[str, Word] | None:
        if not self.ratio:
            return "random_erasing with a ratio of 0 has no width", self.replace(ratio=0.3)
        if self.smallest > self.largest:
            swapped = self.replace(smallest=self.largest, largest=self.smallest)
            return "random_erasing is given a smallest part above the largest", swapped
        return None


AUGMENTATIONS = by_name(Crop, Flip, Rotation, ColorJitter, Shift, Cutout, RandomErasing)

KINDS["Augmentations"] = list_of(word_of(AUGMENTATIONS, "an augmentation"), "a list of augmentations")

Augmentations = tuple[Augmentation, ...]
