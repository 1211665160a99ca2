"""`cnnspec summary`"""

from __future__ import annotations

import sys

import click

from cnnspec.cli.color import use_color
from cnnspec.cli.common import load, network_options
from cnnspec.report.summary import Summary, summarize
from cnnspec.report.summary_text import as_markdown, as_text


@click.command(short_help="Show every layer's shape, parameters, MACs and receptive field.")
@network_options
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
def command(file: str, model: str | None, overrides: tuple[str, ...], input_shape: str | None, form: str) -> None:
    """Every layer of FILE: output shape, parameters, MACs, receptive field, activation size; and the totals."""
    summary = summarize(load(file, model, overrides, input_shape))
    click.echo(FORMS[form](summary), color=use_color(sys.stdout))


def _text(summary: Summary) -> str:
    return as_text(summary, color=use_color(sys.stdout))


def _json(summary: Summary) -> str:
    import json

    return json.dumps(summary.as_dict(), indent=2)


FORMS = {"text": _text, "markdown": as_markdown, "json": _json}
