"""The memory of training, as text and as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from cnnspec.analysis.learning import frozen
from cnnspec.analysis.optimizers import NAMED, name_in
from cnnspec.analysis.steps import PlacedJoin, Step, steps
from cnnspec.analysis.training import Held, Training, largest_batch, training_memory
from cnnspec.network.model import Network
from cnnspec.recipe import Recipe
from cnnspec.record import Record
from cnnspec.report.summary_text import size
from cnnspec.report.table import Column, aligned
from cnnspec.report.written import step_text
from cnnspec.words import together

Precision = Literal["float32", "bfloat16"]

COLUMNS = (
    Column("name", shrink=True),
    Column("layer", shrink=True),
    Column("output", shrink=True),
    Column("its output", numbers=True),
    Column("beside it", numbers=True),
    Column("share", numbers=True),
)
WIDTH = 118
MANY = 20
"""From more rows than this on only the largest are shown, unless all are asked for."""

NOTES = (
    "Its output: kept where this layer or one behind it needs it to compute gradients.",
    "Beside it: masks, indices, statistics, copies.",
)
CONVENTION = (
    "Bytes that PyTorch's caching allocator hands out on a GPU (torch.cuda.max_memory_allocated), in blocks of 512.",
    "On top of it come the CUDA context and libraries (some hundred MiB), workspaces of cuDNN and cuBLAS, what the",
    "allocator reserves ahead, and the data set, which `cnnspec train` keeps on the device: leave a tenth free.",
)


class Row(Record):
    """A layer or join, and what it holds."""

    step: Step
    held: Held

    @property
    def word(self) -> str:
        return self.step.node.kind if isinstance(self.step, PlacedJoin) else self.step.layer.word

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.step.path,
            "kind": self.word,
            "output": list(self.step.node.output.sizes),
            "output_bytes": self.held.output,
            "extra_bytes": self.held.extras,
        }


class Report(Record):
    """A network and the memory that training it takes. `fits` is the largest batch for a limit, where one was asked
    for. `str` gives what `cnnspec memory` prints."""

    network: Network
    training: Training
    limit: int | None = None
    fits: int | None = None

    def __str__(self) -> str:
        return as_text(self)

    @property
    def rows(self) -> list[Row]:
        """In the order they run."""
        return [Row(step, held) for step, held in zip(steps(self.network), self.training.steps, strict=True)]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; all sizes are bytes."""
        training, recipe = self.training, self.training.recipe
        found = {
            "model": self.network.name,
            "input": list(self.network.input.sizes),
            "batch": recipe.batch,
            "optimizer": name_in(recipe.optimizer),
            "precision": recipe.precision,
            "ema": bool(recipe.ema),
            "frozen": list(frozen(recipe, recipe.epochs)),
            "parameters": training.parameters,
            "buffers": training.buffers,
            "gradients": training.gradients,
            "optimizer_state": training.state,
            "running_mean": training.ema,
            "samples": training.batch,
            "kept_for_backward": training.activations,
            "peak": training.peak,
            "peaks": {
                "batch": training.batch_peak,
                "forward": training.forward_peak,
                "backward": training.backward_peak,
                "optimizer": training.optimizer_peak,
                "measuring": training.measuring_peak,
            },
            "layers": [row.as_dict() for row in self.rows],
        }
        return found if self.limit is None else found | {"limit": self.limit, "largest_batch": self.fits}


def recipe_of(
    network: Network, batch: int | None = None, optimizer: str | None = None, precision: Precision | None = None
) -> Recipe:
    """What is asked for, and beyond that what `train { }` says; float32 where that leaves the precision open. An
    optimizer goes by its name in `analysis.optimizers`. Raises ValueError for another name."""
    recipe = network.recipe or Recipe()
    settings = recipe.optimizer
    if optimizer and optimizer != name_in(settings):
        if optimizer not in NAMED:
            raise ValueError(f"{optimizer} is not an optimizer; there are {', '.join(NAMED)}")
        settings = NAMED[optimizer]
    if precision not in (None, "float32", "bfloat16"):
        raise ValueError(f"{precision} is not a precision; there are float32 and bfloat16")
    own = "bfloat16" if recipe.precision == "bfloat16" else "float32"
    return recipe.replace(batch=batch or recipe.batch, optimizer=settings, precision=precision or own)


