"""What the check says of the corpus, beside what its labels say.

python tests/corpus/measure.py            the table of rates
python tests/corpus/measure.py --show 12  the messages of files 012...
python tests/corpus/measure.py --golden   write tests/golden anew
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from cnnspec.diagnostics import Diagnostic, Fix
from cnnspec.diagnostics.fixing import edited
from cnnspec.diagnostics.human import render
from cnnspec.lint import linted
from cnnspec.network import Checked, check
from cnnspec.source import Source

CORPUS = Path(__file__).parent
GOLDEN = CORPUS.parent / "golden"
FAULT = re.compile(r'# fault: line=(\d+(?:\|\d+)*) cause=("(?:[^"\\]|\\.)*") fix=("(?:[^"\\]|\\.)*")')


class File:
    """A file of the corpus: its label, and what the check says of it."""

    def __init__(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        header = text.split("\n", 3)
        label = FAULT.fullmatch(header[2])
        assert label, path
        self.name, self.kind = path.stem, header[1].removeprefix("# kind: ")
        self.lines = [int(number) for number in label[1].split("|")]
        self.cause: str = json.loads(label[2])
        # As if it lay alone in a folder: the other files are none that it could mean.
        self.source = Source(path.name, text)

    @cached_property
    def found(self) -> tuple[Diagnostic, ...]:
        """The errors; where there is none, what was labelled is legal, and the warnings count."""
        return complaints(check(self.source))

    @property
    def errors(self) -> int:
        return sum(diagnostic.severity == "error" for diagnostic in self.found)

    @property
    def alone(self) -> bool:
        """Whether one cause has one message. Warnings of different codes are findings of their own."""
        return len(self.found) == 1 or (not self.errors and len({d.code for d in self.found}) == len(self.found) > 1)

    @property
    def place(self) -> str:
        """`first`: the line a teacher would mend; `other`: one that could rightly be blamed; or `no`."""
        here = {diagnostic.span.line for diagnostic in self.found}
        return "first" if self.lines[0] in here else "other" if here & set(self.lines) else "no"

    @property
    def fix(self) -> Fix | None:
        """The first that can be applied."""
        return next((fix for d in self.found for fix in d.fixes if fix.edits), None)

    @cached_property
    def mended(self) -> Checked | None:
        if self.fix is None or any(edit.span.source is not self.source for edit in self.fix.edits):
            return None
        return check(Source(self.source.name, edited(self.source.text, self.fix.edits)))

    @property
    def valid(self) -> bool:
        """Whether the first fix leaves nothing of what was found."""
        if self.mended is None or self.mended.errors:
            return False
        return self.errors > 0 or len(complaints(self.mended)) < len(self.found)

    @property
    def golden(self) -> Path:
        return GOLDEN / f"{self.name}.txt"

    @property
    def text(self) -> str:
        """The messages, as a person reads them in a terminal."""
        return "\n\n".join(map(render, self.found)) + "\n"


def complaints(checked: Checked) -> tuple[Diagnostic, ...]:
    if checked.errors:
        return checked.errors
    return tuple(d for d in linted(checked).diagnostics if d.severity == "warning")


def files() -> list[File]:
    return [File(path) for path in sorted(CORPUS.glob("*.cnn"))]


def rates(corpus: Iterable[File]) -> Iterator[str]:
    corpus = list(corpus)
    count = len(corpus)

    def row(what: str, number: int) -> str:
        return f"{what:<44} {number:>4} of {count}  {100 * number / count:5.1f} %"

    places = Counter(file.place for file in corpus)
    yield row("reported at the line a teacher would mend", places["first"])
    yield row("reported at one of the labelled lines", places["first"] + places["other"])
    yield row("the first fix makes the file valid", sum(file.valid for file in corpus))
    yield row("one message for one mistake", sum(file.alone for file in corpus))


def main(arguments: list[str]) -> None:
    corpus = files()
    if arguments[:1] == ["--golden"]:
        GOLDEN.mkdir(exist_ok=True)
        for file in corpus:
            file.golden.write_text(file.text, encoding="utf-8")
    elif arguments[:1] == ["--show"]:
        for file in corpus:
            if file.name.startswith(tuple(arguments[1:])):
                print(f"{file.lines} {file.cause}\n{file.text}")
    else:
        print("\n".join(rates(corpus)))
        for file in corpus:
            wrong = [
                word
                for word, bad in (
                    (f"line {[d.span.line for d in file.found]} not {file.lines}", file.place == "no"),
                    ("fix" if file.fix else "no fix", not file.valid),
                    (f"{len(file.found)} messages", not file.alone),
                )
                if bad
            ]
            if wrong:
                print(f"{file.name}: {', '.join(wrong)}")


if __name__ == "__main__":
    main(sys.argv[1:])
