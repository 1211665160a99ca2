"""`cnnspec export`"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from cnnspec.cli.common import FILE, input_option, load, model_option, set_option
from cnnspec.cli.running import explained, weights_option
from cnnspec.requires import require

if TYPE_CHECKING:
    from cnnspec.training.export import Exported, Subject

DYNAMIC = "dynamic"


def _batch(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    if value == DYNAMIC:
        return None
    if not value.isdigit() or value.strip("0") == "":
        raise click.BadParameter(f"{value} is neither a whole number from 1 nor {DYNAMIC}")
    return int(value)


@click.command(short_help="Write a network, or a run with its weights, as ONNX or safetensors.")
@click.argument("what", metavar="FILE|RUN", type=FILE)
@click.option("--onnx", metavar="OUT.onnx", type=click.Path(path_type=Path), help="Write an ONNX file.")
@click.option(
    "--safetensors",
    metavar="OUT.safetensors",
    type=click.Path(path_type=Path),
    help="Write the weights, by their names in PyTorch.",
)
@click.option(
    "--batch",
    default=DYNAMIC,
    callback=_batch,
    metavar="N|dynamic",
    help="Samples that ONNX takes at once: any number by default.",
)
@click.option("--opset", type=click.IntRange(min=18), help="Of ONNX; the one that PyTorch writes by default.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of fresh weights, for a FILE.")
@weights_option
@model_option
@set_option
@input_option
def command(
    what: str,
    onnx: Path | None,
    safetensors: Path | None,
    batch: int | None,
    opset: int | None,
    seed: int,
    weights: Literal["best", "last"],
    model: str | None,
    overrides: tuple[str, ...],
    input_shape: str | None,
) -> None:
    """Write the network of FILE with fresh weights, or that of the folder RUN with the trained ones.

    The network is in evaluation mode: no dropout, the kept statistics of batchnorm, no side outputs. It takes samples
    that are scaled as in training. Exit code 0: written; 1: errors, or an export that computes something else; 2: wrong
    usage.
    """
    if not onnx and not safetensors:
        raise click.UsageError("say what to write: --onnx OUT.onnx, --safetensors OUT.safetensors, or both")
    run = Path(what).is_dir()
    if run and (model or overrides or input_shape):
        raise click.UsageError(
            "a run has its model, its settings and its input: --model, --set and --input are for files"
        )
    for out in filter(None, (onnx, safetensors)):
        if not out.absolute().parent.is_dir():
            raise click.UsageError(f"{out} cannot be written: there is no folder {out.parent}")
    network = None if run else load(what, model, overrides, input_shape)
    with explained():
        if onnx:
            require("onnx", "onnxscript")
        from cnnspec.training import export

        subject = export.fresh(network, seed) if network else export.of_run(Path(what), weights)
        click.echo(f"{subject.network.name}: {subject.origin}")
        if safetensors:
            click.echo(_line(export.to_safetensors(subject, safetensors)))
        if onnx:
            for line in _told(export.to_onnx(subject, onnx, batch=batch, opset=opset), subject, batch):
                click.echo(line)


def _line(written: Exported) -> str:
    from cnnspec.report.summary_text import size

    return f"{written.path}: {size(written.bytes)}"


def _told(written: Exported, subject: Subject, batch: int | None) -> Iterator[str]:
    shape = subject.network.input.written
    yield _line(written)
    yield f"  takes {batch or 'any number of'} samples of {shape} as input"
    if "mean" in subject.about:
        yield "  scaled as in training: the metadata has the mean and the std"
    yield f"  checked with {written.check}" if written.check else "  not checked: onnxruntime is not installed"
