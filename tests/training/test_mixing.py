from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")
scipy_stats = pytest.importorskip("scipy.stats")

from torch.nn import functional as F  # noqa: E402

from cnnspec.network import Network  # noqa: E402
from cnnspec.recipe import CutMix, Mixup  # noqa: E402
from cnnspec.training import objective as o  # noqa: E402
from cnnspec.training.mixing import MEAN, PATCH, Mixed, beta, blended, decided, in_pairs, main  # noqa: E402

Make = Callable[..., Network]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.4, 1.0, 2.5])
def test_shares_follow_the_beta_distribution(alpha):
    share = torch.linspace(0.001, 0.999, 301, dtype=torch.float64)
    expected = scipy_stats.beta.ppf(share.numpy(), alpha, alpha)
    assert abs(beta(alpha, share).numpy() - expected).max() < 2e-5
    assert beta(alpha, torch.tensor([0.0, 1.0])).tolist() == [0, 1]


def test_each_sample_is_mixed_one_way_as_often_as_asked():
    draws = torch.rand(20_000, 4, generator=seeded())
    found = decided((Mixup(0.4), CutMix(1.0, p=0.5)), draws)
    kinds = found[:, 0].long().bincount(minlength=3) / len(found)
    assert kinds.tolist() == pytest.approx([0.25, 0.5, 0.25], abs=0.02)
    means = found[found[:, 0] == MEAN, 1]
    assert scipy_stats.kstest(means.numpy(), "beta", args=(0.4, 0.4)).pvalue > 1e-3
    assert set(found[found[:, 0] == 0, 1].tolist()) == {1.0}


def test_the_partner_is_the_sample_before_whatever_the_pieces():
    order = torch.randperm(10, generator=seeded())
    for size in (1, 3, 10):
        pairs = torch.cat(in_pairs(order, torch.split(order, size))).view(-1, 2)
        assert torch.equal(pairs[:, 0], order)
        assert torch.equal(pairs[:, 1], order.roll(1))


def one_cutmix(x, other, share, down, right):
    """Of a single image, as torchvision's `v2.CutMix` makes its box."""
    height, width = x.shape[1:]
    half = 0.5 * (1 - share) ** 0.5
    high, wide, row, column = int(half * height), int(half * width), int(down * height), int(right * width)
    top, bottom = max(row - high, 0), min(row + high, height)
    left, end = max(column - wide, 0), min(column + wide, width)
    out = x.clone()
    out[:, top:bottom, left:end] = other[:, top:bottom, left:end]
    return out, 1 - (bottom - top) * (end - left) / (height * width)


@pytest.mark.parametrize("size", [(12, 9), (8, 8)])
def test_images_are_mixed_one_by_one(size):
    x, other = torch.rand(2, 300, 3, *size, generator=seeded())
    how = decided((Mixup(0.5), CutMix(1.0, p=0.7)), torch.rand(300, 4, generator=seeded(1)))
    found, shares = blended(x, other, how)
    seen = set()
    for i in range(len(x)):
        kind, share, down, right = how[i].tolist()
        if kind == MEAN:
            expected, wanted = x[i] * share + other[i] * (1 - share), share
        elif kind == PATCH:
            expected, wanted = one_cutmix(x[i], other[i], share, down, right)
        else:
            expected, wanted = x[i], 1.0
        torch.testing.assert_close(found[i], expected)
        assert shares[i].item() == pytest.approx(wanted, abs=1e-6)
        seen.add(kind)
    assert len(seen) == 3


def test_vectors_are_mixed_too():
    x, other = torch.rand(2, 5, 7, generator=seeded())
    how = decided((Mixup(1.0),), torch.rand(5, 4, generator=seeded(1)))
    found, shares = blended(x, other, how)
    torch.testing.assert_close(found, shares[:, None] * x + (1 - shares[:, None]) * other)


OBJECTIVES = {
    "scores": (o.CROSS_ENTROPY, lambda s: s, 4),
    "softmax": (o.CROSS_ENTROPY_OF_PROBABILITIES, lambda s: s.softmax(1), 4),
    "log_softmax": (o.NEGATIVE_LOG_LIKELIHOOD, lambda s: s.log_softmax(1), 4),
    "sigmoid": (o.ONE_AGAINST_REST, lambda s: s.sigmoid(), 4),
    "one score": (o.BINARY, lambda s: s[:, :1], 2),
    "one probability": (o.BINARY_OF_PROBABILITIES, lambda s: s[:, :1].sigmoid(), 2),
}


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_loss_of_two_labels_is_the_mean_of_both(name, smoothing):
    objective, outputs, classes = OBJECTIVES[name]
    objective = o.smoothed(objective, smoothing)
    given = outputs(torch.randn(6, 4, generator=seeded()))
    first, second = torch.arange(6) % classes, torch.arange(6).add(1) % classes
    share = torch.rand(6, generator=seeded(1))
    expected = sum(
        share[i] * objective.loss(given[i : i + 1], first[i : i + 1])
        + (1 - share[i]) * objective.loss(given[i : i + 1], second[i : i + 1])
        for i in range(6)
    )
    torch.testing.assert_close(o.loss_of(objective, given, Mixed(first, second, share)), expected / 6)
    torch.testing.assert_close(o.loss_of(objective, given, first), objective.loss(given, first))


def test_mixed_labels_are_torchs_soft_labels():
    scores, share = torch.randn(6, 4, generator=seeded()), torch.rand(6, generator=seeded(1))
    first, second = torch.arange(6) % 4, torch.arange(6).add(1) % 4
    soft = share[:, None] * F.one_hot(first, 4) + (1 - share[:, None]) * F.one_hot(second, 4)
    objective = o.smoothed(o.CROSS_ENTROPY, 0.1)
    expected = F.cross_entropy(scores, soft, label_smoothing=0.1)
    torch.testing.assert_close(o.loss_of(objective, scores, Mixed(first, second, share)), expected)


def test_training_accuracy_counts_the_larger_part():
    labels = Mixed(torch.tensor([0, 1, 2]), torch.tensor([3, 4, 5]), torch.tensor([0.7, 0.3, 0.5]))
    assert main(labels).tolist() == [0, 4, 2]
    assert main(torch.tensor([1, 2])).tolist() == [1, 2]


def test_what_is_mixed_does_not_depend_on_the_batch(network: Make):
    """A rate that changes next to nothing: the training loss over an epoch is that of the first weights."""
    from cnnspec.training.loop import fit
    from cnnspec.training.plan import plan_run, seeded_model
    from cnnspec.training.state import begin

    def first(**settings: object):
        net = network(optimizer="sgd(lr=1e-12)", mix="[mixup, cutmix]", augment="[crop(1), flip]", **settings)
        plan = plan_run(net, "cpu", None)
        model = seeded_model(plan.network, 0, torch.device("cpu"))
        return next(fit(begin(model, plan.data, plan.recipe), plan.data, plan.recipe, plan.objective))

    whole, small, added = first(batch=5000), first(batch=64), first(batch=50, accumulate=3)
    assert whole.train_loss == pytest.approx(small.train_loss, rel=1e-5)
    assert whole.train_loss == pytest.approx(added.train_loss, rel=1e-5)
    assert whole.train_accuracy == small.train_accuracy == added.train_accuracy
    assert first(batch=64, seed=1).train_loss != pytest.approx(small.train_loss, rel=1e-5)
