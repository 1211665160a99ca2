"""`cnnspec field`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnspec.cli.common import fail, load, network_options

if TYPE_CHECKING:
    from cnnspec.network import Network
    from cnnspec.report.field_view import View


@click.command(short_help="Show what a layer sees of the input: its receptive field.")
@network_options
@click.argument("layer", required=False)
@click.option("--at", metavar="Y,X", help="The place in the layer's map to look from; the middle by default.")
@click.option("--svg", "picture", type=click.Path(path_type=Path), help="Draw into this file, and replace it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
def command(
    file: str,
    model: str | None,
    overrides: tuple[str, ...],
    input_shape: str | None,
    layer: str | None,
    at: str | None,
    picture: Path | None,
    form: str,
) -> None:
    """Which values of the input one output of LAYER sees: drawn, and in words. LAYER is the name of a layer or a group
    as in the summary (features.3, layer2); the end of it will do where it is clear. Without LAYER: the receptive fields
    of all layers, where they start and whether they are centred.
    """
    network = load(file, model, overrides, input_shape)
    if layer is None:
        if at or picture:
            raise click.UsageError("--at and --svg are about one LAYER, and none is named")
        _list(network, form)
        return
    view = _view(network, layer, at)
    if picture:
        _draw(view, picture)
    if form == "json":
        import json

        click.echo(json.dumps(view.as_dict(), indent=2))
    else:
        _tell(view)


def _list(network: Network, form: str) -> None:
    from cnnspec.report.field_table import as_dicts, as_text

    if form == "json":
        import json

        click.echo(json.dumps(as_dicts(network), indent=2))
    else:
        click.echo(as_text(network))


def _view(network: Network, layer: str, at: str | None) -> View:
    from cnnspec.report.field_table import NoPlace, NoSuchLayer, view_of

    try:
        return view_of(network, layer, _place(at) if at else None)
    except NoSuchLayer as fault:
        fail(str(fault), *fault.notes, code=2)
    except NoPlace as fault:
        raise click.UsageError(str(fault)) from None


def _place(at: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in at.replace("x", ",").split(","))
    except ValueError:
        raise click.UsageError(f"--at takes numbers, 3,4 for instance, {at!r} is none") from None


def _draw(view: View, picture: Path) -> None:
    from cnnspec.files import write
    from cnnspec.report.field_view import svg

    if not view.drawable:
        fail(f"an input of {view.network.input} cannot be drawn: it has {view.network.input.rank} axes", code=2)
    try:
        write(picture, svg(view))
    except OSError as error:
        fail(f"{picture} cannot be written: {error.strerror}", code=2)


def _tell(view: View) -> None:
    from cnnspec.report.field_view import title, words

    told = str(view)
    if not _prints(told, sys.stdout.encoding):
        told = "\n".join([title(view), *(f"  {sentence}" for sentence in words(view))])
    click.echo(told)


def _prints(text: str, encoding: str | None) -> bool:
    """Whether the terminal has the characters of a drawing."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
