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
    def __init__(self, words: Sequence[Word], frame: Frame, indent: int) -> None:
        self.words, self.frame, self.indent = words, frame, indent
        self.depth = frame.depth
        """Brackets of the frame that are open where the line begins."""

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
        for at, word in enumerate(self.words):
            column += gap(self.words[at - 1], word) + word.pad if at else 0
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

    def goes_on(self, depth: int) -> int:
        """Where a line begins that is broken behind a comma in so many brackets."""
        bracket = self.opener is not None and self.opener.kind != "LBRACE"
        return self.base if bracket and depth == 0 else self.base + GOES_ON


def arrange(words: list[Word]) -> list[Line]:
    """The lines, none of them longer than it must be."""
    while True:
        lines = _laid_out(words)
        shortened = [_shorten(words, line) for line in lines if line.width() > WIDTH]
        if not any(shortened):
            return lines
        open_together(words)


# ---------------------------------------------------------------------------------------------------- indentation


def _laid_out(words: list[Word]) -> list[Line]:
    frames = [Frame(None, 0, 0, 0)]
    lines: list[Line] = []
    row: list[Word] = []
    token: Word | None = None
    for at, word in enumerate(words):
        if word.before or not lines:
            row = [word]
            lines.append(Line(row, frames[-1], _indent(frames[-1], token, words, at)))
        else:
            row.append(word)
        _follow(frames, words, at, lines[-1].indent)
        token = word if word.kind != COMMENT else token
    return lines


def _indent(frame: Frame, token: Word | None, words: list[Word], at: int) -> int:
    """Of a line that begins with a word. A comment stands where the word behind it does, but inside of what closes
    there."""
    comment = words[at].kind == COMMENT
    word = _token(words, at)
    if word is None or (frame.opener and word is frame.opener.mate):
        return frame.first if comment else frame.outer
    if word.kind == "VBAR":
        return frame.first
    behind_comma = token is not None and token.kind == "COMMA"
    return frame.goes_on(frame.depth) if frame.depth or behind_comma else frame.base


def _token(words: list[Word], at: int) -> Word | None:
    """The first word from there on that is no comment."""
    while at < len(words) and words[at].kind == COMMENT:
        at += 1
    return words[at] if at < len(words) else None


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
    first = _token(words, at + 1)
    bar = INDENT if first and first.kind == "VBAR" else 0
    return Frame(opener, around.base, around.base + INDENT, around.base + INDENT + bar)


# ----------------------------------------------------------------------------------------------------- long lines


def _shorten(words: list[Word], line: Line) -> bool:
    """Break behind commas, or open braces; False if the line has neither."""
    at, indent, depth = 0, line.indent, line.depth
    leaves = any(word.mate and word.mate.open and word.mate.end <= line.words[0].start for word in line.words)
    while True:
        rest = _Rest(line.words, at, indent)
        if rest.straddles:
            open_braces(words, rest.straddles)
            return True
        if rest.fits or rest.best is None:
            return at > 0
        line.words[rest.best].before = 1
        depth += rest.depths[rest.best]
        at, indent = rest.best, line.frame.goes_on(depth)
        if leaves:  # behind what closes there, lines begin elsewhere
            return True


class _Rest:
    """A line from one of its words on: what goes beyond the width, and what can be done about it."""

    def __init__(self, row: Sequence[Word], at: int, indent: int) -> None:
        self.straddles: Word | None = None
        """Braces to open: they begin before the limit and end behind it, or nothing else can be broken."""
        self.best: int | None = None
        """Where to break: behind the last comma that fits, of those that stand in the fewest brackets."""
        self.depths: dict[int, int] = {}
        """Where it can be broken, and how many brackets were opened until there."""
        self.fits = True
        self.scan(row, at, indent)

    def scan(self, row: Sequence[Word], begin: int, column: int) -> None:
        depth = 0
        braces: Word | None = None
        first_braces: Word | None = None
        for at in range(begin, len(row)):
            word = row[at]
            if at > begin:
                column += gap(row[at - 1], word) + word.pad
            column += len(word.text)
            if word.kind == COMMENT:
                break
            if column > WIDTH:
                self.fits = False
                if braces:
                    self.straddles = braces
                    return
                if self.best is not None:
                    return
            if braces:
                braces = None if word is braces.mate else braces
            elif word.kind == "LBRACE" and not word.open and word.within:
                braces = word
                first_braces = first_braces or word
            elif word.kind == "COMMA" and at + 1 < len(row) and row[at + 1].kind != COMMENT:
                self.depths[at + 1] = depth
                if self.best is None or depth <= self.depths[self.best]:
                    self.best = at + 1
            depth += (word.kind in ("LPAR", "LSQB")) - (word.kind in ("RPAR", "RSQB"))
        if not self.fits and self.best is None:
            self.straddles = first_braces
