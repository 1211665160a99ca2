"""What can stop a training run, as one exception."""

from __future__ import annotations


class TrainError(Exception):
    """A run that cannot start or go on, or a finished one that cannot be used.

    `message` states the fault in one line, `notes` add facts and say what to do.
    """

    def __init__(self, message: str, *notes: str) -> None:
        super().__init__(message, notes)
        self.message, self.notes = message, notes

    def __str__(self) -> str:
        return "\n".join((self.message, *self.notes))


class Diverged(TrainError):
    """The loss is no longer a finite number, from this step of the epoch on; None where it was found otherwise."""

    def __init__(self, message: str, step: int | None = None) -> None:
        super().__init__(message)
        self.step = step


class Lost(TrainError):
    """Another of the processes that train together does not answer any more."""


class BadRun(TrainError):
    """A run folder that cannot be used: it is none, or files of it are missing or damaged."""


class FolderTaken(TrainError):
    """A folder for a run in which there is something already."""
