"""The application of edits."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.diagnostics.fixing import apply, chosen, edited
from cnnspec.source import Source, Span

SOURCE = Source("a", "one two three")
OTHER = Source("b", "one two three")


def edit(start: int, end: int, text: str, source: Source = SOURCE) -> Edit:
    return Edit(Span(source, start, end), text)


def proposal(*edits: Edit, safe: bool = True) -> Diagnostic:
    return Diagnostic("E101", "wrong", edits[0].span, fixes=(Fix("in words"), Fix("mend it", edits, safe=safe)))


def applied(*diagnostics: Diagnostic, unsafe: bool = False) -> tuple[dict[str, str], int]:
    texts = {"a": SOURCE.text, "b": OTHER.text}
    done = apply(texts, diagnostics, lambda name: name if name in texts else None, unsafe=unsafe)
    return done.texts, len(done.mended)


def test_edits_of_one_text_in_any_order() -> None:
    assert edited(SOURCE.text, [edit(4, 7, "2"), edit(0, 3, "1"), edit(8, 8, "and ")]) == "1 2 and three"


def test_fixes_that_do_not_meet_are_applied_together() -> None:
    assert applied(proposal(edit(0, 3, "1")), proposal(edit(4, 7, "2"))) == ({"a": "1 2 three"}, 2)


def test_of_two_that_overlap_the_first_is_taken() -> None:
    assert applied(proposal(edit(0, 7, "1")), proposal(edit(4, 7, "2"))) == ({"a": "1 three"}, 1)


def test_of_two_that_touch_the_first_is_taken() -> None:
    """Two insertions at one place have no order."""
    assert applied(proposal(edit(3, 3, ",")), proposal(edit(3, 3, ";"))) == ({"a": "one, two three"}, 1)


def test_the_same_edit_twice_is_one() -> None:
    assert applied(proposal(edit(0, 3, "1")), proposal(edit(0, 3, "1"))) == ({"a": "1 two three"}, 2)


def test_a_fix_is_applied_whole_or_not_at_all() -> None:
    taken, late = proposal(edit(4, 7, "2")), proposal(edit(0, 3, "1"), edit(5, 6, "?"))
    assert applied(taken, late) == ({"a": "one 2 three"}, 1)


def test_a_fix_of_two_files() -> None:
    assert applied(proposal(edit(0, 3, "1"), edit(0, 3, "1", OTHER))) == ({"a": "1 two three", "b": "1 two three"}, 1)


def test_unsafe_fixes_only_where_they_are_wanted() -> None:
    unsafe = proposal(edit(0, 3, "1"), safe=False)
    assert applied(unsafe) == ({}, 0)
    assert applied(unsafe, unsafe=True) == ({"a": "1 two three"}, 1)


def test_the_first_proposal_or_none() -> None:
    likely, safe = Fix("likely", (edit(0, 3, "1"),)), Fix("safe", (edit(4, 7, "2"),), safe=True)
    diagnostic = Diagnostic("E101", "wrong", Span(SOURCE, 0, 3), fixes=(likely, safe))
    assert applied(diagnostic) == ({}, 0)
    assert applied(diagnostic, unsafe=True) == ({"a": "1 two three"}, 1)


def test_no_fix_reaches_a_text_that_is_not_there() -> None:
    far = proposal(edit(0, 3, "1"), edit(0, 3, "1", Source("c", "one")))
    assert applied(far, unsafe=True) == ({}, 0)
    assert chosen(far, lambda name: name, unsafe=False) is far.fixes[1]
