"""The training loop, from top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from time import perf_counter

import torch
from torch import Tensor, nn
from tqdm import tqdm  # type: ignore[import-untyped]

from cnnspec.analysis.learning import frozen
from cnnspec.data.parts import Data, Part
from cnnspec.network.model import Network
from cnnspec.recipe import Recipe
from cnnspec.training.augment import augment, normalise
from cnnspec.training.between import require_finite
from cnnspec.training.capture import Quick
from cnnspec.training.compiling import Compiling
from cnnspec.training.distributed import ALONE, Team
from cnnspec.training.error import Diverged
from cnnspec.training.feeding import on_the_device, within_reach
from cnnspec.training.freezing import let_learn
from cnnspec.training.history import Epoch, tired
from cnnspec.training.mixing import Mixed, in_pairs, main, mixed
from cnnspec.training.objective import Objective, loss_of, smoothed
from cnnspec.training.optim import Plateau
from cnnspec.training.precision import Precision, computing
from cnnspec.training.sides import Side, loss_of_sides, parted
from cnnspec.training.state import State, batches, columns_of, per_step
from cnnspec.training.transform import Own
from cnnspec.training.views import watched


def fit(
    state: State,
    data: Data,
    recipe: Recipe,
    objective: Objective,
    sides: Sequence[Side] = (),
    precision: Precision = "float32",
    test_every_epoch: bool = False,
    compiling: Compiling = "off",
    progress: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda line: None,
    team: Team = ALONE,
    plainly: bool = False,
    own: Own | None = None,
) -> Iterator[Epoch]:
    """Train from where `state` is, on the device of `data`; yields what was measured after each epoch.

    Side outputs take part in learning; what is measured is the output alone.

    The samples are bytes on the device. Nothing in a step waits for it: losses and hits are summed up there and read
    once per epoch. `say` is told how steps are made; `plainly` they are made as they are written. Ends early after the
    step in which `stopping()` has become true, and goes on from there with the same `state`. In a team each process
    takes a share of every step. A transform of one's `own` comes before the augmentation. Raises `Diverged` where the
    loss is no longer a finite number.
    """
    learnt = smoothed(objective, recipe.label_smoothing)
    sides = [replace(side, objective=smoothed(side.objective, recipe.label_smoothing)) for side in sides]

    size, pair = per_step(recipe), 2 if recipe.mix else 1
    samples = within_reach(data, columns_of(recipe), size * pair, own)

    def step(chosen: Tensor) -> None:
        """Learn from the samples at these places; where samples are mixed, the partner of each stands behind it."""
        state.optimizer.zero_grad()
        mine, count = team.share(chosen.view(-1, pair))
        for places in batches(mine, team.portion(recipe.batch)):
            x, y = look(places.flatten())
            with computing(precision, state.device):
                outputs, side_outputs = parted(state.model(x))
            loss = loss_of(learnt, outputs, y)
            counted = min(len(places), count)
            part = counted * pair / len(chosen)
            ((loss + loss_of_sides(sides, side_outputs, y)) * part).backward()  # type: ignore[no-untyped-call]
            state.loss += loss.detach() * counted
            state.hits += (objective.probabilities(outputs.detach()).argmax(1) == main(y))[:counted].sum()

        state.finite += state.loss.isfinite()
        team.add_gradients(state.model)
        if recipe.clip is not None:
            nn.utils.clip_grad_norm_(state.model.parameters(), recipe.clip)
        state.optimizer.step()
        state.follow()

    def look(places: Tensor) -> tuple[Tensor, Tensor | Mixed]:
        """The samples as the network takes them, and their labels."""
        x, y, draws = samples.x[places], samples.y[places], samples.draws[places]
        x = prepare(augment(x, recipe.augment, draws, data.mean), data.mean, data.std)
        return mixed(x, y, draws) if recipe.mix else (x, y)

    def held_back(part: Part | None) -> Measured | None:
        """How the network, or the mean of its weights, does on samples that it does not learn from."""
        seen = watched(state.kept, recipe.views, objective)
        return measure(seen, part, data, objective, recipe.batch, precision, team) if part else None

    learn = Quick(step, state, min(size, len(data.train)) * pair, compiling, team.size == 1 and not plainly)
    while state.epoch <= recipe.epochs and not stopping() and not tired(state.history, recipe.patience):
        if state.step == 0:
            state.begin_epoch()
        let_learn(state.model, state.optimizer, frozen(recipe, state.epoch))
        every = batches(state.order, size)
        left = in_pairs(state.order, every[state.step :]) if recipe.mix else every[state.step :]
        if learn.prepare(len(left) + (recipe.epochs - state.epoch) * len(every)):
            say(f"steps     {learn.about}")
        state.preparing = learn.seconds
        started = perf_counter()
        title = f"epoch {state.epoch}/{recipe.epochs}"
        bar = tqdm(total=len(left), desc=title, unit="step", leave=False, disable=not progress)
        for chosen in samples.batches(left, state.draws, state.epoch):
            learn(chosen)
            bar.update()
            state.schedule.step()
            state.step += 1
            state.seconds, started = state.seconds + perf_counter() - started, perf_counter()
            if stopping():
                break

        bar.close()
        train_loss = team.total(state.loss).item() / len(data.train)
        train_accuracy = team.total(state.hits).item() / len(data.train)
        state.seconds += perf_counter() - started
        if stopping():
            return

        require_finite(state, team)
        team.same(state.kept)
        validation = held_back(data.validation)
        test = held_back(data.test) if test_every_epoch else None
        if validation and not isfinite(validation.loss):
            raise Diverged(f"the loss on the validation part is no longer a finite number in epoch {state.epoch}")
        found = Epoch(
            state.epoch,
            state.learning_rate,
            train_loss,
            train_accuracy,
            *figures(validation),
            *figures(test),
            state.seconds,
        )
        if isinstance(state.schedule, Plateau):
            state.schedule.measured(validation.loss if validation else train_loss)
        state.end_epoch()
        yield found


def prepare(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Samples as the network takes them: floats with mean 0 and deviation 1, maps in the layout of the weights."""
    x = normalise(x, mean, std)
    return x.contiguous(memory_format=layout(x.dim(), x.device))


