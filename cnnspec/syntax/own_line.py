"""Statements that share a line with steps: each begins a line and ends it. Words of the language that are no step."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.syntax.bodies import indent
from cnnspec.syntax.foreign import replace
from cnnspec.syntax.layout import OPENS
from cnnspec.syntax.lexer import NEWLINE, Token
from cnnspec.syntax.place import Place, shown

BRACED = frozenset({"REPEAT", "FOR", "IF"})
PLAIN = frozenset({"LET", "ASSERT"})
ENDS = ("COMMA", NEWLINE, "VBAR", "RBRACE")


def behind_steps(place: Place) -> Diagnostic | None:
    """`flatten, repeat 3 { ... }`, `name: repeat 3 { ... }`"""
    token, before = place.token, place.before
    if token.kind not in BRACED | PLAIN or before is None:
        return None
    last = _last(place)
    if place.after.kind in (*ENDS, "COLON"):
        return None
    if before.kind == "COLON" and place.accepts("LBRACE"):
        return _named(place, last)
    comma = before.kind == "COMMA" and place.accepts("LBRACE")
    if not (comma or place.accepts(NEWLINE)):
        return None
    edits = [_broken(place, place.at - comma, place.at)]
    if place.peek(last + 1).kind == "COMMA":
        edits.append(_broken(place, last + 1, last + 2))
    message = f"{token.text} shares its line with the steps before it"
    return Diagnostic("E101", message, place.here, "begins a line of its own", fixes=(_new_line(*edits),))


def _last(place: Place) -> int:
    """The last token of the statement that begins here, as far as this line holds it."""
    tokens, begin, end = place.tokens, place.at, place.end
    depth, braced = 0, False
    for at in range(begin, end):
        kind = tokens[at].kind
        if tokens[begin].kind in PLAIN and depth == 0 and kind in ENDS:
            return at - 1
        depth += (kind in OPENS) - (kind in OPENS.values())
        braced = braced or kind == "LBRACE"
        if braced and depth == 0 and kind == "RBRACE" and tokens[at + 1].kind != "ELSE":
            return at
    return end - 1


def _broken(place: Place, first: int, second: int) -> Edit:
    """A new line in front of the second token, in the place of a comma where the first is one."""
    tokens, source = place.tokens, place.source
    start = tokens[first - 1].end
    if "\n" in source.text[start : tokens[second].start]:
        return Edit(place.span(tokens[first]), "")
    return Edit(source.span(start, tokens[second].start), "\n" + indent(source, tokens[place.begin].start))


def _new_line(*edits: Edit) -> Fix:
    return Fix("begin a new line" if edits[0].text else "leave the comma out", edits)


def _named(place: Place, last: int) -> Diagnostic | None:
    """A name in front of a statement, which has none: that of a group around it, as a rule."""
    word, name = place.token, place.tokens[place.at - 2]
    fixes: tuple[Fix, ...] = ()
    if word.kind in BRACED and place.tokens[last].kind == "RBRACE":
        end = place.tokens[last].end
        edits = (Edit(place.source.span(word.start, word.start), "{ "), Edit(place.source.span(end, end), " }"))
        fixes = (Fix(f"put it into a group called {name.text}", edits),)
    elif word.kind in BRACED:
        fixes = (Fix(f"put it into a group: {name.text}: {{ {word.text} ... }}"),)
    return Diagnostic("E101", f"{word.text} has a name in front of it", place.here, "a step belongs here", fixes=fixes)


def choice(place: Place) -> Diagnostic | None:
    """`relu if deep else tanh`"""
    kinds = [token.kind for token in place.tokens[place.at : place.end]]
    if place.token.kind != "IF" or "ELSE" not in kinds or "LBRACE" in kinds or not place.accepts(NEWLINE):
        return None
    at = place.at + kinds.index("ELSE")
    line, text = place.tokens[place.begin : place.end], place.source.text
    parts = ((line[0].start, place.token.start), (place.token.end, place.tokens[at].start))
    step, condition, other = (text[a:b].strip() for a, b in (*parts, (place.tokens[at].end, line[-1].end)))
    alone = other and not any(token.kind in ("COMMA", "VBAR", "RBRACE") for token in line)
    whole = f"if {condition} {{ {step} }} else {{ {other} }}" if alone else f"if {condition} {{ ... }} else {{ ... }}"
    edits = (Edit(place.source.span(line[0].start, line[-1].end), whole),) if alone else ()
    message = "if and else in the middle choose between values, not between steps"
    return Diagnostic("E101", message, place.here, "behind a step", fixes=(Fix(f"write {whole}", edits),))


def behind_statement(place: Place) -> Diagnostic | None:
    """`input 3x32x32, relu`, `repeat 2 { ... } relu`"""
    token, before, after = place.token, place.before, place.after
    if before is None or place.accepts("COMMA"):
        return None
    if token.kind == "COMMA" and after.kind != NEWLINE and place.accepts(NEWLINE, after.kind):
        message = f"a comma follows {place.phrase(before)}, where a line ends"
        return Diagnostic(
            "E101", message, place.here, "joins steps only", fixes=(_new_line(_broken(place, place.at, place.at + 1)),)
        )
    if token.kind in ("NAME", *BRACED, *PLAIN) and place.accepts(NEWLINE, token.kind) and not place.settings:
        message = f"{shown(token)} follows {place.phrase(before)} without a new line"
        fix = _new_line(_broken(place, place.at, place.at))
        return Diagnostic("E101", message, place.here, "a new line belongs before this", fixes=(fix,))
    return None


def lone_else(place: Place) -> Diagnostic | None:
    if place.token.kind != "ELSE" or not (place.accepts(NEWLINE) or place.accepts("LBRACE")):
        return None
    return Diagnostic("E101", "else belongs to no if", place.here, "no if ends before it")


def word_for_step(place: Place) -> Diagnostic | None:
    """`flatten, not, relu`, and `x` for what passes on what arrives"""
    token = place.token
    if place.before is not None and place.before.kind in ("BLOCK", "MODEL", "TRAIN", "USE") and token.kind in ENDS:
        return _word(place, place.before) if place.begins(place.at - 1) else None
    if token.kind == "NAME" or not token.text.isidentifier() or not place.accepts("LBRACE", "NAME"):
        return None
    if place.after.kind not in ENDS or place.begins(place.at) is False:
        return None
    return _word(place, token)


def _word(place: Place, token: Token) -> Diagnostic:
    span = place.span(token)
    fixes = (replace("write identity, which passes on what arrives", span, "identity"),) if token.kind == "X" else ()
    return Diagnostic("E104", f"{token.text} is a word of the language", span, "a layer belongs here", fixes=fixes)
