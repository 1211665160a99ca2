"""`cnnspec explain`: what a code means."""

from __future__ import annotations

from difflib import get_close_matches

import click
from click.shell_completion import CompletionItem

from cnnspec import lint
from cnnspec.diagnostics.codes import CODES
from cnnspec.diagnostics.explanation import code_of, page

assert lint.RULES, "importing the rules declares their codes"


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    names = [*CODES, *(known.name for known in CODES.values())]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command(short_help="Explain an error, warning or note.")
@click.argument("code", required=False, shell_complete=complete)
def command(code: str | None) -> None:
    """What CODE means, a file that gets it, one that does not, and why.

    CODE is written as in a message (E301) or by its name (size-mismatch). Without one, all codes are listed.
    """
    if code is None:
        click.echo("\n".join(listing()))
        return
    known = code_of(code.strip("[]"))
    if known is None:
        raise click.UsageError(f"Nothing has the code {code}. {_hint(code)}")
    click.echo(page(known), nl=False)


def listing() -> list[str]:
    width = max(len(known.name) for known in CODES.values())
    return [f"{code}  {known.name:<{width}}  {known.meaning}" for code, known in sorted(CODES.items())]


def _hint(code: str) -> str:
    names = [*CODES, *(known.name for known in CODES.values())]
    close = get_close_matches(code.lower(), names, 1) or get_close_matches(code.upper(), names, 1)
    return f"Did you mean {close[0]}?" if close else "`cnnspec explain` lists what there is."
