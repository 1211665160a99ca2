"""The tokens of a text with its comments between them, and where lines may break."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from cnnspec.source import Source
from cnnspec.syntax import tables, tree
from cnnspec.syntax.lexer import NEWLINE, lex

COMMENT = "COMMENT"
CLOSES = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
OPERANDS = frozenset({"NAME", "INT", "FLOAT", "DIMS", "STRING", "TRUE", "FALSE", "RPAR", "RSQB"})
"""What a value may end with: behind it `-` subtracts and a bracket takes an item."""
APART = 2
"""Newlines that make a blank line."""


class Word:
    """A token or comment. `before` counts the newlines in front of it: 0, 1, or 2 for a blank line."""

    __slots__ = (
        "before",
        "end",
        "inside",
        "kind",
        "mate",
        "open",
        "pad",
        "settings",
        "sign",
        "spread",
        "start",
        "text",
        "within",
    )

    def __init__(self, kind: str, text: str, start: int, end: int) -> None:
        self.kind, self.text, self.start, self.end = kind, text, start, end
        self.before = 0
        self.pad = 0
        self.sign = False
        """Of a minus: it belongs to the value behind it."""
        self.mate: Word | None = None
        """The other half of a bracket or brace."""
        self.inside: Word | None = None
        """The innermost bracket or brace that is open here."""
        self.within: list[Word] = []
        """Of a bracket or brace: what stands in it, but not in further ones."""
        self.spread = False
        """Of a bracket or brace: its contents had several lines."""
        self.open = False
        """Of a bracket or brace: its contents stand on lines of their own."""
        self.settings = False
        """Of a brace: it belongs to `train`."""

    def __repr__(self) -> str:
        return f"{self.kind}({self.text!r})"

    @property
    def in_bracket(self) -> bool:
        return self.inside is not None and self.inside.kind != "LBRACE"

    @property
    def in_settings(self) -> bool:
        return self.inside is not None and self.inside.settings


def words_of(source: Source, file: tree.File) -> list[Word]:
    """The words of a text, with the breaks and commas that the form wants."""
    tokens, comments = lex(source, tables.load())
    words = [Word(token.kind, token.text, token.start, token.end) for token in tokens if token.kind != NEWLINE]
    words += [Word(COMMENT, each.text.rstrip(), each.span.start, each.span.end) for each in comments]
    words.sort(key=lambda word: word.start)
    at = 0
    for word in words:
        word.before, at = min(APART, source.text.count("\n", at, word.start)), word.end
    words = _without_empty_parentheses(words, file)
    _link(words)
    _know_settings(words, file)
    words = _brackets(words, file)
    _braces(words)
    _blank_lines(words)
    _definitions_apart(words, file)
    return words


def _without_empty_parentheses(words: list[Word], file: tree.File) -> list[Word]:
    """`relu` for `relu()`, where a layer stands or something is defined; among values the two differ."""
    ends = set()
    for node in tree.walk(file):
        if isinstance(node, tree.Step) and not isinstance(node.op, tree.Group):
            call = node.op.call if isinstance(node.op, tree.Combine) else node.op
            ends |= {call.name.span.end} if not call.arguments else set()
        elif isinstance(node, tree.Model | tree.Block) and not node.params:
            ends.add(node.name.span.end)
    kept: list[Word] = []
    for word, after in zip(words, [*words[1:], None], strict=False):
        if kept and word.kind == "LPAR" and kept[-1].end in ends and after and after.kind == "RPAR":
            after.kind = ""
        elif word.kind:
            kept.append(word)
    return kept


def _link(words: list[Word]) -> None:
    opened: list[Word] = []
    token: Word | None = None
    for word in words:
        word.sign = word.kind == "MINUS" and (token is None or token.kind not in OPERANDS)
        token = word if word.kind != COMMENT else token
        around = opened[-1] if word.before and opened else None
        while around and not around.spread:
            around.spread, around = True, around.inside
        if word.kind in CLOSES.values():
            word.mate = opened.pop()
            word.mate.mate = word
        word.inside = opened[-1] if opened else None
        if word.inside:
            word.inside.within.append(word)
        if word.kind in CLOSES:
            opened.append(word)


def _know_settings(words: list[Word], file: tree.File) -> None:
    starts = {item.span.start for item in file.items if isinstance(item, tree.Train)}
    wanted = False
    for word in words:
        wanted = wanted or word.start in starts
        if wanted and word.kind == "LBRACE":
            word.settings, wanted = True, False


# ------------------------------------------------------------------------------------------------------- brackets


def _brackets(words: list[Word], file: tree.File) -> list[Word]:
    """A bracket whose contents begin on the next line closes on a line of its own, behind a comma; another one does
    neither."""
    take_commas = _closers(words, file)
    out: list[Word] = []
    pending: Word | None = None
    for word in words:
        if pending and word.kind != COMMENT:
            pending.open = word.before > 0 or out[-1] is not pending
            pending = None
        if word.kind in ("LPAR", "LSQB"):
            pending = word
        if word.mate and word.kind in ("RPAR", "RSQB"):
            _close(out, word, comma=word.start in take_commas)
        out.append(word)
    return out


def _close(out: list[Word], closer: Word, *, comma: bool) -> None:
    """Decide on the break and the comma in front of a closing bracket."""
    opener = closer.mate
    assert opener
    opener.open = opener.open and out[-1] is not opener
    closer.before = int(opener.open or out[-1].kind == COMMENT)
    last = next(at for at in range(len(out) - 1, -1, -1) if out[at].kind != COMMENT)
    if out[last].kind == "COMMA" and not opener.open:
        del out[last]
    elif comma and opener.open and out[last].kind != "COMMA":
        made = Word("COMMA", ",", out[last].end, out[last].end)
        made.inside = opener
        out.insert(last + 1, made)


def _closers(words: list[Word], file: tree.File) -> set[int]:
    """Where the brackets end that hold a list of things: only these take a comma behind the last."""
    ends, named = set(), set()
    for node in tree.walk(file):
        if (isinstance(node, tree.List) and node.items) or (isinstance(node, tree.Call) and node.arguments):
            ends.add(node.span.end - 1)
        elif isinstance(node, tree.Model | tree.Block) and node.params:
            named.add(node.name.span.end)
    for word, after in pairwise(words):
        if word.end in named and after.mate:
            ends.add(after.mate.start)
    return ends


# --------------------------------------------------------------------------------------------------------- braces


def _braces(words: list[Word]) -> None:
    """Braces that were on one line stay so; all others are opened."""
    for opener in [word for word in words if word.kind == "LBRACE"]:
        definition = opener.inside is None and not opener.settings
        if opener.within and (definition or opener.spread):
            open_braces(words, opener)
        elif opener.within and opener.within[-1].kind == "COMMA":
            words.remove(opener.within.pop())
        if not opener.open and opener.mate:
            opener.mate.before = 0
    open_together(words)
    for before, word in pairwise(words):
        if before.kind != COMMENT and (before.kind == "VBAR" or (word.kind == "ELSE" and not word.in_bracket)):
            word.before = 0 if word.kind not in ("VBAR", "RBRACE", COMMENT) else word.before


def open_braces(words: list[Word], opener: Word) -> None:
    """Put what stands in braces on lines of its own: each branch and setting on one."""
    if not opener.within or not opener.mate:
        return
    opener.open = True
    opener.mate.before = 1
    begins = True
    for word in opener.within:
        if word.kind == "VBAR" or (begins and word.kind != COMMENT):
            word.before = max(word.before, 1)
        if word.kind == "COMMA" and opener.settings:
            words.remove(word)
        begins = (begins and word.kind == COMMENT) or (word.kind == "COMMA" and opener.settings)


def open_together(words: list[Word]) -> None:
    """What stands behind `if` and `else` is opened together."""
    tokens = [word for word in words if word.kind != COMMENT]
    sides = []
    for at, word in enumerate(tokens):
        if word.kind == "ELSE" and tokens[at - 1].kind == "RBRACE":
            other = next(each for each in tokens[at:] if each.kind == "LBRACE" and each.inside is word.inside)
            sides.append((tokens[at - 1].mate, other))
    for one, other in [*sides, *reversed(sides)]:
        assert one
        if one.open != other.open:
            open_braces(words, other if one.open else one)


# ---------------------------------------------------------------------------------------------------- blank lines


def _blank_lines(words: list[Word]) -> None:
    """Blank lines stand between statements, branches and rows alone."""
    previous: Word | None = None
    for before, word in _with_previous(words):
        if word.before == APART and not _may_be_apart(before, previous, word):
            word.before = 1
        previous = word if word.kind != COMMENT else previous


def _may_be_apart(before: Word | None, token: Word | None, word: Word) -> bool:
    """Whether a blank line may stand in front of a word; `token` is the last word that is no comment."""
    if before is None or word.mate is before or word.inside is before or word.kind in ("RBRACE", "RPAR", "RSQB"):
        return False
    if word.in_bracket:
        assert word.inside
        return word.inside.open
    return token is None or token.kind not in ("COMMA", "VBAR")


def _with_previous(words: list[Word]) -> Iterator[tuple[Word | None, Word]]:
    yield from zip([None, *words], words, strict=False)


def _definitions_apart(words: list[Word], file: tree.File) -> None:
    """A blank line between a model, block or train and its neighbours, in front of the comments above it."""
    starts = {word.start: at for at, word in enumerate(words)}
    for one, other in pairwise(file.items):
        if not any(isinstance(item, tree.Model | tree.Block | tree.Train) for item in (one, other)):
            continue
        last = starts[other.span.start]
        first = last
        while words[first - 1].start >= one.span.end:
            first -= 1
        between = [word for word in words[first : last + 1] if word.before]
        if not any(word.before == APART for word in between):
            between[0].before = APART
