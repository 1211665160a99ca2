"""`cnnspec eval`"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cnnspec.cli.common import FILE
from cnnspec.cli.running import data_dir_option, dataset, device_option, explained, format_option, weights_option

if TYPE_CHECKING:
    from cnnspec.training import Evaluation


@click.command(short_help="Measure a finished run on its test set again.")
@click.argument("run", type=FILE)
@weights_option
@click.option("--data", metavar="DATA", help="Another data set with the same classes, as in a spec or as a path.")
@data_dir_option
@device_option
@format_option
def command(run: str, weights: str, data: str | None, data_dir: str | None, device: str | None, form: str) -> None:
    """Measure a finished RUN (its folder) on the test set again, class by class."""
    with explained():
        from cnnspec.training import evaluate

        found = evaluate(
            run,
            weights="last" if weights == "last" else "best",
            data=dataset(data) if data else None,
            data_dir=data_dir,
            device=device,
        )
    if form == "json":
        click.echo(json.dumps(as_json(run, found), indent=2))
    else:
        for line in lines(found):
            click.echo(line)


def as_json(run: str, found: Evaluation) -> dict[str, Any]:
    return {
        "run": run,
        "weights": found.weights,
        "epoch": found.epoch,
        "data": found.data,
        "samples": sum(total for _, total in found.measured.per_class),
        "loss": found.measured.loss,
        "accuracy": found.measured.accuracy,
        "views": found.views,
        "recorded_accuracy": found.recorded.accuracy if found.recorded else None,
        "classes": [
            {"name": name, "samples": total, "right": right, "accuracy": right / total if total else None}
            for name, (right, total) in zip(found.classes, found.measured.per_class, strict=True)
        ],
        "confusion": found.measured.confusion,
    }


def lines(found: Evaluation) -> Iterator[str]:
    measured = found.measured
    total = sum(samples for _, samples in measured.per_class)
    yield f"{found.weights} weights, from epoch {found.epoch}, on the {total:,} test samples of {found.data}"
    for message in found.messages:
        yield f"  {message}"
    yield ""
    width = max(map(len, ("class", *found.classes)))
    yield f"{'class'.ljust(width)}   samples   right   accuracy   mostly taken for"
    for label, (name, (right, samples)) in enumerate(zip(found.classes, measured.per_class, strict=True)):
        share = f"{right / samples * 100:.1f} %" if samples else "-"
        yield f"{name.ljust(width)}   {samples:7,}   {right:5,}   {share:>8}   {mistake(found, label)}".rstrip()
    yield ""
    over = f", mean over {found.views} views of each sample" if found.views > 1 else ""
    yield f"loss {measured.loss:.4f}, accuracy {measured.accuracy * 100:.2f} %{over}"
    if found.recorded:
        same = found.recorded.accuracy == measured.accuracy and found.recorded.loss == measured.loss
        figures = f"loss {found.recorded.loss:.4f}, accuracy {found.recorded.accuracy * 100:.2f} %"
        yield f"the run recorded {'the same' if same else figures}"


def mistake(found: Evaluation, label: int) -> str:
    """The class that samples of a class are most often mistaken for, and how often."""
    wrong = {
        name: n
        for i, (name, n) in enumerate(zip(found.classes, found.measured.confusion[label], strict=True))
        if i != label
    }
    name = max(wrong, key=lambda name: wrong[name])
    return f"{name} ({wrong[name]:,})" if wrong[name] else ""
