"""Pictures of a run, as PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import ceil, isfinite, sqrt

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from torch import Tensor, nn

from cnnspec.network.model import Network, PlacedLayer
from cnnspec.training.history import Epoch, best_epoch
from cnnspec.training.watch import Look

COLORS = {"training": "#1f5fa8", "validation": "#d9541e", "test": "#7a7a7a"}

MOST_FILTERS = 64
MOST_ANNOTATED = 20
MOST_EPOCHS = 6
MOST_NAMED = 60


def png(figure: Figure) -> bytes:
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, bbox_inches="tight", pad_inches=0.15)
    return buffer.getvalue()


# -------------------------------------------------------------------------------------------------------- curves


def curves(history: Sequence[Epoch], title: str, test_accuracy: float | None) -> bytes:
    """Loss and accuracy over the epochs; a line marks the best epoch, a star the accuracy on the test set."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    figure.suptitle(title)
    loss, accuracy = figure.subplots(1, 2)
    _curve(loss, history, "loss")
    _curve(accuracy, history, "accuracy")
    loss.set(title="Loss", ylabel="loss", ylim=(0, None))
    accuracy.set(title="Accuracy", ylabel="accuracy")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    if test_accuracy is not None:
        best = best_epoch(history).epoch
        label = f"test, best epoch: {test_accuracy:.1%}"
        accuracy.plot([best], [test_accuracy], "*", color="black", markersize=11, label=label, zorder=3)
    for axes in (loss, accuracy):
        axes.legend(frameon=False)
    return png(figure)


def _curve(axes: Axes, history: Sequence[Epoch], what: str) -> None:
    epochs = [epoch.epoch for epoch in history]
    for name, prefix in (("training", "train"), ("validation", "validation"), ("test", "test")):
        values = [getattr(epoch, f"{prefix}_{what}") for epoch in history]
        if None not in values:
            axes.plot(epochs, values, "o-", color=COLORS[name], markersize=3.5, linewidth=1.6, label=name)
    best = best_epoch(history).epoch
    axes.axvline(best, color="black", linewidth=0.8, linestyle=":", label=f"best epoch: {best}", zorder=0)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


