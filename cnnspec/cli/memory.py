"""`cnnspec memory`"""

from __future__ import annotations

import re
from typing import Literal

import click

from cnnspec.cli.common import load, network_options

UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class Bytes(click.ParamType):  # type: ignore[type-arg]
    """`8GB`, `8GiB`, `800M`: as the memory of a GPU is told, in powers of 1024."""

    name = "SIZE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", value.strip(), re.IGNORECASE)
        if not found or not float(found[1]):
            self.fail(f"{value!r} is no size; 8GB and 800MB are", param, ctx)
        return int(float(found[1]) * UNITS[found[2].lower()])


@click.command(short_help="Tell the memory that training takes, before anything is built.")
@network_options
@click.option("--batch", type=click.IntRange(1), help="Samples per step; those of train { } by default.")
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "momentum", "adam", "adamw", "muon"]),
    help="That of train { } by default; momentum is sgd with one.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    help="Numbers that convolutions and linear layers compute with; float32 unless train { } says otherwise.",
)
@click.option("--fits", type=Bytes(), help="Find the largest batch for so much memory: 8GB, 24GB.")
@click.option("--all", "every", is_flag=True, help="Show every layer that holds something.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
def command(
    file: str,
    model: str | None,
    overrides: tuple[str, ...],
    input_shape: str | None,
    batch: int | None,
    optimizer: str | None,
    precision: Literal["float32", "bfloat16"] | None,
    fits: int | None,
    every: bool,
    form: str,
) -> None:
    """The memory of training on a GPU: weights, gradients, what the optimizer keeps, what every layer keeps for the
    backward pass, and the peak. With --fits the largest batch.
    """
    from cnnspec.report.memory_table import as_text, recipe_of, report

    if batch and fits:
        raise click.UsageError("--fits looks for a batch, and --batch gives one")
    network = load(file, model, overrides, input_shape)
    found = report(network, recipe_of(network, batch, optimizer, precision), fits)
    if form == "json":
        import json

        click.echo(json.dumps(found.as_dict(), indent=2))
    else:
        click.echo(as_text(found, every))
