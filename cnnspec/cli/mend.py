"""What `check --fix` and `--diff` do: apply what diagnostics propose, until nothing is left to apply."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnspec.cli.color import use_color
from cnnspec.cli.difference import difference
from cnnspec.diagnostics import Diagnostic
from cnnspec.diagnostics.fixing import apply
from cnnspec.files import write
from cnnspec.network import Checked, UsageFault
from cnnspec.network.reading import INSTEAD, ZOO
from cnnspec.source import Source
from cnnspec.words import counted

if TYPE_CHECKING:
    from cnnspec.cli.check import Run

MOST_ROUNDS = 20
"""A fix may show what a fault hid, or wait for another one that it overlaps; no spec needs this many rounds."""

Check = Callable[[Source], Checked]


def mend(run: Run, *, unsafe: bool, diff: bool) -> bool:
    """Mend the files of a run, or show how; whether anything changed."""
    if any(file.startswith(ZOO) for file in run.files):
        raise click.UsageError("the zoo belongs to cnnspec; --fix writes files of yours")
    if "-" in run.files and len(run.files) > 1:
        raise click.UsageError("standard input is mended alone")
    mended = Mended(run.sources())
    try:
        mended.run(run.check, unsafe=unsafe)
    except UsageFault as fault:
        raise click.UsageError(str(fault)) from None
    if diff:
        show(run, mended)
        return bool(mended.changed)
    run.aside = "-" in run.files
    if run.aside:
        click.echo("".join(mended.texts.values()), nl=False)
    else:
        for key in mended.changed:
            run.unreadable |= not put(mended, key)
    run.report(mended.checked.values())
    if run.form == "human":
        for line in mended.told("mended"):
            click.echo(line, err=run.aside)
    run.tell_more()
    return bool(mended.changed)


def show(run: Run, mended: Mended) -> None:
    color = use_color(sys.stdout)
    for key in mended.changed:
        source = mended.before[key]
        click.echo(difference(source.name, source.text, mended.texts[key], color=color), color=color)
    for checked in mended.checked.values():
        run.count(checked)
    for line in mended.told("would be mended"):
        click.echo(line, err=True)


def put(mended: Mended, key: str) -> bool:
    """Write one file; False where that cannot be done."""
    name = mended.before[key].name
    try:
        write(Path(name), mended.texts[key])
    except OSError as error:
        click.echo(f"error: {name} cannot be written: {error.strerror}", err=True)
        return False
    return True


class Mended:
    """Texts on their way from what they were to what they become. Nothing is written here."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.before = {_key(source.name): source for source in sources}
        self.texts = {key: source.text for key, source in self.before.items()}
        self.codes: dict[str, Counter[str]] = {key: Counter() for key in self.texts}
        self.checked: dict[str, Checked] = {}

    def source(self, key: str) -> Source:
        return self.before[key].replace(text=self.texts[key])

    def known(self, name: str) -> str | None:
        key = _key(name)
        return key if key in self.texts else None

    def run(self, check: Check, *, unsafe: bool) -> None:
        """Rounds of checking and mending. A state that was there before ends them: two fixes that undo each other."""
        seen = [self.texts]
        for _ in range(MOST_ROUNDS):
            applied = apply(self.texts, self.look(check), self.known, unsafe=unsafe)
            if not applied.texts or {**self.texts, **applied.texts} in seen:
                return
            self.texts = {**self.texts, **applied.texts}
            seen.append(self.texts)
            for diagnostic in applied.mended:
                self.codes[self.known(diagnostic.span.source.name) or next(iter(applied.texts))][diagnostic.code] += 1
        self.look(check)

    def look(self, check: Check) -> list[Diagnostic]:
        """Every diagnostic of the texts as they are now."""
        token = INSTEAD.set(self.texts)
        try:
            self.checked = {key: check(self.source(key)) for key in self.texts}
        finally:
            INSTEAD.reset(token)
        found = [diagnostic for checked in self.checked.values() for diagnostic in checked.diagnostics]
        return list({_place(diagnostic): diagnostic for diagnostic in found}.values())

    def told(self, done: str) -> Iterator[str]:
        """One line for each file that is mended."""
        for key, codes in self.codes.items():
            if codes:
                names = ", ".join(f"{code} x{count}" if count > 1 else code for code, count in sorted(codes.items()))
                yield f"{self.before[key].name}: {counted(codes.total(), 'place')} {done} ({names})"

    @property
    def changed(self) -> list[str]:
        return [key for key, source in self.before.items() if source.text != self.texts[key]]


def _key(name: str) -> str:
    return os.path.normpath(name)


def _place(diagnostic: Diagnostic) -> tuple[str, str, int, int]:
    span = diagnostic.span
    return diagnostic.code, _key(span.source.name), span.start, span.end
