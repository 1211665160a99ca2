"""The parser's tables: made from the grammar by lark, kept beside it as text, and read without lark.

Importing lark and working the grammar out takes longer than all the rest of a check, so `grammar/cnn.tables` holds the
result. `python -m cnnspec.syntax.tables` writes it anew after a change of the grammar; until that is done, the tables
are worked out at each start.
"""

from __future__ import annotations

import os
import re
import zlib
from functools import cache, cached_property

from cnnspec.record import Record

FORMAT = 1


class Rule(Record):
    """`size` symbols become one `origin`. `action` makes its value of the children that `plan` picks: the index of a
    symbol, or `None` for an optional part that is not there. A child in `spliced` is a list to merge; a rule that
    `repeats` begins with the list that it makes longer."""

    origin: str
    size: int
    action: str
    plan: tuple[int | None, ...]
    spliced: frozenset[int]
    repeats: bool


PASS = "="
"""The action of a rule that only hands its child on."""

COLLECT = "+"
"""The action of a rule that makes a list for the rule around it."""

REPEAT = "+*"
"""How the tables write it where the rule repeats."""


class Rows(dict[int, dict[str, int]]):
    """For each state what to do with a symbol: n > 0 goes to state n - 1, n < 0 reduces by rule -n - 1.

    Rows are decoded when they are first needed; one spec visits half of them.
    """

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def __missing__(self, state: int) -> dict[str, int]:
        words = self.lines[state].split()
        row = self[state] = dict(zip(words[::2], map(int, words[1::2]), strict=True))
        return row


class Tables(Record):
    """A lexer (`patterns` in the order they are tried, `words` with a spelling of their own) and an LALR(1) automaton
    that starts in state 0 and has read a file when it is in state `end`."""

    patterns: tuple[tuple[str, str], ...]
    words: dict[str, str]
    rules: tuple[Rule, ...]
    rows: Rows
    end: int

    @cached_property
    def passed(self) -> dict[int, str]:
        """The origins of rules that only hand one symbol on, by the steps that reduce by them: most of all steps,
        because each level of precedence is one."""
        rules = enumerate(self.rules)
        return {-number - 1: rule.origin for number, rule in rules if rule.size == 1 and rule.action == PASS}

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """One token after blanks. The group that matched names its kind: a pattern, `WORD` or `STRAY`."""
        marks = sorted((word for word in self.words if not word.isidentifier()), key=lambda word: (-len(word), word))
        kinds = (*self.patterns, ("WORD", "|".join(map(re.escape, marks))), ("STRAY", r"[^\n]"))
        return re.compile(r"[ \t\r\f]*(?:" + "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds) + ")")


def write(tables: Tables, digest: str) -> str:
    lines = [digest, str(tables.end), " ".join(f"{word} {kind}" for word, kind in tables.words.items()), ""]
    lines += [f"{kind} {pattern}" for kind, pattern in tables.patterns] + [""]
    lines += [_write_rule(rule) for rule in tables.rules] + [""]
    lines += tables.rows.lines
    return "\n".join(lines) + "\n"


def _write_rule(rule: Rule) -> str:
    plan = ("-" if at is None else f"{at}*" if at in rule.spliced else str(at) for at in rule.plan)
    return " ".join((rule.origin, str(rule.size), REPEAT if rule.repeats else rule.action, *plan))


def read(text: str) -> Tables:
    head, patterns, rules, rows = text.removesuffix("\n").split("\n\n", 3)
    _, end, words = head.split("\n")
    flat = words.split(" ")
    return Tables(
        patterns=tuple((kind, pattern) for kind, _, pattern in (line.partition(" ") for line in patterns.split("\n"))),
        words=dict(zip(flat[::2], flat[1::2], strict=True)),
        rules=tuple(_read_rule(line) for line in rules.split("\n")),
        rows=Rows(rows.split("\n")),
        end=int(end),
    )


def _read_rule(line: str) -> Rule:
    origin, size, action, *plan = line.split(" ")
    return Rule(
        origin,
        int(size),
        COLLECT if action == REPEAT else action,
        tuple(None if at == "-" else int(at.rstrip("*")) for at in plan),
        frozenset(int(at[:-1]) for at in plan if at.endswith("*")),
        action == REPEAT,
    )


def path(name: str) -> str:
    """A file of the grammar: inside the package when it is installed, beside it in a checkout."""
    package = os.path.dirname(os.path.dirname(__file__))
    inside = os.path.join(package, "grammar")
    return os.path.join(inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "grammar"), name)


def digest(grammar: str) -> str:
    return f"{FORMAT} {zlib.crc32(grammar.encode()):08x}"


def grammar() -> str:
    with open(path("cnn.lark"), encoding="utf-8") as file:
        return file.read()


@cache
def load() -> Tables:
    """The tables of the grammar: those beside it if they are current, else worked out now."""
    text = grammar()
    try:
        with open(path("cnn.tables"), encoding="utf-8") as file:
            kept = file.read()
    except OSError:
        kept = ""
    if kept.startswith(digest(text) + "\n"):
        return read(kept)
    from cnnspec.syntax.generate import generate

    return generate(text)


def main() -> None:
    from cnnspec.syntax.generate import generate

    text = grammar()
    with open(path("cnn.tables"), "w", encoding="utf-8", newline="\n") as file:
        file.write(write(generate(text), digest(text)))


if __name__ == "__main__":
    main()
