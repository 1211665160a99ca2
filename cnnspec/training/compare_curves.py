"""The curves of several runs over one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cnnspec.training.plots import COLORS, png

if TYPE_CHECKING:
    from cnnspec.training.compare import Row

PALETTE = (COLORS["training"], COLORS["validation"], "#009e73", "#cc79a7", "#111111", "#56b4e9", "#e6ab02", "#7a1f3d")
"""Told apart also by those who see fewer colours; the markers say it a second time."""
MARKERS = "os^DvPX*"
STYLES = {"train": "--", "validation": "-"}
LONGEST_NAME = 44


def picture(rows: Sequence[Row]) -> bytes:
    """Loss and accuracy: a colour per row, training dashed, validation solid. Of several runs the mean is drawn, and
    behind it the band from the lowest to the highest."""
    entries = [Line2D([], [], **_look(at), label=_label(row)) for at, row in enumerate(rows)]
    columns = 1 if len(entries) > 4 and max(len(str(entry.get_label())) for entry in entries) > 40 else 2
    figure = Figure(figsize=(10, 4.6 + 0.22 * -(-len(entries) // columns)), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    for at, row in enumerate(rows):
        for part in STYLES:
            _curve(loss, row, f"{part}_loss", at)
            _curve(accuracy, row, f"{part}_accuracy", at)
    loss.set(title="Loss", ylabel="loss", ylim=(0, _highest_loss(rows)))
    accuracy.set(title="Accuracy", ylabel="accuracy")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    for axes in (loss, accuracy):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    parts = [Line2D([], [], color="#444444", linestyle="--", label="training")]
    parts.append(Line2D([], [], color="#444444", linestyle="-", label="validation"))
    accuracy.legend(handles=parts, frameon=False, loc="best")
    figure.legend(handles=entries, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    return png(figure)


def _look(at: int) -> dict[str, Any]:
    """Of the row with this number."""
    return {
        "color": PALETTE[at % len(PALETTE)],
        "marker": MARKERS[(at + at // len(PALETTE)) % len(MARKERS)],
        "markersize": 4,
        "linewidth": 1.6,
    }


def _label(row: Row) -> str:
    name = row.name if len(row.name) <= LONGEST_NAME else f"{row.name[: LONGEST_NAME - 3]}..."
    test = row.figures["test_accuracy"]
    if test is None:
        return f"{name}: {row.runs[0].ended.partition(':')[0] or 'not tested'}"
    if test.spread is None:
        return f"{name}: test {test.mean * 100:.1f} %"
    return f"{name}: n={len(row.runs)}, test {test.mean * 100:.1f} ± {test.spread * 100:.1f} %"


def _curve(axes: Axes, row: Row, what: str, at: int) -> None:
    """Each epoch is drawn from the runs that came so far."""
    table = _table(row, what)
    known = np.isfinite(table).any(0)
    if not known.any():
        return
    epochs = np.arange(1, table.shape[1] + 1)[known]
    table = table[:, known]
    look = _look(at)
    dashed = what.startswith("train")
    shown = (
        look | {"marker": "" if len(epochs) > 1 else "_", "linewidth": 1.2}
        if dashed
        else look | {"markevery": max(1, len(epochs) // 12)}
    )
    axes.plot(epochs, np.nanmean(table, 0), linestyle="--" if dashed else "-", **shown)
    if len(table) > 1 and not dashed:
        low, high = np.nanmin(table, 0), np.nanmax(table, 0)
        axes.fill_between(epochs, low, high, color=look["color"], alpha=0.15, linewidth=0)


def _table(row: Row, what: str) -> np.ndarray:
    """A line per run, a column per epoch; NaN where there is nothing, or nothing finite."""
    table = np.full((len(row.runs), max(len(run.history) for run in row.runs)), np.nan)
    for line, run in zip(table, row.runs, strict=True):
        values = [getattr(epoch, what) for epoch in run.history]
        line[: len(values)] = [np.nan if value is None else value for value in values]
    table[~np.isfinite(table)] = np.nan
    return table


def _highest_loss(rows: Sequence[Row]) -> float:
    """Twice the highest at the end of a first epoch, at most: a run that diverges must not press the others flat."""
    tables = [_table(row, f"{part}_loss") for row in rows for part in STYLES]
    all_of_them = np.concatenate([table.ravel() for table in tables])
    first = np.concatenate([table[:, :1].ravel() for table in tables])
    if not np.isfinite(first).any():
        return 1.0
    return float(1.05 * min(np.nanmax(all_of_them), 2 * np.nanmax(first))) or 1.0
