"""Why a token cannot stand where it stands, in a student's words."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.syntax.foreign import replace
from cnnspec.syntax.hints import HINTS
from cnnspec.syntax.lexer import NEWLINE, STRAY
from cnnspec.syntax.place import Place, shown


def explain(place: Place) -> Diagnostic:
    for hint in (*HINTS, _stray, _reserved, _incoming, _repaired):
        if diagnostic := hint(place):
            return diagnostic
    return _plain(place)


def brace_below(place: Place) -> Diagnostic:
    """A brace on the line after its header; the parser joins them and goes on."""
    brace = place.tokens[place.at + 1]
    fix = Fix("put it at the end of the line above", (Edit(place.between(place.before, brace), " "),))
    message = "the opening brace stands on a line of its own"
    return Diagnostic("E103", message, place.span(brace), "it belongs to the line above", fixes=(fix,))


def _stray(place: Place) -> Diagnostic | None:
    token = place.token
    if token.kind != STRAY:
        return None
    if token.text == '"':
        return Diagnostic("E102", "a text in quotes is not closed", place.here, "opened here")
    notes = ("names are made of the letters a to z and A to Z, digits and _",) if token.text.isalpha() else ()
    return Diagnostic(
        "E105", f"{_character(token.text)} has no meaning in a spec", place.here, "not known", notes=notes
    )


def _character(text: str) -> str:
    return text if text.isprintable() and not text.isspace() else f"the character U+{ord(text):04X}"


def _reserved(place: Place) -> Diagnostic | None:
    """A word of the language where a name belongs."""
    token, before = place.token, place.before
    if token.kind == "COLON" and before is not None and before.text.isidentifier() and place.begins(place.at - 1):
        token = before
    elif token.kind == "NAME" or not token.text.isidentifier() or not place.accepts("NAME"):
        return None
    elif place.accepts("NAME", *place.rest):
        return Diagnostic("E101", f"a name is missing before {token.text}", place.here, "a name belongs before this")
    message = f"{token.text} is a word of the language"
    fix = Fix(f"choose another name, {token.text}_ or {token.text}1 for instance")
    return Diagnostic("E104", message, place.span(token), "a name belongs here", fixes=(fix,))


def _incoming(place: Place) -> Diagnostic | None:
    """`x` alone, and a question mark in the place of a value."""
    before = place.before
    if before is not None and before.kind == "X":
        message = "x, which is what arrives, is not a value; only its sizes are"
        notes = ("x.channels, x.height, x.width, x.depth, x.length and x.features",)
        return Diagnostic("E104", message, place.span(before), "one of its sizes belongs here", notes=notes)
    hole = place.token if place.token.kind == "QMARK" else before
    if hole is None or hole.kind != "QMARK":
        return None
    notes = ("? asks for a size: linear(? -> 10); or for a shape: relu -> ?",)
    return Diagnostic("E101", "a question mark cannot stand here", place.span(hole), "not here", notes=notes)


INSERTED = {
    "COMMA": (",", "a comma"),
    "COLON": (":", "a colon"),
    "EQUAL": ("=", "an equals sign"),
    "RPAR": (")", "a closing parenthesis"),
    "RSQB": ("]", "a closing bracket"),
    "ARROW": (" ->", "an arrow"),
}


def _repaired(place: Place) -> Diagnostic | None:
    """One token more, or one less, with which the whole line can be read."""
    token, before = place.token, place.before
    rest = place.rest
    for kind, (text, words) in INSERTED.items():
        if kind == "ARROW" and token.kind not in ("DIMS", "QMARK"):
            continue
        if before is not None and place.accepts(kind, *rest):
            fix = Fix(f"put {words} between them", (Edit(place.source.span(before.end, before.end), text),))
            if token.kind == NEWLINE:
                fix = fix.replace(message=f"put {words} there")
            message = f"{shown(token)} follows {place.phrase(before)} without {words}"
            return Diagnostic("E101", message, place.here, f"{words} belongs before this", fixes=(fix,))
    if token.kind != NEWLINE and place.accepts(*rest[1:]):
        fix = replace("leave it out", place.here, "")
        return Diagnostic("E101", f"{shown(token)} has no place here", place.here, "one too many", fixes=(fix,))
    return None


def _plain(place: Place) -> Diagnostic:
    belongs = place.belongs()
    token, before = place.token, place.before
    if token.kind == NEWLINE and before is not None:
        message = f"the line ends after {place.phrase(before)}"
        comma = before.kind == "COMMA" and place.around()[0] is None
        fixes = (replace("leave it out", place.span(before), ""),) if comma else ()
        return Diagnostic("E101", message, place.span(before), f"behind this belongs {belongs}", fixes=fixes)
    if token.kind in ("RPAR", "RSQB", "RBRACE") and not place.is_open(token.kind):
        from cnnspec.syntax.bodies import line_removed

        alone = place.begin == place.at and place.after.kind == NEWLINE
        fix = Fix("leave it out", (line_removed(place) if alone else Edit(place.here, ""),))
        return Diagnostic("E102", f"{shown(token)} closes nothing", place.here, "nothing is open here", fixes=(fix,))
    if place.at_top and token.text.isidentifier():
        message = f"{token.text} stands outside of every model and block"
        return Diagnostic("E101", message, place.here, f"here belongs {belongs}")
    message = f"{shown(token)} cannot stand " + (
        f"after {place.phrase(before)}" if before else "at the beginning of a line"
    )
    return Diagnostic("E101", message, place.here, f"here belongs {belongs}")
