"""`cnnspec diff`"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnspec.cli.color import color_option, use_color
from cnnspec.cli.common import FILE, input_option, parse_overrides, set_option
from cnnspec.cli.revisions import AtRevision, is_revision, shown, source
from cnnspec.diagnostics import SpecError
from cnnspec.network import Checked, Network, UsageFault, check, read_source
from cnnspec.network.reading import INSTEAD, ZOO
from cnnspec.source import Source

if TYPE_CHECKING:
    from cnnspec.report.diff import Difference

DASHES = "cnnspec.dashes"


class Dashed(click.Command):
    """Remembers whether `--` stood before the last argument: click takes it out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[DASHES] = "--" in args
        return super().parse_args(ctx, args)


class Pairs:
    """The models of two files: those compared, and those only one file has."""

    def __init__(self, compared: Sequence[Difference], added: Sequence[str], removed: Sequence[str]) -> None:
        self.compared, self.added, self.removed = compared, added, removed

    @property
    def differ(self) -> bool:
        return bool(self.added or self.removed or any(not each.equal for each in self.compared))


@click.command(
    cls=Dashed,
    short_help="Say what was changed between two networks, or two revisions of one.",
    epilog="Exit code 0: compared; 1: a file has faults; 2: wrong usage.",
)
@click.argument("what", metavar="A B | [REV [REV]] -- FILE", nargs=-1, required=True, type=FILE)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="Which model, where a file has several; given twice: of A, and of B.",
)
@set_option
@input_option
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
@click.option("--exit-code", is_flag=True, help="Exit with 1 where something differs, as git diff does.")
@click.option("--git", is_flag=True, help="Take the seven arguments of git's diff.<driver>.command.")
@click.option("--textconv", is_flag=True, help="Print FILE as lines that git can compare: diff.<driver>.textconv.")
@color_option
def command(
    what: tuple[str, ...],
    models: tuple[str, ...],
    overrides: tuple[str, ...],
    input_shape: str | None,
    form: str,
    exit_code: bool,
    git: bool,
    textconv: bool,
) -> None:
    """Say what was changed between two networks: layers, what they cost, and why.

    A and B are files, networks of the zoo (zoo:resnet18), or files in a revision of git as git names them
    (HEAD~1:net.cnn). FILE alone is compared with what is staged, REV -- FILE with that revision, REV REV -- FILE in
    both revisions.
    """
    if git or textconv:
        from cnnspec.cli import git_driver

        (git_driver.difference if git else git_driver.lines)(what)
        return
    INSTEAD.set(AtRevision())
    try:
        one, other = _sources(what, click.get_current_context().meta[DASHES])
        given = parse_overrides(overrides), input_shape
        pairs = compared(_checked(one, *given), _checked(other, *given), models)
    except UsageFault as fault:
        raise click.UsageError(str(fault)) from None
    click.echo(rendered(pairs, form), color=use_color(sys.stdout))
    sys.exit(int(exit_code and pairs.differ))


def _checked(source: Source, overrides: dict[str, str], input_shape: str | None) -> Checked:
    return check(source, set=overrides, input=input_shape)


# ------------------------------------------------------------------------------------------------------------- files


def _sources(what: Sequence[str], dashes: bool) -> tuple[Source, Source]:
    """The two texts. Without `--` a name that is no revision, or also that of a file, is a file."""
    *revisions, file = what
    if not dashes and len(what) == 2 and (_readable(what[0]) or not is_revision(what[0])):
        return _read(what[0]), _read(what[1])
    if len(revisions) == 1 and ".." in revisions[0] and not is_revision(revisions[0]):
        revisions = [end or "HEAD" for end in revisions[0].split("..", 1)]
    if len(revisions) > 2:
        raise UsageFault(f"two files are compared, or a file in two revisions; {len(what)} names are given")
    if not revisions and file.startswith(ZOO):
        raise UsageFault(f"{file} has no revisions: name the network that it is to be compared with")
    before = source(revisions[0] if revisions else "", file)
    return before, source(revisions[1], file) if len(revisions) == 2 else read_source(file)


def _readable(name: str) -> bool:
    return name == "-" or name.startswith(ZOO) or Path(name).exists()


def _read(name: str) -> Source:
    """A file, or `REV:PATH` where there is no file of that name."""
    if _readable(name):
        return read_source(name)
    if ":" not in name:
        raise UsageFault(f"{name} is neither a file nor a revision of git")
    return Source(name, shown(name))


# ------------------------------------------------------------------------------------------------------------ models


def compared(before: Checked, after: Checked, models: Sequence[str] = ()) -> Pairs:
    """Models with the same name, or the only ones; raises `SpecError` with the faults of both files."""
    from cnnspec.report.diff import compare

    faults = tuple(dict.fromkeys([*before.errors, *after.errors]))
    if faults:
        raise SpecError(faults)
    ones, others = ({network.name: network for network in each.networks} for each in (before, after))
    if models:
        named = (_named(ones, models[0], before), _named(others, models[-1], after))
        return Pairs([compare(*named)], [], [])
    if len(ones) == len(others) == 1:
        return Pairs([compare(*ones.values(), *others.values())], [], [])
    both = [name for name in ones if name in others]
    if not both:
        raise UsageFault(_unclear(before, after))
    added, removed = ([name for name in each if name not in both] for each in (others, ones))
    return Pairs([compare(ones[name], others[name]) for name in both], added, removed)


def _named(networks: dict[str, Network], name: str, checked: Checked) -> Network:
    if name not in networks:
        raise UsageFault(f"there is no model {name} in {checked.source.name}; there are {', '.join(networks)}")
    return networks[name]


def _unclear(before: Checked, after: Checked) -> str:
    told = [f"{each.source.name} has {', '.join(n.name for n in each.networks) or 'none'}" for each in (before, after)]
    return f"no model is in both files: {'; '.join(told)}; choose with --model NAME, once for each file"


# ------------------------------------------------------------------------------------------------------------ output


def rendered(pairs: Pairs, form: str) -> str:
    if form == "json":
        from cnnspec.report.diff.document import as_json

        return as_json(pairs.compared, pairs.added, pairs.removed)
    from cnnspec.report.diff.text import as_markdown, as_text

    differing = [each for each in pairs.compared if not each.equal]
    if not pairs.differ:
        differing = [*pairs.compared[:1]]
    if form == "markdown":
        texts = [as_markdown(each) for each in differing]
    else:
        color = use_color(sys.stdout)
        texts = [as_text(each, color=color) for each in differing]
    equal = [each.after.network.name for each in pairs.compared if each not in differing]
    return "\n\n".join([*texts, *_others("added", pairs.added), *_others("removed", pairs.removed), *_same(equal)])


def _others(what: str, names: Sequence[str]) -> Iterable[str]:
    if names:
        yield f"{'models' if len(names) > 1 else 'model'} {what}: {', '.join(names)}"


def _same(names: Sequence[str]) -> Iterable[str]:
    if names:
        yield f"nothing differs in {', '.join(names)}"
