from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnspec.data.parts import Data, Part
from cnnspec.network import Network
from cnnspec.recipe import Constant, Crop, Flip, Recipe, Sgd
from cnnspec.training import loop
from cnnspec.training.chance import Chance
from cnnspec.training.error import Diverged
from cnnspec.training.history import Epoch
from cnnspec.training.loop import batches, fit, measure, prepare
from cnnspec.training.objective import CROSS_ENTROPY, objective_of
from cnnspec.training.plan import plan_run, seeded_model
from cnnspec.training.state import begin

Make = Callable[..., Network]
CPU = torch.device("cpu")


def trained(network: Network, **settings: object) -> tuple[dict[str, Tensor], list[Epoch]]:
    plan = plan_run(network, "cpu", None)
    recipe = plan.recipe.replace(**settings)
    model = seeded_model(network, recipe.seed, CPU)
    state = begin(model, plan.data, recipe)
    for epoch in fit(state, plan.data, recipe, plan.objective):
        state.remember(epoch)
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}, state.history


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_batches() -> None:
    def sizes(total: int, batch: int) -> list[int]:
        return [len(piece) for piece in batches(torch.arange(total), batch)]

    assert sizes(10, 4) == [4, 4, 2]
    assert sizes(9, 4) == [4, 5]
    assert sizes(3, 4) == [3]
    assert sizes(1, 4) == [1]
    assert sizes(3, 1) == [1, 1, 1]
    assert torch.cat(list(batches(torch.arange(9), 4))).tolist() == list(range(9))


def test_the_same_seed_gives_the_same_run_bit_by_bit(network: Make) -> None:
    settings = {"augment": (Crop(padding=1), Flip()), "epochs": 2}
    first, history = trained(network(), **settings)
    again, repeated = trained(network(), **settings)
    assert same(first, again)
    assert [replace(e, seconds=0) for e in history] == [replace(e, seconds=0) for e in repeated]
    other, _ = trained(network(seed=1), **settings)
    assert not same(first, other)


def test_the_state_of_the_global_generator_does_not_matter(network: Make) -> None:
    text = "model D { input 1x8x8\n flatten, dropout(0.5), linear(10) }\ntrain { epochs: 1 }"
    torch.manual_seed(5)
    first, _ = trained(network(text))
    torch.manual_seed(6)
    assert same(first, trained(network(text))[0])


def test_a_run_is_that_of_a_plain_loop(network: Make) -> None:
    """Written down as a lesson would, with a data set in order and SGD."""
    net = network(optimizer="sgd(lr=0.1)", schedule="constant", epochs=2, batch=50)
    found, history = trained(net)

    data = plan_run(net, "cpu", None).data
    model = seeded_model(net, 0, CPU)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in (1, 2):
        losses, hits = 0.0, 0
        for chosen in Chance(0, len(data.train), 0).order(epoch).split(50):
            x = (data.train.x[chosen].float() / 255 - data.mean.view(1, 1, 1, 1)) / data.std.view(1, 1, 1, 1)
            outputs = model(x)
            loss = F.cross_entropy(outputs, data.train.y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += loss.item() * len(chosen)
            hits += int((outputs.argmax(1) == data.train.y[chosen]).sum())
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-4, atol=1e-5)
    assert history[-1].train_loss == pytest.approx(losses / len(data.train), rel=1e-4)
    assert history[-1].train_accuracy == pytest.approx(hits / len(data.train), abs=2 / len(data.train))


def test_clipped_gradients_are_those_of_torch(network: Make) -> None:
    net = network(optimizer="sgd(lr=0.5)", epochs=1, batch=200, clip=0.1, label_smoothing=0.1)
    found, history = trained(net)
    data = plan_run(net, "cpu", None).data
    model = seeded_model(net, 0, CPU)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    shortened = 0
    for chosen in Chance(0, len(data.train), 0).order(1).split(200):
        loss = F.cross_entropy(
            model(prepare(data.train.x[chosen], data.mean, data.std)), data.train.y[chosen], label_smoothing=0.1
        )
        optimizer.zero_grad()
        loss.backward()
        shortened += int(torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1) > 0.1)
        optimizer.step()
    assert shortened > 3
    assert same(found, dict(model.state_dict()))
    assert not same(found, trained(network(optimizer="sgd(lr=0.5)", epochs=1, batch=200, label_smoothing=0.1))[0])
    assert len(history) == 1


