"""What git asks of a program that shows differences. It must end well whatever the files hold, or git ends there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

import click

from cnnspec.cli.color import use_color
from cnnspec.cli.diff import compared, rendered
from cnnspec.cli.difference import difference as text_difference
from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.diagnostics.human import render
from cnnspec.network import Checked, Network, UsageFault, check, read_source
from cnnspec.network.reading import INSTEAD
from cnnspec.source import Source

SEVEN = "path old-file old-hex old-mode new-file new-hex new-mode"
MISSING = "/dev/null"


class Beside(dict[str, str]):
    """Files that a spec uses, for a spec shown as `a/PATH` or `b/PATH`: git hands on the spec alone, so they are read
    from the working tree."""

    def __missing__(self, name: str) -> str:
        side, _, path = name.partition("/")
        if side not in ("a", "b"):
            raise KeyError(name)
        try:
            return read_source(path).text
        except UsageFault:
            raise KeyError(name) from None

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        try:
            return self[name]
        except KeyError:
            return default


def difference(given: Sequence[str]) -> None:
    """`diff.<driver>.command`: one file of a `git diff`."""
    if len(given) == 1:
        click.echo(f"{given[0]}: not merged")
        return
    if len(given) not in (7, 9):
        raise click.UsageError(f"--git takes what git gives: {SEVEN}")
    if os.environ.get("GIT_PAGER_IN_USE") == "true" and not os.environ.get("NO_COLOR"):
        click.get_current_context().meta["cnnspec.color"] = "always"
    path, new_path = given[0], given[7] if len(given) == 9 else given[0]
    click.echo(f"diff a/{path} b/{new_path}")
    INSTEAD.set(Beside())
    _print("\n".join(_told(_text(f"a/{path}", given[1]), _text(f"b/{new_path}", given[4]))))


def _print(text: str) -> None:
    """Where nobody reads on, because the pager was left, git must not see a failure."""
    try:
        click.echo(text, color=_colored())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _colored() -> bool:
    return use_color(sys.stdout)


def _text(name: str, file: str) -> Source | None:
    return None if file == MISSING else Source(name, read_source(file).text)


def _told(before: Source | None, after: Source | None) -> Iterator[str]:
    """The difference of the networks, and that of the texts where there is none to tell."""
    sides = [check(side) for side in (before, after) if side]
    faults = [fault for side in sides for fault in side.errors]
    if before and after and not faults:
        yield from _compared(before, after, *sides)
        return
    for fault in faults:
        yield f"{_rendered(fault)}\n"
    if before and after:
        yield text_difference(after.name, before.text, after.text, color=_colored())
    else:
        what = "added" if after else "removed"
        yield from (f"{what}: {_line(network)}" for side in sides for network in side.networks)


def _compared(before: Source, after: Source, one: Checked, other: Checked) -> Iterator[str]:
    try:
        pairs = compared(one, other)
    except (UsageFault, SpecError) as fault:
        yield str(fault)
        yield text_difference(after.name, before.text, after.text, color=_colored())
        return
    yield rendered(pairs, "text") if pairs.differ else "the networks are the same; the texts differ"


def _rendered(fault: Diagnostic) -> str:
    return render(fault, color=_colored())


def _line(network: Network) -> str:
    return f"{network.name}: {network.input} -> {network.output}, {network.parameters:,} parameters"


def lines(given: Sequence[str]) -> None:
    """`diff.<driver>.textconv`: a line for each layer; the text itself where it has faults."""
    if len(given) != 1:
        raise click.UsageError("--textconv takes one file")
    source = read_source(given[0])
    checked = check(source)
    if checked.errors:
        click.echo(source.text, nl=False)
        return
    for network in checked.networks:
        click.echo("\n".join(_lines(network)) + "\n")


def _lines(network: Network) -> Iterator[str]:
    from cnnspec.report.written import layer_text

    yield _line(network)
    for placed in network.layers:
        yield f"{placed.path}: {layer_text(placed.layer, placed.input)} -> {placed.output}"
