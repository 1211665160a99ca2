"""Combinators stand beside the layers in what can be looked up."""

from __future__ import annotations

import pytest

from cnnspec.layers.combine import COMBINATORS
from cnnspec.report import vocabulary
from cnnspec.report.reference import layers_page


@pytest.mark.parametrize("word", COMBINATORS)
def test_a_combinator_is_listed_and_explained(word: str) -> None:
    (found,) = vocabulary.find(word)
    assert isinstance(found, type)
    assert word in vocabulary.names()
    assert f"  {found.signature()}\n" in vocabulary.overview()
    assert f"### {word}\n" in layers_page()
    assert " gives " in vocabulary.article(found)
    assert "In PyTorch" not in vocabulary.article(found)


def test_an_example_says_what_comes_out() -> None:
    _, outcome, torch = vocabulary.example(COMBINATORS["concat"])
    assert (outcome, torch) == ("on 16x8x8 gives 24x8x8, 1,160 parameters", "")


def test_an_example_of_several_steps_shows_its_own_word() -> None:
    (found,) = vocabulary.find("channels_first")
    assert "In PyTorch  Permute((0, 3, 1, 2))" in vocabulary.article(found)  # type: ignore[arg-type]
    assert "nn.Parameter(torch.full((96, 1, 1), 1e-06))" in vocabulary.article(vocabulary.find("scale")[0])  # type: ignore[arg-type]
