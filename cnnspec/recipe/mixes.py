"""Training samples that are made of two."""

from __future__ import annotations

from cnnspec.words import KINDS, Positive, Probability, Word, by_name, list_of, word_of


class Mix(Word):
    """Base of the ways to mix a sample with the one before it in the epoch's order, and their labels with them."""


class Mixup(Mix):
    """The weighted mean of two samples, their weights drawn from Beta(alpha, alpha) (Zhang et al. 2017)."""

    word = "mixup"
    alpha: Positive = 0.2
    p: Probability = 1.0


class CutMix(Mix):
    """A rectangle of the other image is put in; its area is drawn from Beta(alpha, alpha), its place is anywhere, also
    partly outside (Yun et al. 2019)."""

    word = "cutmix"
    alpha: Positive = 1.0
    p: Probability = 1.0


MIXES = by_name(Mixup, CutMix)

KINDS["Mixes"] = list_of(word_of(MIXES, "a way to mix samples"), "ways to mix samples")

Mixes = tuple[Mix, ...]
