"""Faults that only values from outside bring are not mended in the text."""

from __future__ import annotations

from cnnspec.network import check
from cnnspec.source import Source

TEXT = """model M(classes=10) {
  input 1x8x8
  flatten
  linear(63 -> 16), relu
  linear(classes)
}
"""


def test_a_value_from_outside_is_blamed_where_it_is_to_blame() -> None:
    claim, wrong = check(Source("m.cnn", TEXT), set={"classes": "1.5"}).errors
    assert (claim.code, wrong.code) == ("E301", "E204")
    assert claim.fixes
    assert not wrong.fixes
    assert wrong.notes[-1] == "without the classes=1.5 that was given from outside there is no fault here"


def test_a_model_that_has_no_values_of_its_own() -> None:
    source = Source("m.cnn", TEXT.replace("classes=10", "classes"))
    (claim,) = check(source, set={"classes": "10"}).errors
    assert claim.fixes


def test_a_template_that_is_asked_for_says_what_it_lacks() -> None:
    source = Source("m.cnn", TEXT.replace("63 -> ", "").replace("classes=10", "classes") + "model P = M(10)\n")
    assert not check(source).diagnostics
    (note,) = check(source, only="M").diagnostics
    assert note.code == "N002"


RIGHT = TEXT.replace("63 -> ", "")


def test_faults_stand_where_they_are_written() -> None:
    """Within a value from outside too, so that what is proposed keeps the rest of it."""
    for given, column, mended in (
        ("sgd(lr=0.1, momentum=90)", 22, "sgd(lr=0.1, momentum=0.9)"),
        ("muon(others=sgd(lr=0.1, nesterof=true))", 25, "muon(others=sgd(lr=0.1, nesterov=true))"),
        ("sgd(lr=-1)", 8, None),
    ):
        (fault,) = check(Source("m.cnn", RIGHT), set={"train.optimizer": given}).errors
        assert fault.span.column == column
        edits = [(fix.edits[0].span, fix.edits[0].text) for fix in fault.fixes]
        assert [given[: span.start] + text + given[span.end :] for span, text in edits] == ([mended] if mended else [])
