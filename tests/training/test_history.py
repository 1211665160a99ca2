from __future__ import annotations

from cnnspec.training.history import Epoch, best_epoch


def epoch(number: int, loss: float | None, accuracy: float | None, test: float | None = None) -> Epoch:
    return Epoch(number, 0.1, 1.0, 0.5, loss, accuracy, test and 1.0, test, 1.0)


def test_the_best_epoch_has_the_highest_validation_accuracy() -> None:
    assert best_epoch([epoch(1, 0.5, 0.8), epoch(2, 0.6, 0.9), epoch(3, 0.4, 0.85)]).epoch == 2


def test_of_equals_the_lowest_loss_and_then_the_earliest() -> None:
    assert best_epoch([epoch(1, 0.5, 0.9), epoch(2, 0.4, 0.9), epoch(3, 0.4, 0.9)]).epoch == 2


def test_without_a_validation_part_the_last_whatever_the_test_set_says() -> None:
    assert best_epoch([epoch(1, None, None, 0.9), epoch(2, None, None, 0.5)]).epoch == 2


def test_the_test_set_has_no_say() -> None:
    assert best_epoch([epoch(1, 0.5, 0.9, 0.1), epoch(2, 0.5, 0.8, 0.99)]).epoch == 1
