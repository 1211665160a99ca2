"""What is decided between two steps, by all processes that train together."""

from __future__ import annotations

from collections.abc import Callable

from cnnspec.training.distributed import Team, Wish

GO, STOP = 0, 1


class BetweenSteps:
    """Called after every step, tells whether it was the last: the same in every process, once one was asked to stop."""

    def __init__(self, team: Team, asked: Callable[[], bool]) -> None:
        self.asked, self.wish = asked, Wish(team)
        self.stopped = False

    def __call__(self) -> bool:
        self.stopped = self.stopped or self.wish(STOP if self.asked() else GO) == STOP
        return self.stopped