# ----------------------------------------------------------------------------------------------------- confusion


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], title: str) -> bytes:
    """What each class of the test set was taken for. Colours are shares of the row, figures are counts."""
    table = np.array(counts)
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    side = float(np.clip(2.2 + 0.45 * len(classes), 4.2, 13))
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(image, fraction=0.046, pad=0.03, format=PercentFormatter(1))
    bar.set_label("share of the true class")
    axes.set(title=title, xlabel="taken for", ylabel="true class")
    size = 9 if len(classes) <= MOST_ANNOTATED else 5
    axes.set_xticks(range(len(classes)), classes, rotation=0 if _short(classes) else 60, fontsize=size)
    if not _short(classes):
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes, fontsize=size)
    axes.set_xticks(np.arange(len(classes) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(classes) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="#d8dee6", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    if len(classes) <= MOST_ANNOTATED:
        _annotate(axes, table, shares)
    return png(figure)


def _short(classes: Sequence[str]) -> bool:
    return len(classes) <= MOST_ANNOTATED and max(map(len, classes)) <= 3


def _annotate(axes: Axes, table: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(table):
        if count:
            color = "white" if shares[row, column] > 0.55 else "black"
            axes.text(column, row, f"{count}", ha="center", va="center", color=color, fontsize=8)


# ------------------------------------------------------------------------------------------------------- filters


def filters(network: Network, model: nn.Module) -> bytes | None:
    """The weights of the first convolution or linear layer; None where there is none.

    Filters that look at a picture are shown as pictures, all others as rows of one table."""
    first = next((placed for placed in network.layers if _has_filters(placed)), None)
    if first is None:
        return None
    weight = model.get_parameter(f"{first.path}.weight").detach().cpu().contiguous()
    tiles = _tiles(weight, first, network)
    name = f"{first.layer.word} {first.path} of {network.name}"
    return _table(weight.flatten(1), name) if tiles is None else _pictures(tiles, name)


def _has_filters(placed: PlacedLayer) -> bool:
    return placed.layer.word in ("conv", "linear") and not placed.side


def _tiles(weight: Tensor, first: PlacedLayer, network: Network) -> Tensor | None:
    """[N, C, H, W], where the filters can be seen as pictures."""
    if weight.dim() == 4:
        return weight
    flattened = first.input.rank == 0 and first.input.elements == network.input.elements
    if network.input.rank == 2 and flattened and network.layers[0].layer.word == "flatten":
        return weight.view(-1, *network.input.sizes)
    return None


def _pictures(tiles: Tensor, name: str) -> bytes:
    shown = tiles[:MOST_FILTERS]
    columns = ceil(sqrt(len(shown) * 1.6))
    rows = ceil(len(shown) / columns)
    figure = Figure(figsize=(max(5.0, 0.75 * columns), 0.75 * rows + 1.0), layout="constrained")
    for axes, tile in zip(
        figure.subplots(rows, columns, squeeze=False).flat, _padded(shown, rows * columns), strict=True
    ):
        axes.set_axis_off()
        if tile is not None:
            _picture(axes, tile)
    count = f"{len(shown)} filters" if len(shown) == len(tiles) else f"the first {len(shown)} of {len(tiles)} filters"
    figure.suptitle(f"{name}: {count}\n{_legend(tiles.shape[1])}", fontsize=9)
    return png(figure)


def _padded(tiles: Tensor, count: int) -> list[Tensor | None]:
    return [*tiles, *[None] * (count - len(tiles))]


def _legend(channels: int) -> str:
    if channels == 3:
        return "in colour; each filter is scaled to its own range"
    averaged = "" if channels == 1 else f"mean over {channels} channels; "
    return averaged + "blue is negative, white zero, red positive; each filter is scaled to its own range"


def _picture(axes: Axes, tile: Tensor) -> None:
    if tile.shape[0] == 3:
        low, high = tile.min(), tile.max()
        axes.imshow(((tile - low) / (high - low).clamp_min(1e-12)).permute(1, 2, 0).numpy())
    else:
        flat = tile.mean(0)
        most = max(float(flat.abs().max()), 1e-12)
        axes.imshow(flat.numpy(), cmap="RdBu_r", vmin=-most, vmax=most)


def _table(weight: Tensor, name: str) -> bytes:
    rows, columns = weight.shape
    figure = Figure(
        figsize=(float(np.clip(2.5 + 0.3 * columns, 4.5, 12)), float(np.clip(1.5 + 0.14 * rows, 3, 12))),
        layout="constrained",
    )
    axes = figure.subplots()
    most = max(float(weight.abs().max()), 1e-12)
    image = axes.imshow(weight.numpy(), cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
    figure.colorbar(image).set_label("weight")
    axes.set_title(name, fontsize=9)
    axes.set(xlabel="input", ylabel="output")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return png(figure)


# -------------------------------------------------------------------------------------------------------- layers


def layers(looks: Sequence[Look], title: str) -> bytes:
    """Size of outputs and gradients and the dead units along the network, a line per epoch: the later the darker."""
    epochs = sorted({look.epoch for look in looks})
    shown = [epochs[round(at)] for at in np.linspace(0, len(epochs) - 1, min(len(epochs), MOST_EPOCHS))]
    names = [f"{look.layer} {look.kind}" for look in looks if look.epoch == epochs[-1]]
    figure = Figure(figsize=(float(np.clip(4 + 0.28 * len(names), 7, 20)), 8.2), layout="constrained")
    figure.suptitle(title)
    panels = figure.subplots(3, 1, sharex=True)
    colors = colormaps["viridis_r"](np.linspace(0.15, 1, len(shown)))
    for color, epoch in zip(colors, shown, strict=True):
        these = [look for look in looks if look.epoch == epoch]
        for axes, what in zip(panels, ("activation", "ratio", "dead"), strict=True):
            values = [getattr(look, what) for look in these]
            places = [place for place, value in enumerate(values) if value is not None and isfinite(value)]
            heights = [values[place] for place in places]
            axes.plot(places, heights, "o-", color=color, markersize=3, linewidth=1.2, label=f"epoch {epoch}")
    for axes, label in zip(panels, ("mean |output|", "|gradient| / |weight|", "dead units"), strict=True):
        axes.set_ylabel(label)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[:2]:
        axes.set_yscale("log")
    panels[2].set_ylim(-0.03, 1.03)
    panels[2].yaxis.set_major_formatter(PercentFormatter(1))
    if len(names) <= MOST_NAMED:
        panels[2].set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
    panels[0].legend(frameon=False, fontsize=8, ncols=len(shown))
    return png(figure)
