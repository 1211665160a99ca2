"""Specs that are small and expand to something huge end with one clear error."""

from __future__ import annotations

import pytest

import cnnspec
from cnnspec.network import expand


def codes(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in cnnspec.check(cnnspec.text(text)).errors]


@pytest.mark.parametrize("inside", ["relu, relu", "identity", "{ }"])
def test_a_billion_layers(inside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expand, "MOST_MODULES", 1_000)
    blocks = [f"block B0 {{\n  {inside}\n}}\n"]
    blocks += [f"block B{n} {{\n  {', '.join([f'B{n - 1}'] * 10)}\n}}\n" for n in range(1, 9)]
    assert codes("".join(blocks) + "model M {\n  input 3x8x8\n  B8\n}\n") == ["E213"]


def test_a_long_chain_of_blocks() -> None:
    blocks = ["block B0 {\n  relu\n}\n"]
    blocks += [f"block B{n} {{\n  B{n - 1}\n}}\n" for n in range(1, 300)]
    assert codes("".join(blocks) + "model M {\n  input 3x8x8\n  B299\n}\n") == ["E213"]


@pytest.mark.parametrize("size", ["1000000000000000", "2147483648", "999999999999999999"])
def test_huge_numbers(size: str) -> None:
    assert codes(f"model M {{\n  input {size}\n  linear(2)\n}}\n") == ["E208"]
    assert codes(f"model M {{\n  input 4\n  linear({size})\n}}\n") == ["E204"]


def test_numbers_that_grow() -> None:
    product = " * ".join(["999999999999999999"] * 30)
    assert codes(f"model M {{\n  input 4\n  linear({product})\n}}\n") == ["E204"]


def test_one_fault_in_every_pass_of_many_loops() -> None:
    loops = "".join(f"for a{n} in range(9) {{\n" for n in range(12))
    text = f"let b = 1\nmodel M {{\n  input 3x8x8\n  for a0 in [1] {{\n{loops}b{'}' * 14}\n"
    assert set(codes(text)) == {"E201", "E207"}


def test_many_passes_that_do_nothing() -> None:
    loops = "repeat 100 { repeat 100 { repeat 100 { } } }"
    assert codes(f"model M {{\n  input 3x8x8\n  {loops}\n}}\n") == ["E213"]
