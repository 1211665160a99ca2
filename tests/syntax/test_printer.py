"""What is printed is read as the same tree, and printed the same again."""

from __future__ import annotations

import pytest
from random_trees import Trees

from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.syntax.printer import print_file


def read(text: str) -> tree.File:
    parsed = parse(Source("test.cnn", text))
    assert parsed.diagnostics == (), text
    return parsed.file


@pytest.mark.parametrize("start", range(0, 600, 100))
def test_random_trees(start: int) -> None:
    for seed in range(start, start + 100):
        file = Trees(seed).file()
        text = print_file(file)
        again = read(text)
        assert again == file, f"seed {seed}"
        assert print_file(again) == text, f"seed {seed}"
