"""Views of a sample, over which a network is averaged where it is measured or asked (test-time augmentation)."""

from __future__ import annotations

from cnnspec.words import KINDS, Count, Word, by_name, list_of, word_of


class View(Word):
    """Base of the views; several multiply."""


class Mirror(View):
    """The image and its mirror image, a half each."""

    word = "mirror"


class Moves(View):
    """The image, a half, and the image moved by so many pixels up and left, and down and right, a quarter each. What
    enters at the edges is reflected."""

    word = "moves"
    pixels: Count = 1


VIEWS = by_name(Mirror, Moves)

KINDS["Views"] = list_of(word_of(VIEWS, "a view"), "a list of views")

Views = tuple[View, ...]
