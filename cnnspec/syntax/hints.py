"""What a line was meant to be that is written as in Python, Keras or mathematics, and what to write instead.

Each hint looks at the place where the parser stopped and answers with a diagnostic, or None if it knows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cnnspec.diagnostics import Diagnostic, Edit, Fix
from cnnspec.source import Span
from cnnspec.syntax.bodies import bars, braces, line_removed, parenthesised, swallow, unbraced
from cnnspec.syntax.foreign import replace
from cnnspec.syntax.layout import DEFINITIONS
from cnnspec.syntax.lexer import NEWLINE, STRAY, Token
from cnnspec.syntax.modules import module_path
from cnnspec.syntax.own_line import behind_statement, behind_steps, choice, lone_else, word_for_step
from cnnspec.syntax.place import Place, shown

Hint = Callable[[Place], Diagnostic | None]

STATEMENTS = {
    "class": "write model Name { ... }, with the layers in the order they run",
    "def": "write block Name(argument) { ... }, with the layers in the order they run",
    "import": "leave it out: the layers are there without it",
    "from": "leave it out: the layers are there without it",
    "return": "leave it out: what the last layer gives is the result",
    "while": "write repeat N { ... } or for i in range(N) { ... }",
    "with": "leave it out",
    "print": "leave it out: cnnspec summary shows the network",
    "pass": "leave it out: braces may be empty",
}


def foreign(message: str, span: Span, label: str, *fixes: Fix) -> Diagnostic:
    return Diagnostic("E103", message, span, label, fixes=fixes)


def python_statement(place: Place) -> Diagnostic | None:
    first = place.tokens[place.begin]
    words = STATEMENTS.get(first.text)
    if words is None or place.peek(place.begin + 1).kind in ("COLON", "COMMA"):
        return None
    edits: tuple[Edit, ...] = ()
    method = first.text == "def" and not place.at_top
    if words.startswith("leave it out") or method:
        swallow(place)
        edits = (line_removed(place, below=True),)
        words = "leave it out: layers run in the order they are written" if method else words
    elif first.text == "def":
        edits = _definition(place)
    elif first.text == "class":
        swallow(place)
    return foreign(f"{first.text} is a statement of Python", place.span(first), "not known here", Fix(words, edits))


def _definition(place: Place) -> tuple[Edit, ...]:
    """`def Pair(width):` as a block."""
    swallow(place)
    last = place.tokens[place.end - 1]
    name = place.peek(place.begin + 1)
    if last.kind != "COLON" or not name.text[:1].isupper():
        return ()
    return (Edit(place.span(place.tokens[place.begin]), "block"), *braces(place, last))


def else_if(place: Place) -> Diagnostic | None:
    token = place.token
    if token.text == "elif":
        return foreign(
            "elif is Python's word", place.here, "not known here", replace("write else if", place.here, "else if")
        )
    return None


def forward_pass(place: Place) -> Diagnostic | None:
    """`x = self.conv1(x)`, `conv(32, 3)(x)`"""
    first, second = place.tokens[place.begin], place.peek(place.begin + 1)
    words = "leave it out: layers run in the order they are written"
    if first.kind == "X" and second.kind == "EQUAL":
        span, third = place.span(first), place.peek(place.begin + 2)
        edits = (Edit(place.source.span(first.start, third.start), ""), *_calls_of_x(place))
        fix = Fix(words, edits)
        return foreign("what arrives is handed on without being named", span, "no assignment here", fix)
    if place.token.kind == "LPAR" and place.before is not None and place.before.kind == "RPAR":
        fix = Fix(words, tuple(_calls_of_x(place)))
        return foreign("a layer is not called on its input", place.here, "a second call", fix)
    return None


def _calls_of_x(place: Place) -> list[Edit]:
    """Takes away each `(x)` of the line."""
    tokens = place.tokens[place.begin : place.end]
    found = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return [
        Edit(place.source.span(a.start, c.end), "")
        for a, b, c in found
        if (a.kind, b.kind, c.kind) == ("LPAR", "X", "RPAR")
    ]


def fat_arrow(place: Place) -> Diagnostic | None:
    """`3136 => 128`"""
    pair = place.source.text[place.token.start : place.token.start + 2]
    if pair != "=>":
        return None
    span = place.source.span(place.token.start, place.token.start + 2)
    return foreign("an arrow is written ->", span, "not known here", replace("write ->", span, "->"))


def prefixed_text(place: Place) -> Diagnostic | None:
    """`f"stage{i}"`"""
    token, before = place.token, place.before
    if token.kind != "STRING" or before is None or before.end != token.start or before.text not in ("f", "r", "b", "u"):
        return None
    fix = replace(f"leave the {before.text} out", place.span(before), "")
    message = "a text has no letter in front of its quotes"
    label = "what stands in its braces is put in anyway" if before.text == "f" else "not known here"
    return foreign(message, place.span(before), label, fix)


def input_in_train(place: Place) -> Diagnostic | None:
    """`input: 1x28x28` among the settings"""
    token = place.tokens[place.begin]
    if token.kind != "INPUT" or not place.settings:
        return None
    edits: tuple[Edit, ...] = ()
    opened = next((at for at, t in enumerate(place.tokens) if t.kind == "MODEL"), None)
    value = place.tokens[place.begin + 2 : place.end]
    if opened is not None and value:
        brace = next((t for t in place.tokens[opened:] if t.kind == "LBRACE"), None)
        shape = place.source.text[value[0].start : value[-1].end]
        if brace is not None and brace.start < token.start:
            into = Edit(place.source.span(brace.end, brace.end), f"\n  input {shape}")
            edits = (into, line_removed(place))
    fix = Fix("put it into the model, before its layers", edits)
    return foreign("input is no setting of the training", place.span(token), "belongs into the model", fix)


def assignment(place: Place) -> Diagnostic | None:
    """`conv1 = conv(32, 3)`, `batch = 128`, `width = 3`"""
    token, before = place.token, place.before
    if place.at_top and place.after.kind == "EQUAL":
        return _let(place, token)
    if token.kind != "EQUAL" or before is None:
        return None
    if before.kind == "INPUT":
        span = place.source.span(before.end, token.end)
        fix = replace("leave it out", span, "")
        return foreign("the shape follows input directly", place.here, "no equals sign", fix)
    if not (place.begins(place.at - 1) and place.accepts("COLON")):
        return _comparison(place)
    colon = place.source.span(before.end, token.end)
    if place.accepts("COLON", "INT"):
        fix = replace("write a colon", colon, ":")
        return foreign("a setting has a colon behind its name", place.here, "an equals sign", fix)
    if place.after.kind in ("NAME", "LBRACE"):
        fix = replace("write a colon", colon, ":")
        return foreign("a layer's name has a colon behind it", place.here, "an equals sign", fix)
    return _let(place, before)


def _let(place: Place, name: Token) -> Diagnostic:
    fix = replace("begin with let", place.source.span(name.start, name.start), "let ")
    return foreign(f"{name.text} is given a value without let", place.span(name), "a new name?", fix)


def _comparison(place: Place) -> Diagnostic | None:
    if not place.accepts("EQ"):
        return None
    fix = replace("write ==", place.here, "==")
    return foreign("a single equals sign does not compare", place.here, "comparison is ==", fix)


def colon(place: Place) -> Diagnostic | None:
    """`padding: 1` in a call, `input: 3x32x32`, `if width > 3:`"""
    token, before = place.token, place.before
    first, second = place.tokens[place.begin], place.peek(place.begin + 1)
    if first.kind == "INPUT" and second.kind == "COLON" and place.at == place.begin + 2:
        fix = replace("leave it out", place.span(second), "")
        return foreign("the shape follows input directly", place.span(second), "no colon", fix)
    if token.kind != "COLON" or before is None:
        return None
    if before.kind == "NAME" and place.accepts("EQUAL") and place.around()[0] is not None:
        fix = replace("write an equals sign", place.source.span(before.end, place.start_of_after), "=")
        return foreign(f"the argument {before.text} has a colon behind its name", place.here, "not a colon", fix)
    if place.after.kind == NEWLINE and place.accepts("LBRACE"):
        swallow(place)
        fix = Fix("put what belongs to it in braces", braces(place, token))
        return foreign("a colon and indentation make no body", place.here, "an opening brace belongs here", fix)
    return None


SIZE = r"(?:[0-9]+|\?|[A-Za-z_]\w*?)"
SPACED = re.compile(rf"(?<!\w){SIZE}(?:[ \t]*[x×][ \t]*{SIZE})+(?!\w)")


def spaced_shape(place: Place) -> Diagnostic | None:
    """`3 x 32 x 32`, `3×32×32`, `4xwidthx4`"""
    if not (place.token.kind in ("X", "NAME") or place.token.text == "×"):
        return None
    line_start = place.source.text.rfind("\n", 0, place.token.start) + 1
    for match in SPACED.finditer(place.source.text, line_start, place.tokens[place.end].start):
        if match.start() < place.token.start < match.end():
            return _shape(place, match)
    return None


def _shape(place: Place, match: re.Match[str]) -> Diagnostic | None:
    sizes = re.split(r"[ \t]*[x×][ \t]*", match[0])
    if not all(sizes) or not any(size.isdigit() for size in sizes):
        return None
    named = any(size[0].islower() or size[0] == "_" for size in sizes)
    text = f"[{', '.join(sizes)}]" if named else "x".join(sizes)
    span = place.source.span(match.start(), match.end())
    label = "a name is no part of such a shape" if named else "written with blanks or the sign ×"
    fixes = [replace(f"write {text}", span, text)]
    if named and place.tokens[place.begin].text == "input":
        opened = "x".join(size.upper() for size in sizes)
        fixes.append(replace(f"write {opened}, where the sizes are to be left open", span, opened))
    return foreign(f"{match[0]} is not read as a shape", span, label, *fixes)


def power(place: Place) -> Diagnostic | None:
    token, before = place.token, place.before
    if not (token.kind == "STAR" and before is not None and before.kind == "STAR" and before.end == token.start):
        return None
    sign = place.source.span(before.start, token.end)
    base, exponent = place.tokens[place.at - 2], place.after
    fix = Fix("write a product")
    if base.kind == exponent.kind == "INT" and len(base.text) < 6 and len(exponent.text) < 2:
        value = str(int(base.text) ** int(exponent.text))
        fix = replace(f"write {value}", place.source.span(base.start, exponent.end), value)
    return foreign("there is no operator **", sign, "a power", fix)


def comment(place: Place) -> Diagnostic | None:
    """`// ...`, `/* ... */`"""
    text, line = place.source.text, place.tokens[place.begin : place.at + 1]
    for token in reversed(line):
        pair = text[token.start : token.start + 2]
        if pair == "/*" or (pair == "//" and (place.token is token or place.token.kind in ("NAME", STRAY))):
            span = place.source.span(token.start, token.start + 2)
            return foreign(
                f"a comment does not begin with {pair}", span, "not a comment", replace("write #", span, "#")
            )
    return None


def pair_in_parentheses(place: Place) -> Diagnostic | None:
    """`(3, 5)` for a list"""
    if place.token.kind != "COMMA" or not place.accepts("RPAR"):
        return None
    opened, closed = place.around()
    if opened is None or closed is None or opened.kind != "LPAR" or place.previous(opened).kind == "NAME":
        return None
    edits = (Edit(place.span(opened), "["), Edit(place.span(closed), "]"))
    span = place.source.span(opened.start, closed.end)
    return foreign("parentheses hold one value", span, "several here", Fix("write a list, in brackets", edits))


MARKS = {
    "→": ("->", "an arrow is written ->"),
    "⇒": ("->", "an arrow is written ->"),
    "≥": (">=", "at least is written >="),
    "≤": ("<=", "at most is written <="),
    "≠": ("!=", "unequal is written !="),
    "−": ("-", "the minus sign is -"),
    "–": ("-", "the minus sign is -"),
    "–>": ("->", "an arrow is written ->"),
    "—>": ("->", "an arrow is written ->"),
    "&": ("and", '"and" is written as a word'),
    "!": ("not ", '"not" is written as a word'),
    "“": ('"', "a quotation mark is straight"),
    "”": ('"', "a quotation mark is straight"),
    "„": ('"', "a quotation mark is straight"),
    "\u00a0": (" ", "this blank is one that word processors use"),
}


def foreign_mark(place: Place) -> Diagnostic | None:
    token = place.token
    if token.kind == "VBAR" and place.after.kind == "VBAR" and place.accepts("OR"):
        span = place.source.span(token.start, place.after.end)
        return foreign('"or" is written as a word', span, "not known here", replace("write or", span, "or"))
    if token.kind != STRAY:
        return None
    span = place.source.span(token.start, place.after.end)
    if span.text not in (*MARKS, "&&"):
        span = place.here
    mark = span.text.replace("&&", "&")
    if mark not in MARKS:
        return None
    text, message = MARKS[mark]
    words = "write a plain one" if text.isspace() or text == '"' else f"write {text.strip()}"
    return foreign(message, span, "not known here", replace(words, span, text))


def single_quotes(place: Place) -> Diagnostic | None:
    token = place.token
    if token.text != "'":
        return None
    closing = place.source.text.find("'", token.end, place.tokens[place.end].start)
    if closing < 0:
        return foreign("a text stands in double quotes", place.here, "a single quote")
    span = place.source.span(token.start, closing + 1)
    word = span.text[1:-1]
    if place.before is not None and place.before.kind == "EQUAL" and word.isidentifier():
        fix = replace(f"write {word}", span, word)
        return foreign("names of the language stand without quotes", span, "in quotes", fix)
    edits = (Edit(place.here, '"'), Edit(place.source.span(closing, closing + 1), '"'))
    return foreign("a text stands in double quotes", span, "single quotes", Fix('write " "', edits))


def semicolon(place: Place) -> Diagnostic | None:
    if place.token.text != ";":
        return None
    last = place.after.kind in (NEWLINE, "RBRACE")
    fix = replace("leave it out", place.here, "") if last else replace("write a comma", place.here, ",")
    return foreign("a semicolon separates nothing", place.here, "not known here", fix)


def bare_fraction(place: Place) -> Diagnostic | None:
    """`.5`"""
    if place.token.kind != "DOT" or place.after.kind != "INT" or place.after.start != place.token.end:
        return None
    if place.before is not None and place.before.end == place.token.start and place.before.text[-1].isalnum():
        return None
    return foreign("a number begins with a digit", place.here, "", replace("write 0.", place.here, "0."))


def comparison_chain(place: Place) -> Diagnostic | None:
    signs = ("LT", "GT", "LE", "GE", "EQ", "NE")
    if place.token.kind not in signs or not any(t.kind in signs for t in place.tokens[place.begin : place.at]):
        return None
    fix = Fix("write two of them: a < b and b < c")
    return foreign("a comparison compares two values", place.here, "a third one", fix)


def brace_on_own_line(place: Place) -> Diagnostic | None:
    """`add` and, on the next line, `{ | ... }`: without the bar it would be a group."""
    brace, at = place.before, place.at - 1
    if place.token.kind == NEWLINE or brace is None:
        brace, at = (place.tokens[place.at - 1], place.at - 1) if place.at else (None, 0)
    if brace is not None and brace.kind == NEWLINE and at:
        brace, at = place.tokens[at - 1], at - 1
    if place.token.kind != "VBAR" or brace is None or brace.kind != "LBRACE" or at < 2:
        return None
    if place.tokens[at - 1].kind != NEWLINE:
        return None
    fix = replace("put it at the end of the line above", place.between(place.tokens[at - 2], brace), " ")
    message = "the opening brace stands on a line of its own"
    return foreign(message, place.span(brace), "it belongs to the line above", fix)


def nested_definition(place: Place) -> Diagnostic | None:
    """`block Name { ... }` inside of a model"""
    before = place.before
    if before is None or before.kind not in DEFINITIONS or not place.accepts("COLON") or not place.begins(place.at - 1):
        return None
    message = f"{before.text} stands inside of a definition"
    fix = Fix(f"move it out: {before.text} begins in the first column")
    return Diagnostic("E101", message, place.span(before), "not here", fixes=(fix,))


def misspelled(place: Place) -> Diagnostic | None:
    """`modle A {`"""
    if not place.at_top or place.token.kind != "NAME":
        return None
    from difflib import get_close_matches

    close = get_close_matches(place.token.text.lower(), ["model", "block", "train", "use", "let"], 1)
    if not close:
        return None
    fix = replace(f"did you mean {close[0]}?", place.here, close[0])
    return Diagnostic("E101", f"{shown(place.token)} begins no definition", place.here, "not known here", fixes=(fix,))


HINTS: tuple[Hint, ...] = (
    input_in_train,
    parenthesised,
    bars,
    unbraced,
    fat_arrow,
    prefixed_text,
    module_path,
    forward_pass,
    python_statement,
    else_if,
    single_quotes,
    semicolon,
    spaced_shape,
    foreign_mark,
    power,
    comment,
    bare_fraction,
    assignment,
    colon,
    pair_in_parentheses,
    comparison_chain,
    brace_on_own_line,
    word_for_step,
    nested_definition,
    lone_else,
    choice,
    behind_steps,
    behind_statement,
    misspelled,
)
