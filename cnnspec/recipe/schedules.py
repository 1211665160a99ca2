"""What becomes of the learning rate."""

from __future__ import annotations

from cnnspec.words import KINDS, Count, Kind, Natural, Positive, Probability, Share, Word, by_name, word_of

Milestones = int | tuple[int, ...]


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


class MultiStep(Schedule):
    """The learning rate is multiplied by `gamma` after each of the epochs named, counted from the end of a linear rise
    over the first `warmup` part."""

    word = "multistep"
    milestones: Milestones
    gamma: Positive = 0.1
    warmup: Share = 0.0


class Linear(Schedule):
    """From the learning rate down to its part `end` in a straight line, after a linear rise over the first `warmup`
    part."""

    word = "linear"
    warmup: Share = 0.0
    end: Probability = 0.0


class Cosine(Schedule):
    """From the learning rate down to its part `end` along half a cosine, after a linear rise over the first `warmup`
    part."""

    word = "cosine"
    warmup: Share = 0.0
    end: Probability = 0.0


class Plateau(Schedule):
    """The learning rate is multiplied by `factor` when the loss on the validation part (on the training part, where
    nothing is held back) has been no better for more than `patience` epochs; after a linear rise over the first
    `warmup` part."""

    word = "plateau"
    factor: Share = 0.1
    patience: Natural = 5
    warmup: Share = 0.0

    def contradiction(self) -> tuple[str, Word] | None:
        return None if self.factor else ("plateau with factor 0 would end all learning", self.replace(factor=0.1))


class OneCycle(Schedule):
    """Up from a 25th of the learning rate over the first `warmup` part, then down to nearly zero (Smith 2018)."""

    word = "onecycle"
    warmup: Share = 0.3


SCHEDULES = by_name(Constant, StepDown, MultiStep, Linear, Cosine, OneCycle, Plateau)

KINDS["Schedule"] = word_of(SCHEDULES, "a schedule")
KINDS["Milestones"] = Kind("a whole number from 1, or a list of them ([30, 60])", KINDS["Kernel"].read)
