"""A run in words and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from cnnspec.data.parts import Data
from cnnspec.lint.idle import idle
from cnnspec.network.grouping import sorts_of
from cnnspec.recipe import Recipe
from cnnspec.recipe.names import Chosen
from cnnspec.report.summary_text import size
from cnnspec.training.device import device_name
from cnnspec.training.history import Epoch
from cnnspec.training.reading import Reading, percent
from cnnspec.training.state import State, batches, per_step
from cnnspec.training.threads import too_small_to_share
from cnnspec.training.transfer import about_start
from cnnspec.training.transform import about_own
from cnnspec.training.watch import in_words
from cnnspec.words import counted

if TYPE_CHECKING:
    from cnnspec.training.ending import Run
    from cnnspec.training.plan import Plan

WIDTH = 100


def opening(plan: Plan, folder: Path) -> Iterator[str]:
    """What is about to be trained on what."""
    config, messages = plan.config, plan.data.messages
    samples, settings = config.samples, config.train
    yield f"network   {config.model}, {config.parameters:,} parameters, input {config.input}"
    yield (
        f"data      {config.data_name}, {counted(len(config.classes), 'class')}: {samples.train:,} samples to train, "
        f"{samples.validation:,} to validate, {samples.test:,} to test"
    )
    for message in messages:
        yield f"          {message}"
    if (step := per_step(plan.recipe)) > samples.train:
        yield f"          a step of {step:,} is more than there is: every step takes all {samples.train:,}"
    named = ["optimizer", "schedule", "batch", "epochs", "seed"]
    named += [
        name
        for name in ("accumulate", "clip", "label_smoothing", "ema", "patience")
        if settings.get(name, "none") not in ("none", "0.0") and (name, settings[name]) != ("accumulate", "1")
    ]
    yield f"recipe    {', '.join(f'{name} {settings[name]}' for name in named)}"
    if settings["augment"] != "[]":
        yield f"augment   {settings['augment'].strip('[]')}"
    yield from about_own(plan)
    yield from recipe_lines(plan.recipe)
    yield from of_little_effect(plan)
    yield from about_start(plan)
    yield f"loss      {config.loss}"
    alone = too_small_to_share(plan.network, plan.portion, plan.device)
    yield f"device    {device_name(plan.device)}{', on one thread: the steps are too small for more' if alone else ''}"
    yield from together(plan)
    yield f"precision {config.precision}, {plan.why_precision}"
    if config.deterministic:
        yield f"repeats   bit for bit, {'as ever on the CPU' if plan.device.type == 'cpu' else 'with --deterministic'}"
    yield f"folder    {folder}"
    yield ""


def together(plan: Plan) -> Iterator[str]:
    """Where several processes train together, what each does, and what differs from one alone."""
    size, batch = plan.team.size, plan.recipe.batch
    if size == 1:
        return
    machines = "" if plan.team.local_size == size else ", on several machines"
    yield f"together  {size} processes{machines}; each takes about {max(1, batch // size)} samples of {batch}"
    there = {placed.layer.word for placed in plan.network.layers}
    if "batchnorm" in there:
        yield "          batchnorm takes mean and deviation over the samples of one process"
    if random := sorted(there & DRAWING):
        yield f"          {' and '.join(random)}: each process draws numbers of its own"
    if plan.device.type == "cuda":
        yield "          steps are launched kernel by kernel, not recorded as a CUDA graph"


DRAWING = {"dropout", "channel_dropout", "alpha_dropout", "feature_alpha_dropout", "stochastic_depth", "rrelu"}


def feeding(data: Data) -> Iterator[str]:
    """Where the samples are, if not all on the device."""
    if data.train.x.device != data.mean.device:
        yield f"samples   {size(data.train.x.nbytes)} that {data.mean.device} has no room for come to it in blocks"


def recipe_lines(recipe: Recipe) -> Iterator[str]:
    """What a recipe has beside the usual, without what is left to defaults."""
    for name, words in (("groups", recipe.groups), ("mix", recipe.mix), ("init", recipe.init), ("views", recipe.views)):
        if words:
            yield f"{name:<10}{', '.join(map(str, words))}"
        if words and name in NOTES:
            yield f"          {NOTES[name]}"


def of_little_effect(plan: Plan) -> Iterator[str]:
    """Settings that have little to say in this run, or nothing."""
    recipe, samples = plan.recipe, plan.config.samples
    if recipe.patience is not None and not samples.validation:
        yield "patience  without effect: it counts epochs on the validation part, and nothing is held back"
    steps = recipe.epochs * -(-samples.train // per_step(recipe))
    if recipe.ema and (first := recipe.ema ** (steps - 1)) > MOST_OF_THE_FIRST:
        yield f"ema       the weights of the first step make up {first:.0%} of the mean after {counted(steps, 'step')}"
    sorts = sorts_of(plan.network.root.items)
    for name, words in (("groups", recipe.groups), ("init", recipe.init)):
        for word in words:
            if isinstance(word, Chosen) and not any(word.holds(*each) for each in sorts.items()):
                yield f"{name:<10}{word} holds nothing here"
    for one in idle(plan.network):
        yield f"{one.setting:<9} {one.message}"


MOST_OF_THE_FIRST = 0.1
"""A running mean of which the first weights make up more has hardly begun."""


NOTES = {
    "mix": "training accuracy counts the class that makes up most of a mixed sample",
    "views": "on validation and test outputs are means over these views of each sample",
}


def place(state: State, recipe: Recipe) -> str:
    """Where a run is."""
    if state.epoch > recipe.epochs:
        return f"after epoch {recipe.epochs}, the last one"
    if not state.step:
        return f"before epoch {state.epoch} of {recipe.epochs}"
    steps = len(batches(state.order, per_step(recipe)))
    return f"in epoch {state.epoch} of {recipe.epochs}, after step {state.step} of {steps}"


def interrupted(state: State, recipe: Recipe) -> str:
    return f"interrupted {place(state, recipe)}; everything is saved"


def stopped_at_once(state: State) -> str:
    return f"stopped at once; {saved(state)}"


def saved(state: State) -> str:
    return f"what came of {counted(state.saved, 'epoch')} is saved" if state.saved else "no epoch is saved yet"


def epoch_line(epoch: Epoch, epochs: int) -> str:
    """One line per epoch, while the run goes on."""
    parts = [f"epoch {epoch.epoch:>{len(str(epochs))}}/{epochs}"]
    for name, loss, accuracy in (
        ("training", epoch.train_loss, epoch.train_accuracy),
        ("validation", epoch.validation_loss, epoch.validation_accuracy),
        ("test", epoch.test_loss, epoch.test_accuracy),
    ):
        if loss is not None and accuracy is not None:
            parts.append(f"{name} loss {loss:.4f} accuracy {percent(accuracy)}")
    return "   ".join([*parts, f"{epoch.seconds:.1f} s"])


def closing(run: Run) -> Iterator[str]:
    """The table at the end, the test, and what the curves say."""
    yield ""
    if run.history and run.best:
        yield from table(run.history, run.best)
        yield ""
        yield f"the best epoch is {run.best.epoch}: {chosen_by(run.history)}"
        if run.status == "finished" and len(run.history) < int(run.config.train["epochs"]):
            patience = counted(int(run.config.train["patience"]), "epoch")
            yield f"training ended early: none was better in {patience} after it"
    if run.test and run.best:
        right = sum(run.test.confusion[label][label] for label in range(len(run.test.confusion)))
        yield (
            f"test set, measured once, with the weights of epoch {run.best.epoch}: loss {run.test.loss:.4f}, "
            f"accuracy {run.test.accuracy * 100:.2f} % ({right:,} of {run.config.samples.test:,}){over(run.views)}"
        )
    if run.late_test_accuracy is not None:
        late = len(run.history[-3:])
        mean = f"{run.late_test_accuracy * 100:.2f} %"
        yield f"test set, recorded after every epoch: accuracy {mean}, the mean of the last {late}"
    trained = sum(epoch.seconds for epoch in run.history)
    yield f"time: {run.seconds:.1f} s in all: {run.preparing:.1f} s to prepare, {trained:.1f} s of training steps"
    yield ""
    yield from reading_lines(run.reading)
    for lead, text in in_words(run.looks):
        yield from _indented(text, lead)


def over(views: int) -> str:
    """That outputs are means, where they are."""
    return f", mean over {views} views of each sample" if views > 1 else ""


def table(history: Sequence[Epoch], best: Epoch) -> Iterator[str]:
    """The first, the best and the last epoch."""
    rows = [("", "epoch", "training loss", "accuracy", "validation loss", "accuracy", "seconds")]
    for name, epoch in (("first", history[0]), ("best", best), ("last", history[-1])):
        rows.append(
            (
                name,
                f"{epoch.epoch}",
                *_pair(epoch.train_loss, epoch.train_accuracy),
                *_pair(epoch.validation_loss, epoch.validation_accuracy),
                f"{epoch.seconds:.1f}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        yield "   ".join(cells)
        if number == 0:
            yield "   ".join("-" * width if width else "" for width in widths)


def _pair(loss: float | None, accuracy: float | None) -> tuple[str, str]:
    return ("-", "-") if loss is None or accuracy is None else (f"{loss:.4f}", percent(accuracy))


def chosen_by(history: Sequence[Epoch]) -> str:
    if not history:
        return "no epoch was finished"
    if history[-1].validation_accuracy is None:
        return "the last one, because there is no validation part to choose by"
    return "the highest accuracy on the validation part (of equals the lowest loss); the test set had no say"


def reading_lines(reading: Reading) -> Iterator[str]:
    yield f"reading of the curves: {reading.verdict.upper()}"
    for fact in reading.because:
        yield from _indented(fact, "  because ")
    for advice in reading.advice:
        yield from _indented(advice, "  try     ")
    yield from _indented(reading.rule, "  rule    ")


def _indented(text: str, lead: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead))
