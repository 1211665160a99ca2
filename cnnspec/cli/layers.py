"""`cnnspec layers`: what can be written in a spec."""

from __future__ import annotations

from difflib import get_close_matches

import click
from click.shell_completion import CompletionItem

from cnnspec.report import vocabulary
from cnnspec.words import Parameter


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in vocabulary.names() if name.startswith(incomplete)]


@click.command(short_help="List layers, data sets and settings, or explain one.")
@click.argument("name", required=False, shell_complete=complete)
def command(name: str | None) -> None:
    """Layers, data sets and training settings, or all about the one called NAME."""
    if name is None:
        click.echo(vocabulary.overview())
        return
    found = vocabulary.find(name)
    if not found:
        close = get_close_matches(name, vocabulary.names(), 1)
        hint = f"Did you mean {close[0]}?" if close else "`cnnspec layers` lists what there is."
        raise click.UsageError(f"Nothing is called {name}. {hint}")
    click.echo("\n\n".join(_article(entry) for entry in found))


def _article(entry: object) -> str:
    return vocabulary.setting_article(entry) if isinstance(entry, Parameter) else vocabulary.article(entry)  # type: ignore[arg-type]
