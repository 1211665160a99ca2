"""`cnnspec sweep`"""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from cnnspec.cli.common import FILE, fail, input_option, model_option, parse_overrides, set_option
from cnnspec.cli.devices import launched
from cnnspec.cli.running import data_dir_option, device_option, explained, tell
from cnnspec.cli.train import as_overrides, extra_options, how_options, require_alone, seeds_option, setting_options
from cnnspec.network.settings import alternatives
from cnnspec.words import counted

if TYPE_CHECKING:
    from cnnspec.training.compare import Row
    from cnnspec.training.compiling import Compiling
    from cnnspec.training.sweep import Ended


@click.command(short_help="Train a spec with several values of its settings, and with several seeds.")
@click.argument("file", type=FILE, required=False)
@click.option(
    "--over",
    "varied",
    multiple=True,
    metavar="NAME=LIST",
    help="What is varied, as with --set, and its values: train.batch=[64, 256] or width=[8, 16].",
)
@seeds_option
@click.option("--jobs", type=click.IntRange(1), default=1, help="Runs at a time, each in a process of its own.")
@model_option
@set_option
@input_option
@setting_options
@extra_options
@how_options
@data_dir_option
@device_option
@click.option("--out", metavar="DIR", help="Folder of the sweep, new or empty; a fresh one in runs by default.")
@click.option("--resume", metavar="DIR", help="Go on with a sweep: runs that are finished stay as they are.")
def command(
    file: str | None,
    varied: tuple[str, ...],
    seeds: int,
    jobs: int,
    model: str | None,
    overrides: tuple[str, ...],
    input_shape: str | None,
    data_dir: str | None,
    device: str | None,
    out: str | None,
    resume: str | None,
    test_every_epoch: bool,
    watch: bool,
    tensorboard: bool,
    compiling: Compiling,
    deterministic: bool,
    **settings: str | None,
) -> None:
    """Train the network of FILE once for each combination of the values of --over and each seed, and compare the runs.

    Each run has a folder of its own in that of the sweep. Exit code 0: all finished; 1: errors, or a run that failed or
    diverged; 2: wrong usage; 130: interrupted.
    """
    if resume is not None:
        require_alone(click.get_current_context(), "a sweep", {"resume", "jobs"})
        with explained():
            go_on(Path(resume), jobs)
        return
    if file is None:
        raise click.UsageError("name the FILE to train, or the sweep to go on with: --resume DIR")
    over = parse_overrides(varied, "--over")
    if len(over) < len(varied):
        raise click.UsageError("--over takes all values of a name in one list, and one name is given twice")
    given = (*overrides, *as_overrides(settings))
    extras, how = (test_every_epoch, watch, tensorboard), (compiling, deterministic)
    several(file, over, seeds, jobs, model, given, input_shape, data_dir, device, out, extras, how)


def several(
    file: str,
    over: dict[str, str],
    seeds: int,
    jobs: int,
    model: str | None,
    overrides: tuple[str, ...],
    input_shape: str | None,
    data_dir: str | None,
    device: str | None,
    out: str | None,
    extras: tuple[bool, bool, bool],
    how: tuple[Compiling, bool],
) -> None:
    """A new sweep, from its folder to its comparison."""
    if file == "-":
        raise click.UsageError("a sweep reads its spec again for every run: name a file")
    if launched():
        raise click.UsageError("many runs are started by one process, and this is one of several")
    with explained():
        from cnnspec.training.config import Extras, How
        from cnnspec.training.sweep import open_sweep, plan_sweep

        values = {name: alternatives(name, text) for name, text in over.items()}
        set = parse_overrides(overrides)
        if twice := next((name for name in over if name in set), None):
            raise click.UsageError(f"{twice} is varied by --over, and has one value as well: {twice}={set[twice]}")
        where = {"data_dir": data_dir, "device": device}
        plan = plan_sweep(file, values, seeds, model, set, input_shape, **where, extras=Extras(*extras), how=How(*how))
        go_on(open_sweep(plan, Path(out) if out is not None else None), jobs)


def go_on(folder: Path, jobs: int) -> None:
    """Every run of a sweep, as news of them come, and the comparison of those that finished."""
    from cnnspec.training.sweep import read_sweep, run_sweep

    read_sweep(folder)
    tell(f"folder    {folder}\n")
    to_go_on = f"to go on: cnnspec sweep --resume {quote(str(folder))}"
    try:
        ended = run_sweep(folder, jobs=jobs, progress=sys.stderr.isatty(), say=tell)
        if any(one.interrupted for one in ended):
            raise KeyboardInterrupt
        compare_all(folder, ended)
    except KeyboardInterrupt:
        fail("the sweep was interrupted; its runs are saved as far as they came", to_go_on, code=130)
    if failed := sum(one.failed for one in ended):
        fail(f"{failed} of {counted(len(ended), 'run')} did not finish")


def compare_all(folder: Path, ended: list[Ended]) -> None:
    from cnnspec.cli.compare import text_lines
    from cnnspec.training.sweep import compared

    found = compared(folder, ended)
    tell("")
    for line in text_lines(found):
        tell(line)
    finished = [row for row in found.rows if row.runs[0].finished]
    if len(finished) > 1:
        tell(f"\nbest on the validation part: {_best(finished)}")
    if any(run.history for run in found.runs):
        found.draw(folder / "curves.png")
        tell(f"the curves are in {folder / 'curves.png'}")


def _best(rows: list[Row]) -> str:
    """Validation chooses, never the test set; where the spread is wider than the lead, that is said."""
    figures = [(figure, row) for row in rows if (figure := row.figures["validation_accuracy"])]
    if len(figures) < 2:
        return "unknown, for nothing was held out"
    (first, best), (second, _) = sorted(figures, key=lambda pair: -pair[0].mean)[:2]
    spread = max(first.spread or 0.0, second.spread or 0.0)
    if first.spread is None:
        return f"{best.name}; a single seed cannot tell a small lead from luck"
    return best.name if first.mean - second.mean > spread else f"{best.name}, by less than its seeds are apart"
