"""Texts that nobody would write: edits of valid and of faulty files, pieces in any order, bytes."""

from __future__ import annotations

import random
import re
from pathlib import Path

from cnnspec.source import Source

ROOT = Path(__file__).resolve().parents[2]
PAGE = re.compile(r"```cnn[^\n]*\n(.*?)```", re.DOTALL)
PRESET = re.compile(r"^model \w+ = .*\n", re.MULTILINE)
MOST_PRESETS = 2
"""Of a family of networks not more are checked: the others are as these."""

TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|\w+|->|//|\*\*|[=!<>]=|\n[ \t]*|[ \t]+|.', re.DOTALL)
MARKS = "{ } ( ) [ ] , -> | : = . ; ' \" # ? % * ** // == <".split()  # noqa: SIM905
WORDS = "save x X if else for in not and or true let repeat assert model block train use input add".split()  # noqa: SIM905
NUMBERS = ["0", "-1", "1", "0x3", "3x", "3x3", "1e9", "1e999", "12_3", "99999999999", "0.5", "1/3", "nn.", "self."]
BLANKS = ["\n", "\n\n", "\r\n", "\n  ", "\r", "\t", "\u00a0", "\ufeff", "\x00", "§", "\u2028", "\x0c", "\u0301", "漢"]
LINES = ["model A {\n", "train {\n", "add {\n  | ", "}\n", "# comment\n", ",\n", "repeat 3 {\n", "}, ", " -> ?", "()"]
VALUES = ["x.channels", "x.height", "[1, 2]", "range(3)", "none", "same", "identity", "relu", "batchnorm", '"{i}": ']
PIECES = [*MARKS, *WORDS, *NUMBERS, *BLANKS, *LINES, *VALUES]


def _seeds(*folders: str) -> list[Source]:
    """The files there are, and the examples of pages."""
    files = [path for folder in folders for path in sorted((ROOT / folder).glob("**/*.cnn"))]
    found = [Source(str(path), path.read_text(encoding="utf-8")) for path in files]
    for page in [path for folder in folders for path in sorted((ROOT / folder).glob("**/*.md"))]:
        found += [Source(str(page), text) for text in PAGE.findall(page.read_text(encoding="utf-8"))]
    return [source.replace(text=_with_few_presets(source.text)) for source in found]


def _with_few_presets(text: str) -> str:
    presets = PRESET.findall(text)
    for preset in presets[MOST_PRESETS:]:
        text = text.replace(preset, "")
    return text


RIGHT, WRONG = _seeds("examples", "docs"), _seeds("tests")
SEEDS = [*RIGHT, *WRONG]
TOKENS = sorted({token for source in SEEDS for token in TOKEN.findall(source.text)})
ALL_LINES = sorted({line for source in SEEDS for line in source.text.splitlines(keepends=True)})
WHOLE_LINES = [line for line in ALL_LINES if line.count("{") == line.count("}")]


def made(rng: random.Random) -> Source:
    """Most are edits of a file, and keep its name, so that they find the files it uses."""
    kind = rng.randrange(20)
    name = rng.choice(SEEDS).name
    if kind == 0:
        return Source(name, " ".join(rng.choice(PIECES) for _ in range(rng.randrange(60))))
    if kind == 1:
        return Source(name, bytes(rng.randrange(256) for _ in range(rng.randrange(200))).decode("latin-1"))
    if kind == 2:
        return Source(name, "".join(rng.choice(ALL_LINES) for _ in range(rng.randrange(30))))
    source = rng.choice(RIGHT if rng.randrange(2) else WRONG)
    text = source.text
    edits = READABLE if rng.randrange(2) else EDITS
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 9))):
        text = rng.choice(edits)(text, rng)
    return Source(source.name, text)


def _cut(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] if rng.randrange(4) else text[at:]


def _characters(text: str, rng: random.Random) -> str:
    """Some taken out, one put in, or both."""
    at = rng.randrange(len(text) + 1)
    new = ("", chr(rng.randrange(128)), chr(rng.randrange(0x11000)), rng.choice(PIECES))[rng.randrange(4)]
    return text[:at] + new + text[at + (rng.randrange(30) if not new else rng.randrange(2)) :]


def _tokens(text: str, rng: random.Random) -> str:
    """One token left out, doubled, changed for another, or changed places with another."""
    parts = TOKEN.findall(text) or [""]
    first, second = rng.randrange(len(parts)), rng.randrange(len(parts))
    kind = rng.randrange(5)
    if kind == 0:
        parts[first] = ""
    elif kind == 1:
        parts[first] *= rng.choice((2, 2, 3, 50))
    elif kind == 2:
        parts[first] = rng.choice(TOKENS)
    elif kind == 3:
        parts[first] = rng.choice(PIECES)
    else:
        parts[first], parts[second] = parts[second], parts[first]
    return "".join(parts)


def _words(text: str, rng: random.Random) -> str:
    """A number or name changed for another number or name: most of these texts can be read."""
    found = list(re.finditer(r"\b\w+\b", text))
    if not found:
        return text
    word = rng.choice(found)
    others = [*NUMBERS, *VALUES] if rng.randrange(2) else [rng.choice(found)[0]]
    return text[: word.start()] + rng.choice(others) + text[word.end() :]


def _lines(text: str, rng: random.Random) -> str:
    """A stretch of lines left out or doubled, two lines that change places, or a line of another file."""
    lines = text.splitlines(keepends=True) or [""]
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        del lines[at : at + rng.randrange(1, 4)]
    elif kind == 1:
        lines[at:at] = lines[at : at + rng.randrange(1, 4)] * rng.choice((1, 2, 20))
    elif kind == 2:
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines.insert(at, rng.choice(ALL_LINES))
    return "".join(lines)


def _whole_lines(text: str, rng: random.Random) -> str:
    """As `_lines`, with lines that open and close no braces."""
    lines = text.splitlines(keepends=True)
    whole = [at for at, line in enumerate(lines) if line.count("{") == line.count("}")]
    if len(whole) < 2:
        return text
    at, other = rng.sample(whole, 2)
    kind = rng.randrange(4)
    if kind == 0:
        lines[at] = ""
    elif kind == 1:
        lines[at] *= rng.choice((2, 2, 30))
    elif kind == 2:
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines.insert(at, rng.choice(WHOLE_LINES))
    return "".join(lines)


EDITS = (_cut, _characters, _tokens, _lines)
READABLE = (_words, _words, _words, _whole_lines)
"""Most of what these make can be read, and is wrong for other reasons."""
