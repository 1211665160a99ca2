"""The Python API as a whole; what each function gives is tested beside what it stands for."""

from __future__ import annotations

import pytest

import cnnspec

TWO = "model A {\n  input 4\n  linear(2)\n}\nmodel B {\n  input 4\n  linear(3)\n}\n"


def test_everything_public_is_there() -> None:
    for name in cnnspec.__all__:
        assert callable(getattr(cnnspec, name))
    with pytest.raises(AttributeError, match="no attribute 'evaluatee'"):
        cnnspec.evaluatee  # type: ignore[attr-defined]  # noqa: B018


def test_usage_faults_can_be_caught_by_name() -> None:
    with pytest.raises(cnnspec.UsageFault, match="has several models: A, B"):
        cnnspec.load(cnnspec.text(TWO))
    with pytest.raises(cnnspec.UsageFault, match=r"absent\.cnn cannot be read"):
        cnnspec.check("absent.cnn")
    with pytest.raises(ValueError, match="style is one of sequential, forward"):
        cnnspec.emit(cnnspec.text(TWO), model="A", style="backward")  # type: ignore[arg-type]


def test_representations_are_short() -> None:
    network = cnnspec.load(cnnspec.text(TWO), model="B")
    assert repr(network) == "<Network B: 4 -> 3, 15 parameters>"
    assert repr(network.source) == f"<Source <string>, {len(TWO)} characters>"


@pytest.mark.parametrize("wrong", [{"optimizer": "rmsprop"}, {"precision": "float16"}])
def test_memory_says_what_there_is_instead(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="; there are "):
        cnnspec.memory("zoo:alexnet", **wrong)
