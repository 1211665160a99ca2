"""How long the zoo's files and their emission are beside torchvision's classes; `benchmarks/zoo.py lines` prints it."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest
from published import table

import cnnspec
from cnnspec import zoo

BENCHMARK = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "zoo.py"))
FAMILIES = {name: (theirs, ours, presets) for name, theirs, ours, presets in BENCHMARK["families"]()}

PUBLISHED = table()

PYTHON = '''
"""A docstring."""
import torch

class Net_Weights:
    URL = ""

@decorated
class Net(torch.nn.Module):
    """Two
    lines."""

    def forward(self, x):  # a comment
        # another
        return call(
            x,
        )

def make():
    return Net()
'''


def test_lines_are_counted_as_they_are_said_to_be() -> None:
    assert BENCHMARK["class_lines"](PYTHON) == 6
    assert BENCHMARK["spec_lines"]("# a\nmodel M(a) {\n  # b\n\n  input 3\n}\n\nmodel N = M(\n  1,\n)\n") == (6, 3)


@pytest.mark.parametrize("family", FAMILIES)
def test_less_than_a_third_of_the_classes(family: str) -> None:
    theirs, ours, presets = FAMILIES[family]
    if family == "vgg":
        # Its class has no convolution: a function makes them from a table, 23 lines more. Eight of ours are presets.
        theirs, ours = theirs + 23, ours - presets
    assert ours < theirs / 3


LARGEST = {zoo.models()[name]: name for name in sorted(PUBLISHED, key=lambda name: PUBLISHED[name]["parameters"])}
EMITTED = PUBLISHED if os.environ.get("CNNSPEC_ZOO") == "all" else LARGEST.values()
"""The largest network of every family; all 68 by the command that `reference.RUN` tells."""


@pytest.mark.parametrize("name", EMITTED)
def test_the_emission_is_no_longer_than_the_classes(name: str) -> None:
    theirs, *_ = FAMILIES[Path(zoo.models()[name]).stem]
    assert BENCHMARK["class_lines"](cnnspec.emit(f"zoo:{name}")) <= theirs
