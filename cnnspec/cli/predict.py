"""`cnnspec predict`"""

from __future__ import annotations

import json

import click

from cnnspec.cli.common import FILE
from cnnspec.cli.running import device_option, explained, format_option, weights_option


@click.command(short_help="Name images with a finished run.", context_settings={"ignore_unknown_options": True})
@click.argument("run", type=FILE)
@click.argument("samples", nargs=-1, required=True, type=FILE, metavar="IMAGE...")
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True, help="How many classes to name.")
@weights_option
@device_option
@format_option
def command(run: str, samples: tuple[str, ...], top: int, weights: str, device: str | None, form: str) -> None:
    """Name IMAGE files with a finished RUN (its folder): the likeliest classes and their probabilities.

    Images may have any size and mode; they are converted as the training images were. For a network whose input is a
    vector, write numbers in the place of each file: 0.5,-0.25.
    """
    with explained():
        from cnnspec.training import predict

        found = predict(run, samples, weights="last" if weights == "last" else "best", device=device)
    if form == "json":
        rows = [
            {"sample": p.sample, "classes": [{"name": name, "probability": share} for name, share in p.classes[:top]]}
            for p in found
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(len(prediction.sample) for prediction in found)
    for prediction in found:
        named = ", ".join(f"{name} {share * 100:.1f} %" for name, share in prediction.classes[:top])
        click.echo(f"{prediction.sample.ljust(width)}   {named}")
