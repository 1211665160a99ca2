"""`cnnspec fmt`"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cnnspec.cli.check import specs
from cnnspec.cli.color import color_option, use_color
from cnnspec.cli.common import FILE, print_diagnostics
from cnnspec.cli.difference import difference
from cnnspec.files import write
from cnnspec.network import UsageFault, read_source
from cnnspec.network.reading import ZOO
from cnnspec.source import Source
from cnnspec.syntax.form import formatted
from cnnspec.syntax.parser import Parsed, parse
from cnnspec.words import counted

SAME, CHANGED, FAULTY, UNREADABLE = "same", "changed", "faulty", "unreadable"


@click.command(short_help="Bring specs into their one form.")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; name the files that would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@color_option
def command(files: tuple[str, ...], only_check: bool, diff: bool) -> None:
    """Bring FILES into the one form of specs: indentation, blanks, blank lines, lines that are too long.

    FILE is a .cnn file, a folder (all .cnn files below it) or - (standard input to standard output). Comments stay
    where they are, and what is said does not change. Whether braces stand on one line, and where lines break inside
    brackets, is yours. Exit code 0: all is in form; 1: a file is not (with --check or --diff), or has syntax errors and
    is left as it is; 2: wrong usage, or a file that cannot be read or written.
    """
    if any(file.startswith(ZOO) for file in files):
        raise click.UsageError("the zoo belongs to cnnspec; fmt writes files of yours")
    found = [_format(file, only_check=only_check, diff=diff) for file in specs(files)]
    if "-" not in files:
        _tell(found, would=only_check or diff)
    if UNREADABLE in found:
        sys.exit(2)
    sys.exit(1 if FAULTY in found or (CHANGED in found and (only_check or diff)) else 0)


def _format(file: str, *, only_check: bool, diff: bool) -> str:
    """Format one file, and say what came of it."""
    try:
        source = read_source(file)
    except UsageFault as fault:
        click.echo(f"error: {fault}", err=True)
        return UNREADABLE
    parsed = parse(source)
    if parsed.diagnostics:
        print_diagnostics(parsed.diagnostics)
        click.echo(f"{source.name}: {counted(len(parsed.diagnostics), 'syntax error')}, left as it is", err=True)
        return FAULTY
    text = _form(parsed)
    same = text == source.text
    if diff and not same:
        color = use_color(sys.stdout)
        click.echo(difference(source.name, source.text, text, color=color), color=color)
    if only_check and not same:
        click.echo(f"{source.name}: not in form")
    if not (only_check or diff):
        return _put(file, source, text)
    return SAME if same else CHANGED


def _form(parsed: Parsed) -> str:
    """The text in its form, which is checked to say the same: nobody's file is lost to a mistake of ours."""
    text = formatted(parsed)
    again = parse(Source("<form>", text))
    told = [comment.text.rstrip() for comment in parsed.file.comments]
    same = again.file == parsed.file and [comment.text for comment in again.file.comments] == told
    if again.diagnostics or not same:
        name = parsed.file.span.source.name
        raise click.ClickException(f"{name} is left as it is: its form would say something else. Please report this.")
    return text


def _put(file: str, source: Source, text: str) -> str:
    if file == "-":
        click.echo(text, nl=False)
    elif text != source.text:
        try:
            write(Path(file), text)
        except OSError as error:
            click.echo(f"error: {file} cannot be written: {error.strerror}", err=True)
            return UNREADABLE
        click.echo(f"{file}: formatted")
    return SAME if text == source.text else CHANGED


def _tell(found: list[str], *, would: bool) -> None:
    changed, same = found.count(CHANGED), found.count(SAME)
    parts = [f"{counted(changed, 'file')} {'would change' if would else 'changed'}"] if changed else []
    parts += [f"{counted(same, 'file')} in form already"] if same else []
    if parts:
        click.echo(", ".join(parts), err=True)
