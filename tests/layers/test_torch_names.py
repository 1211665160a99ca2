"""Who writes a layer as PyTorch calls it is told what it is called here."""

from __future__ import annotations

import pytest
from cases import read_case

from cnnspec.layers import LAYERS
from cnnspec.layers.base import Shape
from cnnspec.syntax.modules import IMPLIED, SAME, WORDS, layer_word

SHAPES = [Shape((16, *[12] * rank)) for rank in (0, 1, 2, 3)]


@pytest.mark.parametrize("word", [word for word, layer in LAYERS.items() if not layer.bare])
def test_every_class_of_torch_means_its_layer(word: str) -> None:
    layer, x = read_case(LAYERS[word].example)
    name = layer.torch(x).name.removeprefix("nn.")
    meant = {"Permute": "channels_last"}.get(name, word)
    assert layer_word(name) == meant


def test_every_row_means_a_layer() -> None:
    assert {*WORDS.values(), *SAME} <= set(LAYERS)
    assert not set(SAME) & set(WORDS)
    assert IMPLIED.keys() <= WORDS.keys()


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Conv1d", "conv"),
        ("LazyConv3d", "conv"),
        ("LazyLinear", "linear"),
        ("LazyBatchNorm2d", "batchnorm"),
        ("SyncBatchNorm", "batchnorm"),
        ("Dropout1d", "channel_dropout"),
        ("Softmax2d", "softmax"),
        ("CrossMapLRN2d", None),
        ("MaxUnpool2d", None),
        ("LSTM", None),
    ],
)
def test_other_classes(name: str, word: str | None) -> None:
    assert layer_word(name) == word