def placed(model: nn.Module, network: Network, device: torch.device) -> nn.Module:
    """The weights on a device, in the layout that convolutions are fastest in there."""
    return model.to(device, memory_format=layout(network.input.rank + 2, device))  # type: ignore[call-overload,no-any-return]


def layout(axes: int, device: torch.device) -> torch.memory_format:
    """Channels last for batches of maps, which have four axes; Metal gains nothing from it."""
    return torch.channels_last if axes == 4 and device.type != "mps" else torch.contiguous_format


@dataclass(frozen=True)
class Measured:
    """How a network does on a part of the data. `confusion[i][j]` counts the samples of class i named j."""

    loss: float
    accuracy: float
    confusion: list[list[int]]

    @property
    def per_class(self) -> list[tuple[int, int]]:
        """For each class, how many of its samples were named rightly, and how many there are."""
        return [(row[label], sum(row)) for label, row in enumerate(self.confusion)]


def figures(measured: Measured | None) -> tuple[float | None, float | None]:
    """Loss and accuracy."""
    return (measured.loss, measured.accuracy) if measured else (None, None)


@torch.inference_mode()
def measure(
    model: nn.Module,
    part: Part,
    data: Data,
    objective: Objective,
    batch: int,
    precision: Precision = "float32",
    team: Team = ALONE,
) -> Measured:
    """Loss and hits on `part`, without augmentation and with dropout at rest. No gradients are kept, so twice as
    many samples fit as in a step of training. The processes of a team measure a share each."""
    model.eval()
    classes = len(data.classes)
    loss = torch.zeros((), device=data.mean.device)
    confusion = torch.zeros(classes * classes, dtype=torch.int64, device=data.mean.device)
    for x, y in on_the_device(part, team.pieces(len(part), 2 * batch), data.mean.device):
        with computing(precision, x.device):
            outputs, _ = parted(model(prepare(x, data.mean, data.std)))
        named = objective.probabilities(outputs).argmax(1)
        loss += objective.loss(outputs, y) * len(y)
        confusion.index_add_(0, y * classes + named, torch.ones_like(y))  # bincount would wait for the device
    loss, table = team.total(loss), team.total(confusion).view(classes, classes)
    return Measured(loss.item() / len(part), table.trace().item() / len(part), table.tolist())