@pytest.mark.parametrize("settings", [{}, {"clip": 0.3, "label_smoothing": 0.1, "mix": "mixup"}])
def test_accumulated_passes_are_one_larger_step(network: Make, settings: dict[str, object]) -> None:
    """1,294 samples: the last step and its last pass are smaller."""
    common = {"optimizer": "sgd(lr=0.1, momentum=0.9)", "schedule": "cosine", "epochs": 2, **settings}
    added, history = trained(network(batch=50, accumulate=4, **common))
    whole, expected = trained(network(batch=200, **common))
    for name, tensor in whole.items():
        torch.testing.assert_close(added[name], tensor, rtol=1e-3, atol=1e-5)
    assert history[-1].train_loss == pytest.approx(expected[-1].train_loss, rel=1e-4)
    assert not same(added, trained(network(batch=50, **common))[0])


def test_the_mean_of_the_weights_is_that_of_torch(network: Make) -> None:
    """It is measured and kept, and training itself goes on without it."""
    text = "model B { input 1x8x8\n conv(4, 3), batchnorm, relu, flatten, linear(10) }"
    net = network(text, optimizer="sgd(lr=0.1)", epochs=1, batch=100)
    plan = plan_run(net, "cpu", None)
    with_mean = plan.recipe.replace(ema=0.8)
    state = begin(seeded_model(net, 0, CPU), plan.data, with_mean)
    for epoch in fit(state, plan.data, with_mean, plan.objective):
        state.remember(epoch)

    model = seeded_model(net, 0, CPU)
    mean = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.8), use_buffers=True
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for chosen in batches(Chance(0, len(plan.data.train), 0).order(1), 100):
        outputs = model(prepare(plan.data.train.x[chosen], plan.data.mean, plan.data.std))
        optimizer.zero_grad()
        F.cross_entropy(outputs, plan.data.train.y[chosen]).backward()
        optimizer.step()
        mean.update_parameters(model)
    assert same(dict(state.model.state_dict()), dict(model.state_dict()))
    assert same(state.best, dict(mean.module.state_dict()))
    assert not same(state.best, dict(model.state_dict()))
    assert plan.data.validation is not None
    found = measure(mean.module, plan.data.validation, plan.data, plan.objective, 100)
    assert state.history[0].validation_loss == found.loss


def test_patience_ends_training(network: Make) -> None:
    """A learning rate that changes next to nothing: no epoch is better than the first for long."""
    _, history = trained(network(optimizer="sgd(lr=1e-12)", epochs=9, patience=2))
    assert len(history) == 3
    _, history = trained(network(epochs=3, patience=1, validation=0))
    assert len(history) == 3


def test_training_never_sees_the_test_set(network: Make) -> None:
    """A test set of nonsense changes nothing."""
    plan = plan_run(network(epochs=1), "cpu", None)
    noise = Part(torch.randint(256, plan.data.test.x.shape, dtype=torch.uint8), plan.data.test.y.flip(0))
    states = []
    for data in (plan.data, replace(plan.data, test=noise)):
        model = seeded_model(plan.network, 0, CPU)
        history = list(fit(begin(model, data, plan.recipe), data, plan.recipe, plan.objective))
        assert history[0].test_accuracy is None
        states.append((model.state_dict(), replace(history[0], seconds=0)))
    assert same(states[0][0], states[1][0])
    assert states[0][1] == states[1][1]


def test_recording_the_test_set_changes_nothing_else(network: Make) -> None:
    plan = plan_run(network(epochs=2), "cpu", None)
    plain = seeded_model(plan.network, 0, CPU)
    list(fit(begin(plain, plan.data, plan.recipe), plan.data, plan.recipe, plan.objective))
    recorded = seeded_model(plan.network, 0, CPU)
    history = list(
        fit(begin(recorded, plan.data, plan.recipe), plan.data, plan.recipe, plan.objective, test_every_epoch=True)
    )
    assert all(epoch.test_accuracy is not None for epoch in history)
    assert same(dict(plain.state_dict()), dict(recorded.state_dict()))


def test_no_part_shares_a_sample_and_the_seed_moves_only_validation(network: Make) -> None:
    net = network()
    first, other = (plan_run(network(seed=seed), "cpu", None).data for seed in (0, 1))
    assert len(first.train) + len(first.validation or ()) + len(first.test) == 1797
    assert torch.equal(first.test.x, other.test.x)
    assert first.validation is not None
    assert other.validation is not None
    assert not torch.equal(first.validation.x, other.validation.x)
    assert plan_run(network(validation=0), "cpu", None).data.validation is None
    assert net.recipe is not None


