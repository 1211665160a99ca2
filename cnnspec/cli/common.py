"""What several commands share: the options that choose a network, and how diagnostics are shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from cnnspec.cli.color import use_color
from cnnspec.diagnostics import Diagnostic
from cnnspec.diagnostics.human import render
from cnnspec.network import Network, UsageFault, read_source
from cnnspec.network import load as load_network
from cnnspec.network.reading import ZOO

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class SpecFile(click.Path):
    """Makes shells complete the names of files, and of networks behind `zoo:`; whether there is one is found out when
    it is read."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from cnnspec import zoo

        networks = [name for name in map(ZOO.__add__, zoo.names()) if incomplete and name.startswith(incomplete)]
        return list(map(CompletionItem, networks)) or super().shell_complete(ctx, param, incomplete)


FILE = SpecFile(allow_dash=True)

set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="NAME=VALUE",
    help="Override a parameter of the model (classes=100) or a training setting (train.epochs=3).",
)
input_option = click.option("--input", "input_shape", metavar="SHAPE", help="Try another input, 1x28x28 for instance.")
model_option = click.option("--model", metavar="NAME", help="Which model, where the file has several.")


def network_options(command: Decorated) -> Decorated:
    """FILE, --model, --set and --input, as every command on one network takes them."""
    for option in (input_option, set_option, model_option, click.argument("file", type=FILE)):
        command = option(command)
    return command


def load(
    file: str,
    model: str | None,
    overrides: Iterable[str],
    input_shape: str | None,
    *,
    train: bool = False,
    open: bool = False,
) -> Network:
    """The checked network; prints what is wrong and exits where there is none. Its input may have sizes that are left
    `open` where that is said."""
    given = parse_overrides(overrides)
    try:
        return load_network(read_source(file), model=model, set=given, input=input_shape, train=train, open=open)
    except UsageFault as fault:
        raise click.UsageError(str(fault)) from None


def parse_overrides(overrides: Iterable[str], option: str = "--set") -> dict[str, str]:
    """`["classes=100"]` as a dict."""
    pairs: dict[str, str] = {}
    for text in overrides:
        name, equals, value = text.partition("=")
        if not (equals and name.strip() and value.strip()):
            raise click.UsageError(f"{option} takes NAME=VALUE, {text!r} is none")
        pairs[name.strip()] = value.strip()
    return pairs


def put(text: str, output: Path | None) -> None:
    """To standard output where no file is named, or `-`; a file is written whole or not at all."""
    from cnnspec.files import write

    if output is None or str(output) == "-":
        click.echo(text, nl=False)
        return
    try:
        write(output, text)
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}", code=2)


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """To standard error, with an empty line between two."""
    color = use_color(sys.stderr)
    for diagnostic in diagnostics:
        click.echo(render(diagnostic, color=color) + "\n", err=True, color=color)


def fail(message: str, *notes: str, code: int = 1) -> NoReturn:
    """An error that has no place in a text."""
    click.echo(f"error: {message}", err=True)
    for note in notes:
        click.echo(f"  = {note}", err=True)
    sys.exit(code)
