"""Bodies that are marked in other ways than by braces and bars: colons and indentation, parentheses, lists; and braces
that are missing."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Edit, Fix, Label
from cnnspec.source import Source, Span
from cnnspec.syntax.lexer import NEWLINE, Token
from cnnspec.syntax.place import Place

COMBINATORS = ("add", "multiply", "concat")
PARTNERS = {"(": ")", "[": "]"}
BARE = frozenset({"REPEAT", "FOR", "IF"})


def indented(source: Source, offset: int) -> int:
    """The end of the last line that stands deeper than the line of `offset`, comments and empty lines aside."""
    lines = source.text.split("\n")
    first = source.position(offset)[0] - 1
    depth, last = _depth(lines[first]), first
    for number in range(first + 1, len(lines)):
        words = lines[number].strip()
        if words and _depth(lines[number]) <= depth:
            break
        if words and not words.startswith("#"):
            last = number
    return source.starts[last] + len(lines[last].rstrip())


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def indent(source: Source, offset: int) -> str:
    """The blanks that the line of `offset` begins with."""
    line = source.line(source.position(offset)[0])
    return line[: _depth(line)]


def braces(place: Place, colon: Token) -> tuple[Edit, ...]:
    """The colon that ends a header becomes a brace, which is closed where the indentation ends."""
    end = indented(place.source, colon.start)
    before = place.source.text[: colon.start].rstrip()
    opening = Edit(place.source.span(len(before), colon.end), " {")
    closing = Edit(place.source.span(end, end), f"\n{indent(place.source, colon.start)}}}")
    return opening, closing


def swallow(place: Place) -> None:
    """Nothing more is said of what stands deeper than this line."""
    end = indented(place.source, place.tokens[place.begin].start)
    last = place.end
    for at in range(place.end, len(place.tokens)):
        if place.tokens[at].kind == NEWLINE and place.tokens[at].start <= end + 1:
            last = at
    place.swallowed = last


def line_removed(place: Place, below: bool = False) -> Edit:
    """An edit that takes away the line, with what stands deeper below it."""
    source, text = place.source, place.source.text
    number = source.position(place.tokens[place.begin].start)[0]
    start = source.starts[number - 1]
    end = indented(source, start) if below else start + len(source.line(number))
    return Edit(source.span(start, min(end + 1, len(text))), "")


def unclosed(source: Source, opened: Span, closing: str) -> Edit:
    """An edit that closes a brace where the indentation ends, a bracket at the end of its line."""
    if closing == "}":
        end = indented(source, opened.start)
        return Edit(source.span(end, end), f"\n{indent(source, opened.start)}}}")
    words = source.line(opened.line).split("#")[0][opened.column - 1 :]
    brace = words.find("{")
    words = (words if brace < 0 else words[:brace]).rstrip(", ")
    waiting: list[str] = []
    for mark in words:
        if mark in PARTNERS:
            waiting.append(PARTNERS[mark])
        elif waiting and mark == waiting[-1]:
            waiting.pop()
    end = opened.start + len(words)
    return Edit(source.span(end, end), "".join(reversed(waiting)) or closing)


def parenthesised(place: Place) -> Diagnostic | None:
    """`features: nn.Sequential(...)` and `features: [...]`"""
    tokens, at = place.tokens, place.at
    begin = at
    if place.token.kind == "DOT" and place.before is not None and place.before.text in ("nn", "torch"):
        begin = at - 1
        while tokens[at].kind == "DOT" and at + 2 < len(tokens):
            at += 2
        name = tokens[at - 1].text
        if name not in ("Sequential", "ModuleList") or tokens[at].kind != "LPAR":
            return None
        message = f"nn.{name} is a class of PyTorch"
    elif place.token.kind == "LSQB" and place.before is not None and place.before.kind == "COLON":
        message = "a list holds values, not layers"
    else:
        return None
    close = closing(tokens, at)
    if close is None:
        return None
    from cnnspec.syntax.modules import layer_edits

    inner = layer_edits(place, at + 1, close)
    last = tokens[close - 1]
    comma = (Edit(place.span(last), ""),) if last.kind == "COMMA" else ()
    span = place.source.span(tokens[begin].start, tokens[at].end)
    edits = (Edit(span, "{"), *inner, *comma, Edit(place.span(tokens[close]), "}"))
    marked = place.source.span(tokens[begin].start, tokens[at].end if begin == at else tokens[at - 1].end)
    fix = Fix("put the layers of a group in braces", edits)
    return Diagnostic("E103", message, marked, "a group of layers stands in braces", fixes=(fix,))


def closing(tokens: list[Token], opened: int) -> int | None:
    """The partner of a bracket."""
    depth = 0
    for at in range(opened, len(tokens)):
        depth += (tokens[at].kind in ("LPAR", "LSQB")) - (tokens[at].kind in ("RPAR", "RSQB"))
        if depth == 0:
            return at
    return None


def unbraced(place: Place) -> Diagnostic | None:
    """`repeat 3 conv(32, 3)`"""
    first = place.tokens[place.begin]
    if first.kind not in BARE or place.token.kind != "NAME" or not place.accepts("LBRACE"):
        return None
    end = place.tokens[place.end - 1].end
    edits = (
        Edit(place.source.span(place.token.start, place.token.start), "{ "),
        Edit(place.source.span(end, end), " }"),
    )
    message = f"what belongs to {first.text} has no braces"
    return Diagnostic("E101", message, place.here, '"{" belongs before this', fixes=(Fix("put it in braces", edits),))


def bars(place: Place) -> Diagnostic | None:
    """Branches without their first bar, and one behind the brace that closes the others."""
    tokens = place.tokens
    if place.token.kind != "VBAR" or place.at != place.begin:
        return None
    depth, at = 0, place.at - 1
    while at >= 0 and depth >= 0:
        depth += (tokens[at].kind == "RBRACE") - (tokens[at].kind == "LBRACE")
        at -= 1
    brace = at + 1
    word = tokens[_word(tokens, brace)] if brace > 0 else None
    if word is not None and word.text in COMBINATORS:
        inside = next(token for token in tokens[brace + 1 :] if token.kind != NEWLINE)
        fix = Fix("put a bar in front of it", (Edit(place.source.span(inside.start, inside.start), "| "),))
        message = f"the first branch of {word.text} has no bar in front of it"
        label = Label(place.span(word), "joins branches")
        return Diagnostic("E402", message, place.span(inside), "a branch begins here", (label,), fixes=(fix,))
    return _behind(place)


def _word(tokens: list[Token], brace: int) -> int:
    """The name in front of a brace, arguments aside."""
    at = brace - 1
    if tokens[at].kind == "RPAR":
        depth = 0
        while at > 0:
            depth += (tokens[at].kind == "RPAR") - (tokens[at].kind == "LPAR")
            at -= 1
            if depth == 0:
                break
    return max(at, 0)


def _behind(place: Place) -> Diagnostic | None:
    tokens, at = place.tokens, place.at - 1
    if at < 1 or tokens[at].kind != NEWLINE or tokens[at - 1].kind != "RBRACE":
        return None
    depth, opened = 0, at - 1
    while opened >= 0:
        depth += (tokens[opened].kind == "RBRACE") - (tokens[opened].kind == "LBRACE")
        if depth == 0:
            break
        opened -= 1
    word = tokens[_word(tokens, opened)]
    if word.text not in COMBINATORS:
        return None
    close, end = tokens[at - 1], tokens[place.end - 1].end
    text = place.source.text
    start = text.rfind("\n", 0, close.start)
    alone = start >= 0 and not text[start : close.start].strip()
    gone = place.source.span(start if alone else close.start, close.end)
    edits = (Edit(gone, ""), Edit(place.source.span(end, end), f"\n{indent(place.source, close.start)}}}"))
    label = Label(place.span(word), "joins what stands in its braces")
    message = f"a branch stands behind the brace that closes {word.text}"
    fix = Fix("close the brace behind it", edits)
    return Diagnostic("E402", message, place.here, "outside of the braces", (label,), fixes=(fix,))
