"""What `train`, `eval` and `predict` share: their options, and errors without a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cnnspec.cli.common import fail
from cnnspec.data.facts import DATASETS
from cnnspec.network import UsageFault
from cnnspec.requires import MissingPackage, require

PACKAGES = ("torch", "numpy", "safetensors", "matplotlib", "PIL", "tqdm")

device_option = click.option("--device", metavar="NAME", help="cuda, cuda:1, mps or cpu; the best there is by default.")
data_dir_option = click.option(
    "--data-dir", metavar="DIR", help="Where downloaded data sets live: $CNNSPEC_DATA or data by default."
)
weights_option = click.option(
    "--weights", type=click.Choice(["best", "last"]), default="best", help="Of the best epoch (default) or the last."
)
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it."
)


ENDINGS = {".csv": "csv", ".csv.gz": "csv", ".npz": "npz"}
"""The words of the language that read files, by how these end."""


def dataset(text: str) -> str:
    """A data set in the language; a path of a folder, a .csv or an .npz file becomes the call that reads it."""
    path = Path(text).expanduser()
    if text in DATASETS or ("(" in text and not path.exists()):
        return text
    word = next((word for ending, word in ENDINGS.items() if text.lower().endswith(ending)), "")
    if path.is_dir():
        return f'folder("{path.as_posix()}")'
    if path.exists() and not word:
        raise click.UsageError(f"{text} is no data set: it does not end in {', '.join(ENDINGS)}")
    if not path.exists() and (word or "/" in text or "." in text):
        raise click.UsageError(f"there is no file or folder {text}")
    return f'{word}("{path.as_posix()}")' if word else text


def tell(line: str) -> None:
    """Prints what a long command has to say. Where nobody reads it any more, or it can no longer be written (`| tee`
    was ended by the same Ctrl-C, the disk of a log is full), the command goes on without, and says so once."""
    try:
        click.echo(line)
    except OSError as fault:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo(f"standard output: {fault.strerror}; going on without it", err=True)


@contextmanager
def explained() -> Iterator[None]:
    """Every error that a user can meet, as a message and an exit code: 2 for what was asked, 130 for Ctrl-C, else 1."""
    try:
        require(*PACKAGES)
    except MissingPackage as missing:
        fail(missing.args[0], missing.help)
    from cnnspec.data.error import DataError
    from cnnspec.training.device import NoDevice
    from cnnspec.training.error import BadRun, FolderTaken, TrainError

    try:
        yield
    except (UsageFault, NoDevice) as fault:
        raise click.UsageError(str(fault)) from None
    except DataError as fault:
        fail(fault.message, *fault.notes, *fault.help)
    except TrainError as fault:
        fail(fault.message, *fault.notes, code=2 if isinstance(fault, BadRun | FolderTaken) else 1)
    except MissingPackage as missing:
        fail(missing.args[0], missing.help)
    except BrokenPipeError:  # click knows what to do where nobody reads on
        raise
    except OSError as fault:
        fail(f"{fault.filename or 'a file'}: {fault.strerror or fault}", code=2)
    except KeyboardInterrupt:
        click.echo("\ninterrupted", err=True)
        sys.exit(130)
