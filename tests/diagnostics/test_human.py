"""The rendering of a diagnostic, to the letter."""

from __future__ import annotations

from textwrap import dedent

import pytest

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.diagnostics.human import render
from cnnspec.source import Source, Span

TEXT = "first 12\nsecond 345 end\nthird\n\nfifth"
SOURCE = Source("a.cnn", TEXT)


def at(text: str, source: Source = SOURCE) -> Span:
    start = source.text.index(text)
    return Span(source, start, start + len(text))


def shown(text: str) -> str:
    return dedent(text).strip("\n")


def test_everything_at_once() -> None:
    diagnostic = Diagnostic(
        "E301",
        "the fault",
        at("345"),
        "here",
        (Label(at("12"), "from there"), Label(at("fifth"), "and there")),
        "because\nof this",
        ("a fact",),
        (Fix("in words"), Fix("by an edit", (Edit(at("345"), "12"),))),
    )
    assert render(diagnostic) == shown(
        """
        error[E301]: the fault
         --> a.cnn:2:8
          |
        1 | first 12
          |       -- from there
        2 | second 345 end
          |        ^^^ here
         ...
        5 | fifth
          | ----- and there
          |
          = why: because
                 of this
          = note: a fact
        help: in words
        help: by an edit
          |
        2 - second 345 end
        2 + second 12 end
        """
    )


def test_nothing_but_the_fault() -> None:
    assert render(Diagnostic("W002", "unused", at("third"))) == shown(
        """
        warning[W002]: unused
         --> a.cnn:3:1
          |
        3 | third
          | ^^^^^
        """
    )


def test_a_label_in_another_source() -> None:
    other = Source("<train.data>", "mnist")
    text = render(Diagnostic("E501", "no match", at("12"), "", (Label(at("mnist", other), "this"),)))
    assert text.endswith(
        shown(
            """
             ::: <train.data>:1:1
              |
            1 | mnist
              | ----- this
            """
        )
    )


def test_tabs_and_wide_characters_keep_the_marks_below_the_text() -> None:
    source = Source("a.cnn", "\t卷积 bad")
    lines = render(Diagnostic("E105", "bad", at("bad", source))).splitlines()
    assert lines[-1] == "  |          ^^^"


def test_empty_span_at_the_end_of_the_text() -> None:
    end = Span(SOURCE, len(TEXT), len(TEXT))
    assert render(Diagnostic("E101", "more belongs here", end)).splitlines()[-1] == "  |      ^"


def test_edits_over_several_lines_are_shown_together() -> None:
    whole = Span(SOURCE, TEXT.index("345"), TEXT.index("third") + 5)
    text = render(Diagnostic("E101", "joined", whole, fixes=(Fix("join", (Edit(whole, "x"),)),)))
    assert text.endswith("2 - second 345 end\n3 - third\n2 + second x")


def test_long_lines_are_cut_around_the_mark() -> None:
    source = Source("a.cnn", "a" * 500 + " bad " + "b" * 500)
    lines = render(Diagnostic("E105", "bad", at("bad", source))).splitlines()
    assert all(len(line) < 130 for line in lines)
    column = lines[-1].index("^")
    assert lines[-2][column : column + 3] == "bad"


def test_what_a_terminal_would_obey_is_not_sent_to_it() -> None:
    source = Source("a.cnn", "\x1b[2J a\rb bad  # \x9b1m \ud800")
    fix = Fix("call it \x07", (Edit(at("bad", source), "good"),))
    text = render(Diagnostic("E105", "bad \x1b[0m", at("bad", source), "\x00", fixes=(fix,)))
    assert all(character.isprintable() for character in text.replace("\n", ""))
    lines = text.splitlines()
    assert lines[4].index("^") == lines[3].index("bad")


@pytest.mark.parametrize("before", [0, 60, 90, 300])
def test_a_change_of_a_long_line_is_in_sight(before: int) -> None:
    source = Source("a.cnn", "a" * before + " bad " + "b" * 300)
    fix = Fix("mend it", (Edit(at("bad", source), "good"),))
    old, new = render(Diagnostic("E105", "bad", at("bad", source), fixes=(fix,))).splitlines()[-2:]
    assert old.index("bad") == new.index("good")
    assert max(len(old), len(new)) < 130
