"""`cnnspec check`"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module

import click

from cnnspec.cli.color import color_option, use_color
from cnnspec.cli.common import FILE, input_option, parse_overrides, set_option
from cnnspec.diagnostics import Diagnostic
from cnnspec.diagnostics.fixing import chosen
from cnnspec.diagnostics.found import FORMATS, Found, Right
from cnnspec.lint import linted
from cnnspec.network import Checked, Network, UsageFault, check, read_source
from cnnspec.network.reading import ZOO
from cnnspec.source import Source
from cnnspec.words import counted


@click.command(short_help="Check every shape, name and claim of specs.")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@set_option
@input_option
@click.option("--any-size", is_flag=True, help="Say for which sizes of input each model runs.")
@click.option("--strict", is_flag=True, help="Let warnings count as errors do.")
@click.option("--fix", is_flag=True, help="Write safe fixes into FILES: those that change no network that is right.")
@click.option("--unsafe-fixes", is_flag=True, help="Also fixes that guess what was meant; look at them with --diff.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and write nothing.")
@click.option("--format", "form", type=click.Choice([*FORMATS]), default="human", help="How to print what was found.")
@color_option
def command(
    files: tuple[str, ...],
    overrides: tuple[str, ...],
    input_shape: str | None,
    any_size: bool,
    strict: bool,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    form: str,
) -> None:
    """Check every shape, name and claim of FILES before any tensor exists.

    FILE is a .cnn file, a folder (all .cnn files below it) or - for standard input. Exit code 0: no errors;
    1: errors, or warnings with --strict; 2: wrong usage or an unreadable file.
    """
    run = Run(files, parse_overrides(overrides), input_shape, form, any_size=any_size)
    if unsafe_fixes and not (fix or diff):
        raise click.UsageError("--unsafe-fixes belongs to --fix or --diff.")
    if diff and form != "human":
        raise click.UsageError("--diff prints a diff, whatever the --format.")
    if fix or diff:
        from cnnspec.cli.mend import mend

        changes = mend(run, unsafe=unsafe_fixes, diff=diff)
    else:
        changes = False
        run.report(run.checked())
        run.tell_more()
    if run.unreadable:
        sys.exit(2)
    failed = run.errors or (strict and run.warnings) or (diff and changes)
    sys.exit(1 if failed else 0)


class Run:
    """One run of the command: reads, checks, prints and counts."""

    def __init__(
        self, files: tuple[str, ...], overrides: dict[str, str], input_shape: str | None, form: str, *, any_size: bool
    ) -> None:
        self.files, self.overrides, self.input_shape, self.form = files, overrides, input_shape, form
        self.any_size = any_size
        self.unreadable = False
        self.errors = self.warnings = 0
        self.faults: list[Diagnostic] = []
        self.own: set[str] = set()
        """Texts that --fix may change: what comes from the zoo, or in by `use`, is not among them."""
        self.aside = False
        """Whether everything goes to standard error, because standard output is for a text."""

    def sources(self) -> Iterator[Source]:
        for file in specs(self.files):
            try:
                yield read_source(file)
            except UsageFault as fault:
                self.refuse(fault)

    def check(self, source: Source) -> Checked:
        checked = linted(check(source, set=self.overrides, input=self.input_shape))
        if not self.any_size:
            return checked
        from cnnspec.network.anysize import with_sizes

        return with_sizes(checked)

    def checked(self) -> Iterator[Checked]:
        for source in self.sources():
            try:
                yield self.check(source)
            except UsageFault as fault:
                self.refuse(fault)

    def refuse(self, fault: UsageFault) -> None:
        click.echo(f"error: {fault}", err=True)
        self.unreadable = True

    # ----------------------------------------------------------------------------------------------------- printing

    def report(self, checked: Iterable[Checked]) -> None:
        """Print what was found, file by file; a person also gets one word on each file."""
        human = self.form == "human"
        color = use_color(sys.stderr if human else sys.stdout)
        renderer = import_module(f"cnnspec.diagnostics.{FORMATS[self.form]}")
        found = map(self.count, checked)
        for text in renderer.report(self.with_verdicts(found) if human else found, color=color):
            click.echo(text, err=human or self.aside, color=color)

    def tell_more(self) -> None:
        """Where a person can go on from here."""
        if self.form != "human" or not self.faults:
            return
        every = len(self.faults)
        safe, all_ = (
            sum(bool(chosen(f, self.mendable, unsafe=unsafe)) for f in self.faults) for unsafe in (False, True)
        )
        lines = [f"cnnspec explain {self.faults[0].code} tells more"]
        if safe:
            lines.append(f"--fix mends {'it' if every == 1 else f'{safe} of {every}'}")
        if all_ > safe:
            lines.append(f"--fix --unsafe-fixes mends {'it' if every == 1 else f'{all_} of {every}'}")
        click.echo("; ".join(lines), err=True)

    def mendable(self, name: str) -> str | None:
        return name if os.path.normpath(name) in self.own else None

    def count(self, checked: Checked) -> Found:
        right = tuple(Right(n.name, *ends(n), n.parameters) for n in checked.networks)
        source = checked.source
        if source.model is None:
            self.own.add(os.path.normpath(source.name))
        found = Found(f"{ZOO}{source.model}" if source.model else source.name, checked.diagnostics, right)
        self.faults += [each for each in found.diagnostics if each.severity != "note"]
        self.errors += found.count("error")
        self.warnings += found.count("warning")
        return found

    def with_verdicts(self, found: Iterable[Found]) -> Iterator[Found]:
        """Says how each file is once its diagnostics are printed."""
        for each in found:
            yield each
            for line in verdict(each):
                click.echo(line, err=self.aside)


def specs(files: tuple[str, ...]) -> Iterator[str]:
    """The files to check: folders stand for the .cnn files below them, in alphabetical order."""
    for file in files:
        if file != "-" and os.path.isdir(file):
            below = sorted(
                os.path.join(folder, name)
                for folder, _, names in os.walk(file)
                for name in names
                if name.endswith(".cnn")
            )
            if not below:
                raise click.UsageError(f"there is no .cnn file in {file}")
            yield from below
        else:
            yield file


def ends(network: Network) -> tuple[str, str]:
    """Its input and its output; formulas where sizes are left open."""
    if network.open:
        return network.open.input, network.open.output
    return str(network.input), str(network.output)


def verdict(found: Found) -> Iterator[str]:
    """One line per model, or how many faults there are."""
    errors, warnings = found.count("error"), found.count("warning")
    if errors:
        yield f"{found.file}: {counted(errors, 'error')}" + (f", {counted(warnings, 'warning')}" if warnings else "")
        return
    for each in found.right:
        yield f"{found.file}: {each.model} is right: {each.input} -> {each.output}, {each.parameters:,} parameters"
    if not found.right:
        yield f"{found.file}: no errors"
