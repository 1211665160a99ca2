"""Whether output is coloured, by the conventions that other programs follow."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

GREEN, RED, CYAN, BOLD = "32", "31", "36", "1"


def color_option(command: Decorated) -> Decorated:
    about = "When to colour: on a terminal (auto), always or never; NO_COLOR and FORCE_COLOR are obeyed."
    return click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        expose_value=False,
        callback=_keep,
        help=about,
    )(command)


def _keep(ctx: click.Context, param: click.Parameter, value: str) -> None:
    """Where `use_color` finds it, and click: which strips colours where it sees no terminal unless told not to."""
    ctx.meta["cnnspec.color"] = value


def use_color(stream: Any) -> bool:
    """`--color` decides, then NO_COLOR, FORCE_COLOR or CLICOLOR_FORCE, then CLICOLOR=0 and TERM=dumb, then whether the
    stream is a terminal (no-color.org, bixense.com/clicolors)."""
    context = click.get_current_context(silent=True)
    when = context.meta.get("cnnspec.color", "auto") if context else "auto"
    if when != "auto":
        return bool(when == "always")
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if os.environ.get("CLICOLOR") == "0" or os.environ.get("TERM") == "dumb":
        return False
    return bool(stream.isatty())


def painted(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m"
