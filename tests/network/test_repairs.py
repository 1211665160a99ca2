"""Edits are written where they belong: by position, behind a trailing comma, in front of a label, for every use."""

from __future__ import annotations

from pathlib import Path

import pytest

import cnnspec
from cnnspec.diagnostics import Diagnostic
from cnnspec.source import Source


def faults(body: str, shape: str = "1x28x28", before: str = "") -> tuple[Diagnostic, ...]:
    return cnnspec.check(cnnspec.text(f"{before}model M {{\n  input {shape}\n{body}\n}}\n")).errors


def mended(diagnostic: Diagnostic, message: str) -> str:
    """The text after the edits of the one fix whose message has these words."""
    (fix,) = [fix for fix in diagnostic.fixes if message in fix.message]
    source: Source = diagnostic.span.source
    text = source.text
    for edit in sorted(fix.edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert not cnnspec.check(Source("mended.cnn", text)).errors, text
    return text


@pytest.mark.parametrize(
    ("conv", "expected"),
    [
        ("conv(6, 5)", "conv(6, 5, padding=2)"),
        ("conv(6, 5, 1, 0)", "conv(6, 5, 1, 2)"),
        ("conv(6, 5, padding=0)", "conv(6, 5, padding=2)"),
        ("conv(6, 5,)", "conv(6, 5, padding=2)"),
        ("conv(out=6, kernel=5)", "conv(out=6, kernel=5, padding=2)"),
    ],
)
def test_padding_is_put_where_it_belongs(conv: str, expected: str) -> None:
    (fault,) = faults(f"  {conv}, maxpool(2)\n  conv(16, 5), maxpool(2)\n  flatten\n  linear(400 -> 10)")
    assert expected in mended(fault, "keep 400 with padding")


def test_steps_are_put_in_front_of_labels() -> None:
    (fault,) = faults("  conv(8, 3)\n  fc: linear(5408 -> 10)")
    assert "flatten, fc: linear" in mended(fault, "flatten")
    (fault,) = faults("  conv(8, 3, padding=1)\n  flat: flatten\n  linear(1568 -> 10)")
    assert "maxpool(2), flat: flatten" in mended(fault, "one more maxpool(2)")


def test_a_claim_in_a_block_with_several_uses_is_dropped() -> None:
    """What is right for one use is wrong for another."""
    block = "block D(w) {\n  conv(3 -> w, 3, padding=1)\n}\n\n"
    (fault,) = faults("  D(4), D(5), D(6)", "3x8x8", block)
    assert "conv(w, 3, padding=1)" in mended(fault, "let it be inferred")


def test_one_padding_does_not_suit_two_kernels_of_one_call() -> None:
    block = "block D(k) {\n  conv(4, k)\n}\n\n"
    (fault,) = faults("  D(3), D(5), D(5)", "3x8x8", block)
    assert fault.code == "E303"
    assert not any("padding" in edit.text for fix in fault.fixes for edit in fix.edits)


def test_inputs_that_would_fit() -> None:
    """All sizes are tried: a layer may refuse some between others, and nothing is said of what was not tried."""
    (fault,) = faults("  pixel_unshuffle(2), flatten\n  linear(1024 -> 10)")
    assert fault.notes == ("1024 = 4 x 16 x 16 fits an input of 1x32x32",)
    (fault,) = faults("  maxpool(2), flatten\n  linear(2048 -> 10)", "3x32x24")
    assert fault.notes == ()
    (fault,) = faults("  maxpool(2), flatten\n  linear(7 -> 10)")
    assert fault.notes == ("no square input up to 1x512x512 makes it 7",)
    (fault,) = faults("  maxpool(2), flatten\n  linear(350 -> 10)", "1x900")
    assert fault.notes == ("350 = 1 x 350 fits an input of 1x700 (up to 1x701)",)
    (fault,) = faults("  conv(3, 3), flatten\n  linear(350 -> 10)", "1x900")
    assert fault.notes == ("no input up to 1x900 makes it 350",)


def test_every_wrong_option_is_reported() -> None:
    text = cnnspec.text("model M {\n  input 4\n  linear(2)\n}\n")
    checked = cnnspec.check(text, set={"train.batch": 0, "train.epochs": 0})
    assert len(checked.errors) == 2


def test_networks_do_not_depend_on_the_order_of_models() -> None:
    right, wrong = "model A {\n  input 4\n  linear(2)\n}\n", "model B {\n  input 4\n  linear(5 -> 2)\n}\n"
    for text in (right + wrong, wrong + right):
        checked = cnnspec.check(cnnspec.text(text))
        assert [network.name for network in checked.networks] == ["A"]


def test_a_network_takes_no_overrides() -> None:
    network = cnnspec.load(cnnspec.text("model M(n=2) {\n  input 4\n  linear(n)\n}\n"), set={"n": 3})
    assert cnnspec.load(network) is network
    with pytest.raises(TypeError, match="give model, set and input to load"):
        cnnspec.summary(network, set={"n": 4})


def test_sizes_are_bounded() -> None:
    text = cnnspec.text("model M {\n  input 4\n  linear(2)\n}\n")
    assert cnnspec.check(text, input="99999999999x3x3").errors


def test_projections_suit_all_uses_of_a_block() -> None:
    path = Path(__file__).parent.parent / "cases" / "check" / "projections.cnn"
    fixes = [fault.fixes[0] for fault in cnnspec.check(cnnspec.text(path.read_text())).errors]
    assert [fix.edits[-1].text.strip() if fix.edits else fix.message for fix in fixes] == [
        "if x.channels != width or stride != 1 { conv(width, 1, stride=stride) }",
        "| if x.channels != width { conv(width, 1) }",
        "bring the other branch to 24x4x4 with a projection, conv(24, 1, stride=2), in the uses that need it",
        "| if x.channels != width { conv(width, 1) }",
        "| conv(8, 1)",
    ]


def test_a_fault_of_a_preset_names_it() -> None:
    text = "model M(widths=[8]) {\n  input 4\n  for w in widths { linear(w) }\n}\n\nmodel wrong = M(8)\n"
    (fault,) = cnnspec.check(cnnspec.text(text)).errors
    assert [label.text for label in fault.labels] == ["with the values of wrong"]


@pytest.mark.parametrize(
    ("condition", "label"),
    [("x.height == 2 * 4", "false here: 28 == 8"), ("1 == 2", "false here"), ("not true", "false here")],
)
def test_a_false_assertion_shows_what_it_compares(condition: str, label: str) -> None:
    (fault,) = faults(f"  assert {condition}\n  relu")
    assert fault.label == label
