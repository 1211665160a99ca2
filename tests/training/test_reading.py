from __future__ import annotations

from collections.abc import Sequence
from math import nan

import pytest

from cnnspec.training.history import Epoch
from cnnspec.training.reading import RULES, read_curves

Pairs = Sequence[tuple[float, float]]


def history(train: Pairs, validation: Pairs | None = None, test: Pairs | None = None) -> list[Epoch]:
    """From (loss, accuracy in percent), epoch by epoch."""

    def at(pairs: Pairs | None, index: int) -> tuple[float | None, float | None]:
        return (pairs[index][0], pairs[index][1] / 100) if pairs else (None, None)

    return [
        Epoch(index + 1, 0.001, loss, accuracy / 100, *at(validation, index), *at(test, index), seconds=1.0)
        for index, (loss, accuracy) in enumerate(train)
    ]


# A small network on photographs: as it is, and with augmentation.
BARE_TRAIN = list(
    zip(
        (1.52, 1.17, 1.02, 0.91, 0.81, 0.73, 0.65, 0.57, 0.50, 0.43, 0.36, 0.29, 0.22, 0.15, 0.09),
        (44, 58, 64, 68, 71, 74, 77, 80, 82, 85, 87, 90, 92, 95, 97),
        strict=True,
    )
)
BARE_HELD = list(
    zip(
        (1.21, 1.02, 0.94, 0.87, 0.82, 0.79, 0.78, 0.77, 0.79, 0.82, 0.87, 0.93, 1.01, 1.10, 1.22),
        (57, 64, 67, 70, 71, 73, 73, 74, 74, 74, 75, 75, 75, 75, 75),
        strict=True,
    )
)
AUGMENTED_TRAIN = list(
    zip(
        (1.65, 1.32, 1.18, 1.08, 1.01, 0.95, 0.90, 0.86, 0.82, 0.79, 0.76, 0.74, 0.72, 0.70, 0.69),
        (39, 52, 58, 62, 65, 67, 69, 70, 72, 73, 74, 75, 76, 76, 77),
        strict=True,
    )
)
AUGMENTED_HELD = list(
    zip(
        (1.30, 1.12, 1.02, 0.95, 0.90, 0.86, 0.82, 0.79, 0.77, 0.75, 0.72, 0.72, 0.70, 0.69, 0.69),
        (53, 60, 64, 67, 69, 70, 71, 72, 73, 74, 75, 75, 76, 76, 76),
        strict=True,
    )
)


def verdict(*curves: Pairs | None, guessing: float = 0.1, test_accuracy: float | None = None) -> str:
    return read_curves(history(*curves), guessing=guessing, test_accuracy=test_accuracy).verdict  # type: ignore[arg-type]


def test_overfitting_names_the_epoch_from_which_the_loss_rose() -> None:
    reading = read_curves(history(BARE_TRAIN, BARE_HELD), guessing=0.1)
    assert reading.verdict == "overfitting"
    assert reading.because == (
        "training accuracy ends at 94.7 %, validation accuracy at 75.0 %: 20 points apart",
        "validation loss was lowest in epoch 8 (0.770) and has risen to 1.110 since, while training loss kept falling",
    )
    assert any("augment" in advice for advice in reading.advice)


def test_the_record_of_the_test_set_is_read_where_there_is_no_validation_part() -> None:
    reading = read_curves(history(BARE_TRAIN, None, BARE_HELD), guessing=0.1, test_accuracy=0.75)
    assert reading.verdict == "overfitting"
    assert "test accuracy at 75.0 %" in reading.because[0]
    assert "test loss was lowest in epoch 8" in reading.because[1]


def test_healthy() -> None:
    reading = read_curves(history(AUGMENTED_TRAIN, AUGMENTED_HELD), guessing=0.1)
    assert reading.verdict == "healthy"
    assert reading.because == ("training accuracy ends at 76.3 %, validation accuracy at 76.0 %",)


