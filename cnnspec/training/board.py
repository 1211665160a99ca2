"""The curves of a run as files of TensorBoard, for those who watch many runs there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from cnnspec.requires import require
from cnnspec.training.history import Epoch
from cnnspec.training.watch import Look

FOLDER = "tensorboard"


class Board:
    """Writes what is known after an epoch. What an interrupted run had written of later epochs is hidden."""

    def __init__(self, folder: Path, epochs: int) -> None:
        """`epochs` is how many there are already. Raises `MissingPackage` without TensorBoard."""
        require(FOLDER)
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder / FOLDER), purge_step=epochs + 1)

    def add(self, epoch: Epoch, looks: Iterable[Look] = ()) -> None:
        """`looks` are those of this epoch, where layers are watched."""
        for name, value in asdict(epoch).items():
            if name != "epoch" and value is not None:
                part, _, what = name.rpartition("_")
                tag = f"{what}/{part}" if part in ("train", "validation", "test") else name
                self._writer.add_scalar(tag, value, epoch.epoch)
        for look in looks:
            for name in ("activation", "dead", "gradient", "ratio"):
                value = getattr(look, name)
                if value is not None:
                    self._writer.add_scalar(f"{name}/{look.layer}", value, epoch.epoch)
        self._writer.flush()