def report(network: Network, recipe: Recipe, limit: int | None = None) -> Report:
    """With a limit in bytes, that of the largest batch that fits; of a batch of one where none does."""
    if limit is None:
        return Report(network, training_memory(network, recipe))
    fits = largest_batch(network, recipe, limit)
    return Report(network, training_memory(network, recipe.replace(batch=max(fits, 1))), limit, fits)


def as_text(report: Report, every: bool = False) -> str:
    network, training = report.network, report.training
    rows = [row for row in report.rows if row.held.bytes]
    shown = rows if every or len(rows) <= MANY else _largest(rows)
    lines = aligned(COLUMNS, [_cells(row, training.activations) for row in shown], WIDTH)
    left_out = [f"... and {len(rows) - len(shown)} smaller ones (--all shows them)"] if len(shown) < len(rows) else []
    sums = [f"{name:20}{amount:>12}  {about}".rstrip() for name, amount, about in totals(training)]
    head = f"{network.name}: training on {training.recipe.batch} x {network.input}"
    return "\n".join([head, "", *lines, *left_out, "", *NOTES, "", *sums, "", *_answer(report), "", *CONVENTION])


def _largest(rows: list[Row]) -> list[Row]:
    """In the order they run."""
    limit = sorted((row.held.bytes for row in rows), reverse=True)[MANY - 1]
    return [row for row in rows if row.held.bytes >= limit][:MANY]


def _cells(row: Row, whole: int) -> tuple[str, ...]:
    step, held = row.step, row.held
    sizes = (size(each) if each else "" for each in (held.output, held.extras))
    return (step.path, step_text(step), step.node.output.written, *sizes, f"{held.bytes / whole:.1%}")


MOMENTS = {
    "batch_peak": "while a batch is made of the samples",
    "forward_peak": "in the forward pass",
    "backward_peak": "in the backward pass",
    "optimizer_peak": "in the step of the optimizer",
    "measuring_peak": "where the network is measured, on twice as many samples at once",
}


def totals(training: Training) -> Iterator[tuple[str, str, str]]:
    """Names, sizes, and what is to be said of them."""
    recipe = training.recipe
    yield "parameters", size(training.parameters), "float32"
    yield "gradients", size(training.gradients), _learning(recipe)
    yield "optimizer", size(training.state), name_in(recipe.optimizer)
    if training.buffers:
        yield "buffers", size(training.buffers), "running statistics of norms"
    if training.ema:
        yield "running mean", size(training.ema), "of the weights and buffers"
    yield "batch", size(training.batch), f"{recipe.batch} samples and their labels"
    about = "in bfloat16 where layers compute in it" if recipe.precision == "bfloat16" else "float32"
    yield "kept for backward", size(training.activations), f"{about}; the rows above, and the loss"
    moment = max(MOMENTS, key=lambda name: getattr(training, name))
    yield "peak", size(training.peak), MOMENTS[moment]


def _learning(recipe: Recipe) -> str:
    """In words, what has none to the end, and what has them only from some epoch on."""
    never = frozen(recipe, recipe.epochs)
    later = [name for name in recipe.freeze if name not in never]
    if later:
        first = next(epoch for epoch in range(1, recipe.epochs + 1) if frozen(recipe, epoch) == never)
        return f"from epoch {first} on, when {together(later)} {'learns' if len(later) == 1 else 'learn'} too"
    return f"{together(never)} {'is' if len(never) == 1 else 'are'} frozen" if never else ""


def _answer(report: Report) -> Iterator[str]:
    training = report.training
    of_samples = (training.batch_peak, training.forward_peak, training.backward_peak, training.measuring_peak)
    more = max(of_samples) - training.fixed
    if report.limit is None:
        yield f"{size(training.fixed)} whatever the batch, and {size(more // training.recipe.batch)} for each sample"
    elif not report.fits:
        yield f"not even one sample fits into {size(report.limit)}: it takes {size(training.peak)}"
    else:
        left = report.limit - training.peak
        yield f"the largest batch that fits into {size(report.limit)} is {report.fits}; {size(left)} stay free"