def test_a_rising_loss_is_no_overfitting_where_accuracy_keeps_up() -> None:
    train = [(0.2, 94), (0.06, 98), (0.03, 99), (0.015, 99.5), (0.008, 99.8), (0.004, 99.9)]
    held = [(0.07, 98), (0.04, 98.8), (0.035, 99), (0.036, 99), (0.04, 99.1), (0.045, 99.1)]
    assert verdict(train, held) == "healthy"


def test_a_gap_of_three_points_needs_a_rising_loss() -> None:
    train = [(0.5, 80), (0.3, 88), (0.25, 90), (0.22, 91), (0.2, 91), (0.19, 91)]
    held = [(0.4, 82), (0.35, 86), (0.34, 86.5), (0.34, 86.5), (0.34, 86.6), (0.34, 86.6)]
    assert verdict(train, held) == "healthy"
    rising = [*held[:4], (0.38, 86.6), (0.40, 86.6)]
    assert verdict(train, rising) == "overfitting"


@pytest.mark.parametrize(("held", "expected"), [(90.1, "healthy"), (89.9, "overfitting")])
def test_a_gap_of_ten_points_is_enough(held: float, expected: str) -> None:
    assert verdict([(1.0, 100)] * 6, [(1.0, held)] * 6) == expected


def test_underfitting() -> None:
    flat = [(2.1, 24), (2.0, 29), (1.98, 30), (1.97, 30), (1.97, 30), (1.97, 30)]
    assert verdict(flat, flat) == "underfitting"
    reading = read_curves(history([(2.3, 10)] * 6, [(2.3, 10)] * 6), guessing=0.1)
    assert reading.verdict == "underfitting"
    assert "no better than guessing" in reading.because[0]


def test_half_of_the_way_depends_on_what_guessing_gives() -> None:
    curve = [(0.6, 70)] * 6
    assert verdict(curve, curve, guessing=0.1) == "healthy"
    assert verdict(curve, curve, guessing=0.5) == "underfitting"


def test_still_improving() -> None:
    assert verdict([(1.7, 38), (1.3, 53)], [(1.4, 50), (1.2, 57)]) == "still improving"
    assert verdict([(1.7, 38), (1.3, 53)]) == "still improving"
    assert verdict([(1.3, 70), (1.2, 72)], [(1.0, 71), (1.0, 73)]) == "healthy"


def test_diverged() -> None:
    assert verdict([(1.0, 60), (nan, 10)], [(1.0, 60), (nan, 10)]) == "diverged"
    assert verdict([(1.0, 60), (0.9, 61)], [(1.0, 60), (float("inf"), 10)]) == "diverged"
    assert verdict([(2.0, 30), (2.5, 12), (4.0, 10)], [(2.0, 30)] * 3) == "diverged"


def test_too_short() -> None:
    assert verdict([(1.0, 60)], [(1.0, 60)]) == "too short"
    assert verdict([]) == "too short"


def test_without_anything_held_out() -> None:
    train = [(0.5, 80), (0.3, 90), (0.12, 99), (0.1, 99), (0.1, 99), (0.1, 99)]
    assert verdict(train, test_accuracy=0.7) == "overfitting"
    assert verdict(train, test_accuracy=0.97) == "healthy"
    blind = read_curves(history(train), guessing=0.1)
    assert blind.verdict == "healthy"
    assert "nothing was held out" in blind.because[0]
    assert any("validation" in advice for advice in blind.advice)


def test_every_verdict_has_a_rule() -> None:
    assert read_curves(history(BARE_TRAIN, BARE_HELD), guessing=0.1).rule == RULES["overfitting"]
    assert set(RULES) == {"diverged", "too short", "overfitting", "still improving", "underfitting", "healthy"}


def test_one_class_alone_is_no_division_by_zero() -> None:
    assert verdict([(0.5, 100), (0.1, 100)], guessing=1.0) == "healthy"
    assert verdict([(0.5, 90), (0.1, 90)], guessing=1.0) == "underfitting"
