"""What is recorded after an epoch beside its metrics, where it was asked for."""

from __future__ import annotations

from pathlib import Path

from cnnspec.analysis.learning import frozen
from cnnspec.data.parts import Data
from cnnspec.training.board import Board
from cnnspec.training.freezing import let_learn
from cnnspec.training.history import Epoch
from cnnspec.training.plan import Plan
from cnnspec.training.state import State
from cnnspec.training.watch import look, read_looks, write_looks


class Seeing:
    """Goes on where an interrupted run had got to."""

    def __init__(self, plan: Plan, folder: Path, state: State) -> None:
        epochs = len(state.history)
        self.plan, self.folder = plan, folder
        self.looks = read_looks(folder, epochs) if plan.config.watch else []
        self.board = Board(folder, epochs) if plan.config.tensorboard else None

    def after(self, epoch: Epoch, data: Data, state: State) -> None:
        found = []
        if self.plan.config.watch:
            let_learn(state.model, state.optimizer, frozen(self.plan.recipe, epoch.epoch))
            found = look(state.model, self.plan.network, data, self.plan.objective, self.plan.sides, epoch.epoch)
            self.looks += found
            write_looks(self.folder, self.looks)
        if self.board:
            self.board.add(epoch, found)
