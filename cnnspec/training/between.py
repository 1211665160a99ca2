"""What is decided between two steps, by all processes that train together: to stop, to save, to give up."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from cnnspec.training.distributed import Team, Wish
from cnnspec.training.error import Diverged
from cnnspec.training.state import State

GO, LOOK, SAVE, STOP = range(4)

LOOK_EVERY = 10.0
"""Seconds after which the device is waited for, to see whether the loss is still finite."""


class BetweenSteps:
    """Called after every step, tells whether it was the last: the same in every process, once one was asked to stop.

    Every `minutes` it saves, within an epoch that takes longer. What has diverged it never saves: it raises `Diverged`.
    """

    def __init__(
        self, state: State, team: Team, asked: Callable[[], bool], save: Callable[[], None], minutes: float
    ) -> None:
        self.state, self.team, self.asked, self.save, self.minutes = state, team, asked, save, minutes
        self.wish = Wish(team)
        self.stopped = False
        self.looked = self.saved = monotonic()
        self.epoch = state.epoch

    def __call__(self) -> bool:
        if self.stopped:
            return True
        wish = self.wish(self._wanted())
        if wish != GO:
            require_finite(self.state, self.team)
            self.looked = monotonic()
        if wish == SAVE:
            self.save()
            self.saved = monotonic()
        self.stopped = wish == STOP
        return self.stopped

    def _wanted(self) -> int:
        """The clock is that of the first process."""
        now = monotonic()
        if self.asked():
            return STOP
        if self.state.epoch != self.epoch:  # its end was saved
            self.epoch, self.saved = self.state.epoch, now
        if not self.team.leads or not self.state.step:
            return GO
        if now - self.saved > 60 * self.minutes:
            return SAVE
        return LOOK if now - self.looked > LOOK_EVERY else GO


def require_finite(state: State, team: Team) -> None:
    """Raises `Diverged` where a step of the epoch under way gave a loss that is no finite number."""
    step = int(team.together(state.finite).min()) + 1
    if step <= state.step:
        raise Diverged(f"the loss is no longer a finite number in epoch {state.epoch}, at step {step}", step)
