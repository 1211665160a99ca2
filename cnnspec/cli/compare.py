"""`cnnspec compare`"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from cnnspec.cli.running import explained
from cnnspec.report.table import Column, aligned, markdown
from cnnspec.words import together

if TYPE_CHECKING:
    from cnnspec.training.compare import Comparison, Figure, Row
    from cnnspec.training.config import Result

WIDTH = 118

COLUMNS = (
    Column("run"),
    Column("n", numbers=True),
    Column("model", shrink=True),
    Column("parameters", numbers=True),
    Column("epochs", numbers=True),
    Column("best", numbers=True),
    Column("validation", numbers=True),
    Column("loss", numbers=True),
    Column("test", numbers=True),
    Column("loss", numbers=True),
    Column("seconds", numbers=True),
    Column("reading"),
)
NOTES = (
    "Validation and test: accuracy and loss with the weights of the best epoch. Seconds: of the training steps.",
    "n runs that differ only in the seed: mean ± standard deviation.",
)


@click.command(short_help="Put runs side by side: a table, in what they differ, and their curves.")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path())
@click.option("--out", metavar="FILE.png", help="Draw the curves over one another into this picture.")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
def command(runs: tuple[str, ...], out: str | None, form: str) -> None:
    """Put RUNs (their folders) side by side: a table, in what they differ, and their curves.

    Runs that differ only in the seed are gathered: mean and spread. Exit code 0: all were compared; 1: some could not
    be, or were measured on different data; 2: wrong usage, none could be.
    """
    if out and not out.lower().endswith(".png"):
        raise click.UsageError(f"--out draws a PNG, and {out} does not end in .png")
    with explained():
        from cnnspec.training.compare import compare

        found = compare(runs)
        if form == "json":
            click.echo(json.dumps(found.as_dict(), indent=2))
        else:
            for line in markdown_lines(found) if form == "markdown" else text_lines(found):
                click.echo(line)
        if out:
            found.draw(out)
            click.echo(f"the curves are in {out}", err=True)
    faults = [*found.left_out, *filter(None, [found.different_data])]
    for fault in faults:
        click.echo(f"error: {fault}", err=True)
    if faults:
        sys.exit(1)


def text_lines(found: Comparison) -> Iterator[str]:
    yield from aligned(COLUMNS, [_cells(row) for row in found.rows], WIDTH)
    yield ""
    for note in _notes(found):
        yield from wrap(note, WIDTH, subsequent_indent="  ")
    yield ""
    if len(found.rows) > 1:
        yield from ("what differs", "")
        for name, words in _differences(found):
            yield from wrap(f"{name}: {words}", WIDTH, initial_indent="  ", subsequent_indent="    ")
        yield ""
    yield from wrap(_equal(found), WIDTH, subsequent_indent="  ")


def markdown_lines(found: Comparison) -> Iterator[str]:
    yield from markdown(COLUMNS, [_cells(row) for row in found.rows])
    yield ""
    for note in _notes(found):
        yield f"- {note}"
    yield ""
    if len(found.rows) > 1:
        yield from ("What differs:", "")
        for name, words in _differences(found):
            yield f"- **{name}**: {words}"
        yield ""
    yield _equal(found)


def _cells(row: Row) -> tuple[str, ...]:
    config, figures = row.runs[0].config, row.figures
    asked = f" of {row.facts['epochs']}" if not row.runs[0].finished else ""
    return (
        row.name,
        f"{len(row.runs)}",
        config.model,
        f"{config.parameters:,}",
        _number(figures["epochs"], "g") + asked,
        _number(figures["best_epoch"], "g"),
        _percent(figures["validation_accuracy"]),
        _number(figures["validation_loss"], ".4f"),
        _percent(figures["test_accuracy"]),
        _number(figures["test_loss"], ".4f"),
        _number(figures["training_seconds"], ".1f"),
        _verdict(row),
    )


def _verdict(row: Row) -> str:
    """The commonest reading of the curves."""
    found = Counter(run.result.reading.verdict if run.result else "not ended" for run in row.runs)
    verdict = found.most_common(1)[0][0]
    return verdict if len(found) == 1 else f"mostly {verdict}"


def _number(figure: Figure | None, form: str) -> str:
    """A mean of whole numbers has one digit behind the point."""
    if figure is None:
        return "-"
    if form == "g":
        return f"{figure.mean:.0f}" if len(set(figure.values)) == 1 else f"{figure.mean:.1f}"
    return f"{figure.mean:{form}}"


def _percent(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    spread = f" ± {figure.spread * 100:.1f}" if figure.spread is not None else ""
    return f"{figure.mean * 100:.1f}{spread} %"


def _notes(found: Comparison) -> Iterator[str]:
    groups = [row for row in found.rows if len(row.runs) > 1]
    yield NOTES[0]
    if groups:
        yield NOTES[1]
    for row in groups:
        each = ", ".join(f"{run.name} (seed {run.seed}{_tested(run.result)})" for run in row.runs)
        yield f"{row.name}: {each}"
    yield from found.notes


def _tested(result: Result | None) -> str:
    return f", {result.test.accuracy * 100:.1f} %" if result and result.test else ""


def _differences(found: Comparison) -> Iterator[tuple[str, str]]:
    for name, values in found.differences.items():
        yield name, _by_value(values)
    for change in found.layers:
        yield f"layers of {together(change.rows)}, against {found.rows[0].name}", "; ".join(change.words)
    if not found.differences and not found.layers:
        yield "nothing", "the same configuration and the same seed"


def _by_value(values: dict[str, list[str]]) -> str:
    """Which rows have which value; most of many are "the others"."""
    most = max(values, key=lambda value: len(values[value]))
    others = most if len(values[most]) > 2 else None
    told = [f"{value} in {together(rows)}" for value, rows in values.items() if value != others]
    return "; ".join([*told, *([f"{others} in the {len(values[most])} others"] if others is not None else [])])


def _equal(found: Comparison) -> str:
    names = list(found.equal)
    if len(found.rows) == 1:
        return "there is one kind of run: nothing differs"
    return f"equal: {', '.join(names)}" if names else "nothing is equal"
