"""Names that PyTorch refuses are refused, and no others."""

from __future__ import annotations

import pytest
from torch import nn

import cnnspec
from cnnspec.network.names import TAKEN


def test_taken_names_are_those_of_torch() -> None:
    """Python's own names vary from version to version."""
    assert {name for name in dir(nn.Sequential()) if not name.startswith("__")} <= TAKEN
    assert {"__init__", "__call__", "__dict__"} <= TAKEN


@pytest.mark.parametrize(
    "label", ["train", "_modules", "__init__", "__a", "forward", "stem", "class", "layers", "x1", "model"]
)
def test_labels_that_torch_refuses(label: str) -> None:
    source = cnnspec.text(f"model M {{\n  input 4\n  {label}: linear(2)\n}}\n")
    try:
        nn.Sequential().add_module(label, nn.ReLU())
    except KeyError:
        assert [d.code for d in cnnspec.check(source).errors] == ["E214"]
    else:
        assert list(cnnspec.build(source).state_dict()) == [f"{label}.weight", f"{label}.bias"]
