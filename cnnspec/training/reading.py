"""What the curves of a training run say, in plain words.

The rule, in the order in which it is tried, is `RULES`. It reads the end of a run as the mean of its last three epochs
(of the last third of a short run), and "held out" as the validation part; where there is none, as the record of the
test set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean
from typing import Literal

from cnnspec.training.history import Epoch

Verdict = Literal["healthy", "overfitting", "underfitting", "still improving", "diverged", "too short"]

RULES: dict[Verdict, str] = {
    "diverged": "a loss is not a finite number, or the training loss ends a tenth or more above where it began",
    "too short": "there is no second epoch to compare the first with",
    "overfitting": "training accuracy ends 10 points or more above held-out accuracy; or 3 points or more, while the "
    "held-out loss has risen by a tenth from its lowest and the training loss has kept falling",
    "still improving": "no overfitting, and held-out accuracy (training accuracy, where nothing is held out) still "
    "grows by half a point or more per epoch while its loss falls",
    "underfitting": "no overfitting, not improving any more, and training accuracy ends less than half of the way from "
    "guessing to perfect",
    "healthy": "no divergence, no wide gap between training and held-out accuracy, no rising held-out loss, and "
    "training accuracy more than half of the way from guessing to perfect",
}
"""When each verdict is given, in the order in which they are tried."""

WIDE_GAP = 0.10
GAP = 0.03
RISE = 0.10
GROWTH = 0.005
HALF_WAY = 0.5


@dataclass(frozen=True)
class Reading:
    """`because` holds the figures that led to the verdict, `advice` what to try, each a sentence."""

    verdict: Verdict
    because: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def rule(self) -> str:
        return RULES[self.verdict]


@dataclass(frozen=True)
class Curve:
    """Loss and accuracy, epoch by epoch."""

    name: str
    loss: tuple[float, ...]
    accuracy: tuple[float, ...]

    @property
    def tail(self) -> int:
        """How many epochs count as the end."""
        return max(1, min(3, len(self.loss) // 3))

    def end(self) -> tuple[float, float]:
        return fmean(self.loss[-self.tail :]), fmean(self.accuracy[-self.tail :])

    def trend(self) -> tuple[float, float]:
        """How loss and accuracy change per epoch at the end: the end against as many epochs before it."""
        before = slice(-2 * self.tail, -self.tail)
        loss, accuracy = self.end()
        return (loss - fmean(self.loss[before])) / self.tail, (accuracy - fmean(self.accuracy[before])) / self.tail


def read_curves(history: Sequence[Epoch], *, guessing: float, test_accuracy: float | None = None) -> Reading:
    """The verdict on a run.

    `guessing` is the accuracy of always naming the commonest class. `test_accuracy` is that of the end of the run; it
    is compared with training where nothing else was held out.
    """
    train, held = training(history), held_out(history)
    if not history:
        return Reading("too short", ("no epoch was finished",), SHORT)
    if not all(map(isfinite, train.loss)) or (held and not all(map(isfinite, held.loss))):
        return no_longer_finite("the loss is no longer a finite number")
    if len(history) == 1:
        return _too_short(history[0])
    if train.end()[0] >= train.loss[0] * (1 + RISE):
        return Reading(
            "diverged", (f"training loss began at {train.loss[0]:.3g} and ends at {train.end()[0]:.3g}",), DIVERGED
        )
    held_accuracy = held.end()[1] if held else test_accuracy
    reason = _overfitting(train, held, held_accuracy)
    if reason:
        return Reading("overfitting", reason, OVERFITTING)
    watched = held or train
    if watched.trend()[1] >= GROWTH and watched.trend()[0] < 0:
        return Reading("still improving", _growth(watched), IMPROVING)
    if train.end()[1] < guessing + HALF_WAY * (1 - guessing):
        return Reading("underfitting", _low(train, guessing), UNDERFITTING)
    return Reading("healthy", _close(train, held, held_accuracy), HEALTHY if held_accuracy is not None else BLIND)


def training(history: Sequence[Epoch]) -> Curve:
    return Curve("training", tuple(e.train_loss for e in history), tuple(e.train_accuracy for e in history))


def held_out(history: Sequence[Epoch]) -> Curve | None:
    """The validation curve; the record of the test set where there is none; None where there is neither."""
    for name in ("validation", "test"):
        loss = [getattr(epoch, f"{name}_loss") for epoch in history]
        if history and None not in loss:
            return Curve(name, tuple(loss), tuple(getattr(epoch, f"{name}_accuracy") for epoch in history))
    return None


def _overfitting(train: Curve, held: Curve | None, held_accuracy: float | None) -> tuple[str, ...]:
    """The figures that show it; empty where they do not."""
    if held_accuracy is None:
        return ()
    gap = train.end()[1] - held_accuracy
    rising = _rise(train, held) if held else ""
    if gap >= WIDE_GAP or (gap >= GAP and rising):
        facts = (
            f"training accuracy ends at {percent(train.end()[1])}, {_name(held)} accuracy at {percent(held_accuracy)}"
        )
        return (
            (f"{facts}: {gap * 100:.0f} points apart", rising)
            if rising
            else (f"{facts}: {gap * 100:.0f} points apart",)
        )
    return ()


def _rise(train: Curve, held: Curve) -> str:
    """In words, by how much the held-out loss rose since its lowest; empty where that is little."""
    low = min(held.loss)
    at = held.loss.index(low)
    end, fell = held.end()[0], train.end()[0] < train.loss[at]
    if end < low * (1 + RISE) or not fell:
        return ""
    return (
        f"{held.name} loss was lowest in epoch {at + 1} ({low:.3f}) and has risen to {end:.3f} since, "
        "while training loss kept falling"
    )


def _growth(curve: Curve) -> tuple[str, ...]:
    return (f"{curve.name} accuracy still grows by {curve.trend()[1] * 100:.1f} points per epoch and its loss falls",)


def _low(train: Curve, guessing: float) -> tuple[str, ...]:
    end = train.end()[1]
    where = "no better than guessing" if end < guessing + 0.02 else "even on the data it trains on"
    return (f"training accuracy ends at {percent(end)}, {where}; always naming one class gives {percent(guessing)}",)


def _close(train: Curve, held: Curve | None, held_accuracy: float | None) -> tuple[str, ...]:
    end = train.end()[1]
    if held_accuracy is None:
        return (f"training accuracy ends at {percent(end)}; nothing was held out to compare it with",)
    return (f"training accuracy ends at {percent(end)}, {_name(held)} accuracy at {percent(held_accuracy)}",)


def _name(held: Curve | None) -> str:
    return held.name if held else "test"


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def no_longer_finite(reason: str) -> Reading:
    """The verdict on a run whose loss became infinite or not a number."""
    return Reading("diverged", (reason,), DIVERGED)


def _too_short(epoch: Epoch) -> Reading:
    return Reading("too short", (f"one epoch, with a training accuracy of {percent(epoch.train_accuracy)}",), SHORT)


OVERFITTING = (
    "more data, or augmentation: augment: [crop(padding=4), flip] for photographs",
    "dropout before the last linear layers, or more weight_decay",
    "fewer channels or features, or fewer epochs; the weights of the best epoch are kept either way",
)
UNDERFITTING = (
    "another learning rate: ten times more, then ten times less",
    "more channels or more layers; batchnorm after each convolution",
    "less dropout, augmentation or weight_decay",
)
IMPROVING = ("more epochs", "a higher learning rate, or schedule: onecycle, to get there sooner")
HEALTHY = ("more epochs, a schedule (cosine or onecycle) or a larger network, if it should be better still",)
BLIND = ("a validation part (validation: 0.1): without one overfitting cannot be seen",)
DIVERGED = (
    "a learning rate ten times smaller",
    "batchnorm after each convolution",
    "the data: are all values finite and of a similar size?",
)
SHORT = ("more epochs: one alone says little",)
