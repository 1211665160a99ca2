"""`cnnspec new`: a first file to learn from."""

from __future__ import annotations

from pathlib import Path

import click

from cnnspec.files import write


@click.command(short_help="Write a first network, with comments to learn from.")
@click.argument("path", default="network.cnn", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--force", is_flag=True, help="Overwrite the file if there is one.")
def command(path: str, force: bool) -> None:
    """Write a first network with comments to PATH (network.cnn; - prints it)."""
    text = Path(__file__).with_name("new.cnn").read_text(encoding="utf-8")
    if path == "-":
        click.echo(text, nl=False)
        return
    if Path(path).exists() and not force:
        raise click.UsageError(f"{path} is already there; --force overwrites it.")
    try:
        write(Path(path), text)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from None
    click.echo(f"Wrote {path}. Next: cnnspec check {path}, then cnnspec train {path}.")
