"""What can go wrong with data, as one exception. No torch here."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from cnnspec.requires import INSTALL


class DataError(Exception):
    """Data that cannot be had or used.

    `message` states the fault in one line; `notes` add facts: which files, where they belong; `help` says what to do.
    """

    def __init__(self, message: str, notes: tuple[str, ...] = (), help: tuple[str, ...] = ()) -> None:
        super().__init__(message, notes, help)
        self.message, self.notes, self.help = message, notes, help

    def __str__(self) -> str:
        return "\n".join((self.message, *(f"note: {note}" for note in self.notes), *(f"help: {h}" for h in self.help)))


def package(module: str) -> Any:
    """An optional package, imported; raises `DataError` with the line that installs it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        name = (error.name or module).split(".")[0]
        raise DataError(f"the Python package {name} is not installed", help=(f"run: {INSTALL}",)) from error
