from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from cnnspec.cli import main
from cnnspec.data.facts import DATASETS
from cnnspec.layers import LAYERS
from cnnspec.recipe import AUGMENTATIONS, OPTIMIZERS, SCHEDULES, Recipe
from cnnspec.report import vocabulary


def layers(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["layers", *arguments])


def test_the_list_has_every_word_with_its_signature() -> None:
    lines = [line.strip() for line in layers().output.splitlines()]
    for registry in (LAYERS, DATASETS, AUGMENTATIONS, OPTIMIZERS, SCHEDULES):
        for word in registry.values():
            assert lines.count(word.signature()) == 1
    assert all(any(line.startswith(f"{name}: ") for line in lines) for name in Recipe.parameters())


@pytest.mark.parametrize("name", vocabulary.names())
def test_every_name_has_an_article(name: str) -> None:
    found = layers(name)
    assert found.exit_code == 0, found.output
    assert found.output.startswith(name)
    assert len(found.output.strip().splitlines()) >= 3


def test_an_article_says_what_arguments_take_and_what_comes_out() -> None:
    text = layers("conv").output
    assert "stride" in text
    assert "1 if left out" in text
    assert "conv(16, 3, padding=1) on 3x32x32 gives 16x32x32, 448 parameters" in text
    assert "nn.Conv2d(3, 16, 3, padding=1)" in text
    assert "the same as kernel if left out" in layers("maxpool").output


def test_an_unknown_name_is_wrong_usage() -> None:
    found = layers("batch_norm")
    assert found.exit_code == 2
    assert "Did you mean batchnorm?" in found.output
    assert "lists what there is" in layers("zzz").output
