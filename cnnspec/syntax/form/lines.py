"""Words into indented lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnspec.syntax.form.spacing import gap
from cnnspec.syntax.form.words import APART, CLOSES, COMMENT, Word, open_braces, open_together

WIDTH = 120
INDENT = 2
GOES_ON = 4
"""How far the rest of a broken line is indented."""


class Line:
    def __init__(self, words: Sequence[Word], indent: int) -> None:
        self.words, self.indent = words, indent

    @property
    def comment(self) -> Word | None:
        return self.words[-1] if self.words[-1].kind == COMMENT else None

    @property
    def code(self) -> Sequence[Word]:
        """Without the comment at its end."""
        return self.words[:-1] if self.comment else self.words

    def places(self) -> Iterator[tuple[Word, int]]:
        """Each word and the column it begins in, counted from 0."""
        column = self.indent
        before: Word | None = None
        for at, word in enumerate(self.words):
            if at:
                column += gap(before, self.words[at - 1], word) + word.pad
                before = self.words[at - 1]
            yield word, column
            column += len(word.text)

    def text(self) -> str:
        text = "\n" if self.words[0].before == APART else ""
        at = 0
        for word, column in self.places():
            text += " " * (column - at) + word.text
            at = column + len(word.text)
        return text

    def width(self) -> int:
        """Columns it takes, without the comment at its end."""
        return max((column + len(word.text) for word, column in self.places() if word.kind != COMMENT), default=0)


class Frame:
    """Open braces, or a bracket whose contents stand on lines of their own: where those begin, and where it ends."""

    def __init__(self, opener: Word | None, outer: int, first: int, base: int) -> None:
        self.opener, self.outer, self.first, self.base = opener, outer, first, base
        self.depth = 0
        """Brackets that are open inside."""


def arrange(words: list[Word]) -> list[Line]:
    """The lines, none of them longer than it must be."""
    while True:
        lines = _laid_out(words)
        shortened = [_shorten(words, line) for line in lines if line.width() > WIDTH]
        if not any(shortened):
            return lines


# ---------------------------------------------------------------------------------------------------- indentation


def _laid_out(words: list[Word]) -> list[Line]:
    frames = [Frame(None, 0, 0, 0)]
    lines: list[Line] = []
    row: list[Word] = []
    token: Word | None = None
    for at, word in enumerate(words):
        if word.before or not lines:
            row = [word]
            lines.append(Line(row, _indent(frames[-1], token, words, at)))
        else:
            row.append(word)
        _follow(frames, words, at, lines[-1].indent)
        token = word if word.kind != COMMENT else token
    return lines


def _indent(frame: Frame, token: Word | None, words: list[Word], at: int) -> int:
    """Of a line that begins with a word. A comment stands where the word behind it does, but inside of what closes
    there."""
    comment = words[at].kind == COMMENT
    word = next((word for word in words[at:] if word.kind != COMMENT), None)
    if word is None or (frame.opener and word is frame.opener.mate):
        return frame.first if comment else frame.outer
    if word.kind == "VBAR":
        return frame.first
    behind_comma = token is not None and token.kind == "COMMA" and not word.in_bracket
    return frame.base + (GOES_ON if frame.depth or behind_comma else 0)


def _follow(frames: list[Frame], words: list[Word], at: int, indent: int) -> None:
    """Enter and leave what the word opens and closes."""
    word, frame = words[at], frames[-1]
    if word.kind in CLOSES and word.open:
        frames.append(_frame(frame, words, at, indent))
    elif word.kind in ("LPAR", "LSQB"):
        frame.depth += 1
    elif frame.opener and word is frame.opener.mate:
        frames.pop()
    elif word.kind in ("RPAR", "RSQB"):
        frame.depth -= 1


def _frame(around: Frame, words: list[Word], at: int, indent: int) -> Frame:
    opener = words[at]
    if opener.kind != "LBRACE":
        return Frame(opener, indent, indent + INDENT, indent + INDENT)
    first = next(word for word in words[at + 1 :] if word.kind != COMMENT)
    bar = INDENT if first.kind == "VBAR" else 0
    return Frame(opener, around.base, around.base + INDENT, around.base + INDENT + bar)


# ----------------------------------------------------------------------------------------------------- long lines


def _shorten(words: list[Word], line: Line) -> bool:
    """Open braces, or break behind a comma; False if the line has neither."""
    places = list(line.places())
    flat = list(_flat_braces(places))
    beyond = [opener for opener, end in flat if end > WIDTH]
    after = None if beyond else _break(places)
    if after:
        after.before = 1
    elif flat:
        open_braces(words, beyond[0] if beyond else flat[0][0])
        open_together(words)
    return bool(after or flat)


def _flat_braces(places: list[tuple[Word, int]]) -> Iterator[tuple[Word, int]]:
    """Braces with something in them that begin and end on the line and stand in no others, and where they end."""
    ends = {id(word): column + 1 for word, column in places if word.kind == "RBRACE"}
    until = -1
    for at, (word, column) in enumerate(places):
        if word.kind == "LBRACE" and not word.open and id(word.mate) in ends and column >= until:
            until = ends[id(word.mate)]
            if places[at + 1][0] is not word.mate:
                yield word, until


def _break(places: list[tuple[Word, int]]) -> Word | None:
    """The word to begin a new line with: behind the last comma that fits, of those that stand in the fewest
    brackets."""
    found: list[tuple[bool, int, int, Word]] = []
    depth = braces = 0
    for at, (word, column) in enumerate(places[:-1]):
        depth += (word.kind in ("LPAR", "LSQB")) - (word.kind in ("RPAR", "RSQB"))
        braces += (word.kind == "LBRACE" and not word.open) - (word.kind == "RBRACE")
        after = places[at + 1][0]
        if word.kind == "COMMA" and braces <= 0 and after.kind != COMMENT:
            fits = column + 1 <= WIDTH
            found.append((not fits, depth, -column, after) if fits else (True, 0, column, after))
    return min(found, key=lambda each: each[:3])[3] if found else None
