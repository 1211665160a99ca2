"""What becomes of the learning rate."""

from __future__ import annotations

from cnnspec.words import KINDS, Count, Positive, Share, Word, by_name, word_of


class Schedule(Word):
    """Base of the schedules: what becomes of the learning rate, step by step. `warmup` is the part of the run over
    which it rises, before the schedule begins."""


class Constant(Schedule):
    """The learning rate stays as it is, after a linear rise over the first `warmup` part."""

    word = "constant"
    warmup: Share = 0.0


class StepDown(Schedule):
    """The learning rate is multiplied by `gamma` after every `every` epochs, counted from the end of a linear rise over
    the first `warmup` part."""

    word = "step"
    every: Count
    gamma: Positive = 0.1
    warmup: Share = 0.0


class Cosine(Schedule):
    """From the learning rate down to zero along half a cosine, after a linear rise over the first `warmup` part."""

    word = "cosine"
    warmup: Share = 0.0


class OneCycle(Schedule):
    """Up from a 25th of the learning rate over the first `warmup` part, then down to nearly zero (Smith 2018)."""

    word = "onecycle"
    warmup: Share = 0.3


SCHEDULES = by_name(Constant, StepDown, Cosine, OneCycle)

KINDS["Schedule"] = word_of(SCHEDULES, "a schedule")
