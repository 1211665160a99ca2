"""`cnnspec train`"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from cnnspec.cli.common import fail, load, network_options
from cnnspec.cli.running import data_dir_option, dataset, device_option, explained
from cnnspec.recipe import Recipe

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

METAVARS = {"data": "DATA", "augment": "LIST", "optimizer": "CALL", "schedule": "CALL"}


def setting_options(command: Decorated) -> Decorated:
    """One option per setting of `train { }`."""
    for name, about in reversed(Recipe.about.items()):
        command = click.option(f"--{name}", metavar=METAVARS.get(name, "NUMBER"), help=f"{about.capitalize()}.")(
            command
        )
    return command


@click.command(short_help="Train the network and leave a folder with all that came of it.")
@network_options
@setting_options
@data_dir_option
@device_option
@click.option("--out", metavar="DIR", help="Folder of the run, new or empty; a fresh one in runs by default.")
@click.option(
    "--test-every-epoch",
    is_flag=True,
    help="Also record the accuracy on the test set after every epoch; it has no say.",
)
def command(
    file: str,
    model: str | None,
    overrides: tuple[str, ...],
    input_shape: str | None,
    data_dir: str | None,
    device: str | None,
    out: str | None,
    test_every_epoch: bool,
    **settings: str | None,
) -> None:
    """Train the network of FILE as its train { } says, and leave a folder with all that came of it.

    Settings are written as in a spec: --data mnist, --optimizer 'sgd(lr=0.1, momentum=0.9)', --augment '[flip]'.
    --data also takes the path of a folder of images, of a .csv or of an .npz file. Exit code 0: finished; 1: errors,
    or a loss that is no longer finite; 2: wrong usage; 130: interrupted.
    """
    if settings["data"]:
        settings["data"] = dataset(settings["data"])
    given = [f"train.{name}={value}" for name, value in settings.items() if value is not None]
    network = load(file, model, (*overrides, *given), input_shape, train=True)
    with explained():
        from cnnspec.training import report
        from cnnspec.training.run import train

        run = train(
            network,
            data_dir=data_dir,
            out=out,
            device=device,
            test_every_epoch=test_every_epoch,
            progress=sys.stderr.isatty(),
            say=click.echo,
        )
        for line in report.closing(run):
            click.echo(line)
    if run.status == "diverged":
        fail(run.fault, f"what was recorded until then is in {run.folder}")
    if run.status == "interrupted":
        fail(run.fault, f"what was recorded until then is in {run.folder}", code=130)
