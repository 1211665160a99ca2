"""`cnnspec zoo`: the published networks that come with it."""

from __future__ import annotations

import os

import click

from cnnspec import zoo
from cnnspec.analysis.macs import total_macs
from cnnspec.network import Network, check, read_source
from cnnspec.report.table import Column, aligned, markdown

COLUMNS = (
    Column("network"),
    Column("input"),
    Column("parameters", numbers=True),
    Column("M MACs", numbers=True),
    Column("file"),
)
WIDTH = 118


@click.command(short_help="List the published networks that can be named in place of a file.")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
def command(form: str) -> None:
    """The published networks that come with cnnspec. Where a command takes a FILE, it takes zoo:resnet50 too."""
    networks = [network for path in zoo.files() for network in check(read_source(path)).networks]
    if form == "json":
        import json

        click.echo(json.dumps(list(map(as_dict, networks)), indent=2))
        return
    rows = list(map(cells, networks))
    click.echo("\n".join(markdown(COLUMNS, rows) if form == "markdown" else aligned(COLUMNS, rows, WIDTH)))


def as_dict(network: Network) -> dict[str, object]:
    return {
        "name": network.name,
        "input": list(network.input.sizes),
        "parameters": network.parameters,
        "macs": total_macs(network),
        "file": network.source.name,
    }


def cells(network: Network) -> tuple[str, ...]:
    macs = f"{total_macs(network) / 1e6:,.0f}"
    file = os.path.basename(network.source.name)
    return network.name, str(network.input), f"{network.parameters:,}", macs, file