def test_one_epoch_has_every_sample_once(monkeypatch: pytest.MonkeyPatch, network: Make) -> None:
    plan = plan_run(network(epochs=1, batch=100), "cpu", None)
    seen: list[Tensor] = []

    def spy(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        seen.append(x)
        return prepare(x, mean, std)

    monkeypatch.setattr(loop, "prepare", spy)
    data = replace(plan.data, validation=None)
    list(fit(begin(seeded_model(plan.network, 0, CPU), data, plan.recipe), data, plan.recipe, plan.objective))
    assert torch.cat(seen).long().sum() == plan.data.train.x.long().sum()
    assert sum(map(len, seen)) == len(plan.data.train)


def test_a_loss_that_is_not_finite_ends_the_run(network: Make) -> None:
    with pytest.raises(Diverged, match="no longer a finite number in epoch 1"):
        trained(network(optimizer="sgd(lr=1e30)"))


def test_batchnorm_survives_a_single_sample_at_the_end(network: Make) -> None:
    text = """
    model B { input 2
      linear(4), batchnorm, relu, linear(2) }
    train { data: random(2, 2, samples=81)
      validation: 0
      epochs: 1
      batch: 16 }"""
    plan = plan_run(network(text), "cpu", None)
    assert len(plan.data.train) % 16 == 1
    assert len(trained(network(text))[1]) == 1


def test_a_batch_larger_than_the_data_is_one_step(network: Make) -> None:
    assert len(trained(network(batch=5000, epochs=1))[1]) == 1


def test_measure_counts() -> None:
    """A network that names the class its one feature tells."""
    model = torch.nn.Sequential(torch.nn.Identity())
    x = torch.eye(3)[[0, 1, 2, 2, 0]] * 10
    part = Part(x, torch.tensor([0, 1, 2, 1, 1]))
    data = Data(part, None, part, ("a", "b", "c"), torch.zeros(3), torch.ones(3))
    found = measure(model, part, data, CROSS_ENTROPY, 1)
    assert found.confusion == [[1, 0, 0], [1, 1, 1], [0, 0, 1]]
    assert found.per_class == [(1, 1), (1, 3), (1, 1)]
    assert found.accuracy == pytest.approx(0.6)
    assert found.loss == pytest.approx(F.cross_entropy(x, part.y).item(), rel=1e-5)
    assert measure(model, part, data, CROSS_ENTROPY, 50).loss == pytest.approx(found.loss, rel=1e-5)


def test_layout_and_scale(network: Make) -> None:
    x = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).view(2, 3, 4, 4)
    ready = prepare(x, torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.5, 0.5, 0.25]))
    assert ready.is_contiguous(memory_format=torch.channels_last)
    assert ready[1, 2, 3, 3] == pytest.approx((95 / 255 - 0.3) / 0.25, rel=1e-5)
    weight = seeded_model(network(), 0, CPU).get_parameter("0.weight")
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_points_are_learned(network: Make) -> None:
    text = """
    model P { input 2
      linear(32), relu, linear(32), relu, linear(1) }
    train { data: circles
      optimizer: adam(lr=0.01)
      batch: 32
      epochs: 15 }"""
    history = trained(network(text))[1]
    assert max(epoch.validation_accuracy or 0 for epoch in history) > 0.9


def test_random_labels_are_not(network: Make) -> None:
    text = """
    model R { input 1x6x6
      flatten, linear(4) }
    train { data: random(1x6x6, 4, samples=1000)
      epochs: 2 }"""
    assert trained(network(text))[1][-1].validation_accuracy == pytest.approx(0.25, abs=0.13)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_gpu_trains_as_the_cpu_does(network: Make) -> None:
    plan = plan_run(network(epochs=2, optimizer="sgd(lr=0.1)"), "cpu", None)
    from cnnspec.training.plan import on_device

    losses = []
    for device in (CPU, torch.device("cuda")):
        model = seeded_model(plan.network, 0, device)
        there = on_device(plan.data, device)
        history = list(fit(begin(model, there, plan.recipe), there, plan.recipe, plan.objective))
        losses.append(history[-1].train_loss)
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


def test_defaults_of_a_spec_without_train(network: Make) -> None:
    net = network("model D { input 1x8x8\n flatten, linear(10) }")
    assert net.recipe == Recipe()
    assert objective_of(net) is CROSS_ENTROPY
    assert isinstance(Recipe().schedule, Constant)
    assert not isinstance(Recipe().optimizer, Sgd)
