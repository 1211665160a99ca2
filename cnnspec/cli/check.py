"""`cnnspec check`"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator

import click

from cnnspec.cli.common import FILE, input_option, parse_overrides, print_diagnostics, set_option
from cnnspec.network import Checked, UsageFault, check, read_source
from cnnspec.words import counted

MOST_SHOWN = 50
"""Diagnostics of one file that are printed; whoever has more begins with these."""


@click.command(short_help="Check every shape, name and claim of specs.")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@set_option
@input_option
@click.option("--strict", is_flag=True, help="Let warnings count as errors do.")
def command(files: tuple[str, ...], overrides: tuple[str, ...], input_shape: str | None, strict: bool) -> None:
    """Check every shape, name and claim of FILES before any tensor exists.

    FILE is a .cnn file, a folder (all .cnn files below it) or - for standard input. Exit code 0: no errors;
    1: errors, or warnings with --strict; 2: wrong usage or an unreadable file.
    """
    given = parse_overrides(overrides)
    found: Counter[str] = Counter()
    unreadable = False
    for file in specs(files):
        try:
            checked = check(read_source(file), set=given, input=input_shape)
        except UsageFault as fault:
            click.echo(f"error: {fault}", err=True)
            unreadable = True
            continue
        print_diagnostics(checked.diagnostics[:MOST_SHOWN])
        if len(checked.diagnostics) > MOST_SHOWN:
            click.echo(f"... and {len(checked.diagnostics) - MOST_SHOWN:,} more\n", err=True)
        found.update(diagnostic.severity for diagnostic in checked.diagnostics)
        report(file, checked)
    if unreadable:
        sys.exit(2)
    sys.exit(1 if found["error"] or (strict and found["warning"]) else 0)


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


def report(file: str, checked: Checked) -> None:
    """One line per model, or how many faults there are."""
    name = "<stdin>" if file == "-" else file
    errors = len(checked.errors)
    warnings = sum(diagnostic.severity == "warning" for diagnostic in checked.diagnostics)
    if errors:
        click.echo(f"{name}: {counted(errors, 'error')}" + (f", {counted(warnings, 'warning')}" if warnings else ""))
        return
    for network in checked.networks:
        sizes = f"{network.input} -> {network.output}"
        click.echo(f"{name}: {network.name} is right: {sizes}, {network.parameters:,} parameters")
    if not checked.networks:
        click.echo(f"{name}: no errors")
