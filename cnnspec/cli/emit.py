"""`cnnspec emit`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnspec.cli.common import load, network_options, put

if TYPE_CHECKING:
    from cnnspec.emission import Style


@click.command(short_help="Print the network as Python that needs PyTorch alone.")
@network_options
@click.option(
    "--style",
    type=click.Choice(["sequential", "forward"]),
    default="sequential",
    show_default=True,
    help="Groups as nn.Sequential, or every step written out in a forward.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write to this file, and replace it if it exists."
)
def command(
    file: str, model: str | None, overrides: tuple[str, ...], input_shape: str | None, style: Style, output: Path | None
) -> None:
    """Print the network as Python that needs PyTorch alone."""
    from cnnspec.emission import emit

    put(emit(load(file, model, overrides, input_shape, open=True), style=style), output)
