"""`cnnspec port`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from cnnspec.cli.common import fail, put

if TYPE_CHECKING:
    from cnnspec.porting import Ported
    from cnnspec.porting.source import Made, Named


@click.command(short_help="Write the spec of a model that exists in PyTorch.")
@click.argument("source")
@click.option(
    "--input", "shape", metavar="SHAPE", help="What goes in, 3x32x32 for instance. Models of a package have one."
)
@click.option("--name", help="The name of the model in the spec.")
@click.option("--run", is_flag=True, help="Run the file without asking: porting runs the code that it ports.")
@click.option("--compare/--no-compare", default=True, help="Whether numbers are put through both at the end.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write to this file, and replace it if it exists."
)
def command(source: str, shape: str | None, name: str | None, run: bool, compare: bool, output: Path | None) -> None:
    """Write the spec of a model that exists in PyTorch.

    SOURCE is torchvision:resnet18, timm:resnet18, or a class or function in a file of Python: model.py:Net, or
    model.py:Net(width=32). The spec goes to standard output; what was compared, and what could not be expressed, to
    standard error.

    The exit code is 1 where something could not be expressed. The rest is ported all the same.
    """
    from cnnspec.requires import require

    require("torch")
    from cnnspec.porting import NotPortable, port_module

    wanted = _named(source)
    _agree(wanted, run)
    try:
        made = _made(wanted)
        sizes = _sizes(shape, made)
        origin = wanted.text if not wanted.file else f"{Path(wanted.file).name}:{wanted.name}"
        called = name or wanted.name.rpartition(".")[2]
        ported = port_module(made.module, sizes, name=called, origin=origin, facts=made.facts, numbers=compare)
    except NotPortable as fault:
        fail(f"{source}: {fault}")
    put(ported.text, output)
    for line in report(ported):
        click.echo(line, err=True)
    sys.exit(0 if ported.whole or (not compare and ported.fits) else 1)


def _named(source: str) -> Named:
    from cnnspec.porting.source import SourceFault, named

    try:
        return named(source)
    except SourceFault as fault:
        raise click.UsageError(f"{fault}\n{fault.help}".strip()) from None


def _agree(wanted: Named, run: bool) -> None:
    """Nothing of a file runs before someone has said so."""
    if not wanted.runs or run:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"porting would run {wanted.runs}\nsay --run if that is what you want")
    click.echo(f"Porting runs {wanted.runs}.", err=True)
    if not click.confirm("Run it?", err=True):
        fail("nothing was run")


def _made(wanted: Named) -> Made:
    from cnnspec.porting.source import SourceFault, made

    try:
        return made(wanted)
    except SourceFault as fault:
        _refuse(str(fault), fault.help)


def _refuse(message: str, help: str) -> NoReturn:
    fail(message, *([help] if help else []), code=2)


def _sizes(shape: str | None, made: Made) -> tuple[int, ...]:
    """What --input says, or what the package knows."""
    if shape is None and made.sizes is None:
        raise click.UsageError("what goes in is not known\nsay it: --input 3x32x32")
    if shape is None:
        return made.sizes or ()
    try:
        sizes = tuple(map(int, shape.lower().split("x")))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise click.UsageError(f"--input takes sizes without the batch, 3x32x32; {shape} is none")
    return sizes


def report(ported: Ported) -> list[str]:
    """What is there, what was compared, and what is missing, line by line."""
    lines = len(ported.text.splitlines())
    found = [f"{ported.name}: {lines} lines, {ported.compared}"]
    if ported.notes:
        places = list(dict.fromkeys(map(str, ported.notes)))
        found += [f"not everything could be expressed ({len(places)}):", *(f"  {place}" for place in places)]
    if ported.errors:
        found.append("the check refuses it:")
        found += [f"  line {error.span.line}: {error.message}" for error in ported.errors]
    return found
