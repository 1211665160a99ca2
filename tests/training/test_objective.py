from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from cnnspec.network import Network
from cnnspec.training import objective as o
from cnnspec.training.error import TrainError

Make = Callable[..., Network]

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, -3.0]])
Y = torch.tensor([0, 2])
LOGIT = torch.tensor([[1.5], [-0.5]])
Y2 = torch.tensor([1, 0])


def ending(make: Make, outputs: int, last: str) -> Network:
    data = f"random(2, {max(2, outputs)})"
    return make(f"model M {{\n  input 2\n  linear({outputs}){last}\n}}\ntrain {{\n  data: {data}\n}}\n")


@pytest.mark.parametrize(
    ("outputs", "last", "expected"),
    [
        (3, "", o.CROSS_ENTROPY),
        (3, ", relu", o.CROSS_ENTROPY),
        (3, ", softmax", o.CROSS_ENTROPY_OF_PROBABILITIES),
        (3, ", softmax, identity", o.CROSS_ENTROPY_OF_PROBABILITIES),
        (3, ", softmax, linear(3)", o.CROSS_ENTROPY),
        (3, ", log_softmax", o.NEGATIVE_LOG_LIKELIHOOD),
        (3, ", sigmoid", o.ONE_AGAINST_REST),
        (1, "", o.BINARY),
        (1, ", sigmoid", o.BINARY_OF_PROBABILITIES),
        (3, ", dropout(0.5)", o.CROSS_ENTROPY),
        (1, ", dropout(0.5)", o.BINARY),
        (3, ", relu, dropout, identity", o.CROSS_ENTROPY),
        (3, ", softmax, linear(3), dropout", o.CROSS_ENTROPY),
    ],
)
def test_the_loss_follows_the_output(network: Make, outputs: int, last: str, expected: o.Objective) -> None:
    assert o.objective_of(ending(network, outputs, last)) is expected


@pytest.mark.parametrize("last", ["softmax", "log_softmax"])
def test_softmax_over_one_output_is_refused(network: Make, last: str) -> None:
    with pytest.raises(TrainError, match="the same number for every sample"):
        o.objective_of(ending(network, 1, f", {last}"))


@pytest.mark.parametrize("last", ["softmax", "log_softmax", "sigmoid", "sigmoid, identity"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_dropout_behind_probabilities_is_refused(network: Make, last: str, outputs: int) -> None:
    with pytest.raises(TrainError, match=f"dropout behind {last.split(',')[0]} changes the probabilities") as caught:
        o.objective_of(ending(network, outputs, f", {last}, dropout(0.5)"))
    assert caught.value.notes == ("write dropout before the last linear layer",)


@pytest.mark.parametrize(
    ("sizes", "last", "expected"),
    [
        ("4x1x1", "softmax, flatten", o.CROSS_ENTROPY_OF_PROBABILITIES),
        ("2x1x2", "softmax, flatten", o.CROSS_ENTROPY),
        ("1x1x4", "softmax(axis=last), flatten", o.CROSS_ENTROPY_OF_PROBABILITIES),
        ("2x1x2", "softmax(axis=last), flatten", o.CROSS_ENTROPY),
        ("2x1x2", "sigmoid, flatten", o.ONE_AGAINST_REST),
    ],
)
def test_only_a_softmax_over_all_outputs_gives_probabilities(
    network: Make, sizes: str, last: str, expected: o.Objective
) -> None:
    made = network(f"model M {{\n  input {sizes}\n  {last}\n}}\ntrain {{\n  data: random({sizes}, 4)\n}}\n")
    assert o.objective_of(made) is expected


def test_all_ways_to_write_cross_entropy_agree() -> None:
    expected = F.cross_entropy(LOGITS, Y)
    torch.testing.assert_close(o.CROSS_ENTROPY.loss(LOGITS, Y), expected)
    torch.testing.assert_close(o.CROSS_ENTROPY_OF_PROBABILITIES.loss(LOGITS.softmax(1), Y), expected)
    torch.testing.assert_close(o.NEGATIVE_LOG_LIKELIHOOD.loss(LOGITS.log_softmax(1), Y), expected)


def test_both_ways_to_write_binary_cross_entropy_agree() -> None:
    expected = F.cross_entropy(torch.cat((torch.zeros_like(LOGIT), LOGIT), 1), Y2)
    torch.testing.assert_close(o.BINARY.loss(LOGIT, Y2), expected)
    torch.testing.assert_close(o.BINARY_OF_PROBABILITIES.loss(LOGIT.sigmoid(), Y2), expected)


def test_probabilities_add_up_to_one() -> None:
    for objective, outputs in (
        (o.CROSS_ENTROPY, LOGITS),
        (o.CROSS_ENTROPY_OF_PROBABILITIES, LOGITS.softmax(1)),
        (o.NEGATIVE_LOG_LIKELIHOOD, LOGITS.log_softmax(1)),
        (o.ONE_AGAINST_REST, LOGITS.sigmoid()),
        (o.BINARY, LOGIT),
        (o.BINARY_OF_PROBABILITIES, LOGIT.sigmoid()),
    ):
        shares = objective.probabilities(outputs)
        torch.testing.assert_close(shares.sum(1), torch.ones(2))
    assert o.BINARY.probabilities(LOGIT).argmax(1).tolist() == [1, 0]


def test_a_certain_error_has_a_finite_loss() -> None:
    sure = torch.tensor([[1.0, 0.0]], requires_grad=True)
    loss = o.CROSS_ENTROPY_OF_PROBABILITIES.loss(sure, torch.tensor([1]))
    loss.backward()
    assert loss.isfinite()
    assert sure.grad is not None
    assert sure.grad.isfinite().all()


@pytest.mark.parametrize(
    ("objective", "outputs"),
    [(o.CROSS_ENTROPY, 4), (o.NEGATIVE_LOG_LIKELIHOOD, 4), (o.CROSS_ENTROPY_OF_PROBABILITIES, 4)],
)
def test_smoothed_labels_are_those_of_torch(objective: o.Objective, outputs: int) -> None:
    scores, y = torch.randn(9, outputs, generator=torch.Generator().manual_seed(0)), torch.arange(9) % outputs
    expected = F.cross_entropy(scores, y, label_smoothing=0.2)
    given = {o.CROSS_ENTROPY: scores, o.NEGATIVE_LOG_LIKELIHOOD: scores.log_softmax(1)}.get(
        objective, scores.softmax(1)
    )
    torch.testing.assert_close(o.smoothed(objective, 0.2).loss(given, y), expected)
    assert o.smoothed(objective, 0.0) is objective


def test_smoothed_labels_of_binary_losses() -> None:
    """They are linear in the target, so the target can be smoothed itself."""
    scores, y = torch.randn(9, 1, generator=torch.Generator().manual_seed(0)), torch.arange(9) % 2
    target = y.float() * 0.8 + 0.1
    found = o.smoothed(o.BINARY, 0.2).loss(scores, y)
    torch.testing.assert_close(found, F.binary_cross_entropy_with_logits(scores.squeeze(1), target))
    many, labels = torch.rand(9, 4, generator=torch.Generator().manual_seed(1)), torch.arange(9) % 4
    found = o.smoothed(o.ONE_AGAINST_REST, 0.2).loss(many, labels)
    torch.testing.assert_close(found, F.binary_cross_entropy(many, F.one_hot(labels, 4) * 0.8 + 0.05))
