"""`cnnspec draw`"""

from __future__ import annotations

from pathlib import Path

import click

from cnnspec.cli.common import load, network_options, put

FORMS = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot"}


@click.command(short_help="Draw the network: as SVG, as Mermaid or as DOT.")
@network_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file: .svg, .mmd or .dot.")
@click.option(
    "--format", "form", type=click.Choice(["svg", "mermaid", "dot"]), help="What to print, where no file says it."
)
@click.option(
    "--depth", type=click.IntRange(min=0), help="How many levels of groups to open; by default what fits a page."
)
@click.option("--open", "opened", multiple=True, metavar="NAME", help="Open this group too: layer1, features.3.")
@click.option("--print", "printed", is_flag=True, help="SVG without the colours for dark screens.")
def command(
    file: str,
    model: str | None,
    overrides: tuple[str, ...],
    input_shape: str | None,
    output: Path | None,
    form: str | None,
    depth: int | None,
    opened: tuple[str, ...],
    printed: bool,
) -> None:
    """Draw the network of FILE: a box for each layer with what belongs to it, or for a group that is not opened; blocks
    that follow one another are drawn once; shapes stand beside the arrows. SVG by default."""
    from cnnspec.report.drawing import draw

    chosen = form or _form(output)
    network = load(file, model, overrides, input_shape)
    try:
        drawing = draw(network, depth=depth, open=opened)
    except ValueError as fault:
        raise click.UsageError(str(fault)) from None
    put(_text(drawing, chosen, printed), output)


def _form(output: Path | None) -> str:
    if output is None or str(output) == "-":
        return "svg"
    if output.suffix.lower() not in FORMS:
        raise click.UsageError(f"{output} ends in none of {', '.join(FORMS)}; say what it is with --format")
    return FORMS[output.suffix.lower()]


def _text(drawing: object, form: str, printed: bool) -> str:
    from cnnspec.report.drawing import Drawing, dot, mermaid, svg

    assert isinstance(drawing, Drawing)
    if form == "svg":
        return svg.as_svg(drawing, adapts=not printed)
    return mermaid.as_mermaid(drawing) if form == "mermaid" else dot.as_dot(drawing)
