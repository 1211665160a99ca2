"""`cnnspec train`"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, TypeVar

import click
from click.core import ParameterSource

from cnnspec.cli.common import FILE, fail, input_option, load, model_option, set_option
from cnnspec.cli.devices import at_once, launched, one_voice, start
from cnnspec.cli.running import data_dir_option, dataset, device_option, explained, tell
from cnnspec.network import Network, UsageFault
from cnnspec.recipe import Recipe

if TYPE_CHECKING:
    from cnnspec.training.compiling import Compiling

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

METAVARS = {"data": "DATA", "augment": "LIST", "optimizer": "CALL", "schedule": "CALL", "precision": "NAME"}
METAVARS |= {"weights": "FROM", "freeze": "NAMES"} | dict.fromkeys(("groups", "init", "mix", "views"), "LIST")

LISTS = ("augment", "mix", "groups", "init", "freeze", "unfreeze_after", "views")
"""Settings whose value may be a list."""


def setting_options(command: Decorated) -> Decorated:
    """One option per setting of `train { }`."""
    for name in ("lr", "learning-rate", "momentum", "weight-decay"):
        command = click.option(f"--{name}", expose_value=False, hidden=True, callback=elsewhere)(command)
    for name, about in reversed(Recipe.about.items()):
        command = click.option(
            f"--{name.replace('_', '-')}", metavar=METAVARS.get(name, "NUMBER"), help=f"{about.capitalize()}."
        )(command)
    return command


def elsewhere(context: click.Context, option: click.Parameter, value: str | None) -> None:
    """What is no setting of its own, and looked for among them."""
    if value is not None:
        from cnnspec.words.wrong import ELSEWHERE

        raise click.UsageError(f"there is no option {option.opts[0]}; {ELSEWHERE[str(option.name)]}")


def extra_options(command: Decorated) -> Decorated:
    """What is recorded beside the usual."""
    for name, about in (
        ("test-every-epoch", "Also record the accuracy on the test set after every epoch; it has no say."),
        ("watch", "Also record how every layer does: its output, its dead units, its gradient."),
        ("tensorboard", "Also write the curves for TensorBoard, into the run's folder."),
    ):
        command = click.option(f"--{name}", is_flag=True, help=about)(command)
    return command


def how_options(command: Decorated) -> Decorated:
    """How steps are made."""
    command = click.option(
        "--compile",
        "compiling",
        type=click.Choice(["auto", "on", "off"]),
        default="auto",
        help="Whether steps are compiled: auto does so on a GPU, in runs long enough to repay it.",
    )(command)
    about = "The same bits every time, on a GPU too, where that is slower; also after --resume."
    return click.option("--deterministic", is_flag=True, help=about)(command)


seeds_option = click.option(
    "--seeds", type=click.IntRange(1, 1000), default=1, metavar="N", help="Train N times, with seeds that count up."
)


@click.command(short_help="Train the network and leave a folder with all that came of it.")
@click.argument("file", type=FILE, required=False)
@model_option
@set_option
@input_option
@setting_options
@data_dir_option
@device_option
@click.option(
    "--devices",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Train on so many devices of this machine together, a process on each.",
)
@click.option("--out", metavar="DIR", help="Folder of the run, new or empty; a fresh one in runs by default.")
@click.option(
    "--save-every",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    metavar="MINUTES",
    help="Save on the way through an epoch that takes longer than this; 10 by default.",
)
@click.option("--resume", metavar="RUN", help="Go on with a run that was interrupted or killed, as if it never was.")
@extra_options
@how_options
@seeds_option
def command(
    file: str | None,
    model: str | None,
    overrides: tuple[str, ...],
    input_shape: str | None,
    data_dir: str | None,
    device: str | None,
    devices: int,
    out: str | None,
    save_every: float,
    resume: str | None,
    test_every_epoch: bool,
    watch: bool,
    tensorboard: bool,
    compiling: Compiling,
    deterministic: bool,
    seeds: int,
    **settings: str | None,
) -> None:
    """Train the network of FILE as its train { } says, and leave a folder with all that came of it.

    Settings are written as in a spec: --data mnist, --optimizer 'sgd(lr=0.1, momentum=0.9)', --augment '[flip]'.
    --data also takes the path of a folder of images, of a .csv or of an .npz file, --weights that of a run or of a file
    of weights, or torchvision's name for its own. With --seeds the runs are compared, as by cnnspec sweep. Several
    processes train together with --devices, or started by torchrun. Exit code 0: finished; 1: errors, or a loss that is
    no longer finite; 2: wrong usage; 130: interrupted.
    """
    if resume is not None:
        require_alone(click.get_current_context(), "a run", {"resume", "device", "devices", "data_dir", "save_every"})
    elif file is None:
        raise click.UsageError("name the FILE to train, or the run to go on with: --resume RUN")
    given = as_overrides(settings)
    if file and seeds > 1:
        from cnnspec.cli.sweep import several

        for name in ("devices", "save_every"):
            if click.get_current_context().get_parameter_source(name) is not ParameterSource.DEFAULT:
                raise click.UsageError(f"--seeds trains run after run, and takes no --{name.replace('_', '-')}")
        extras, how = (test_every_epoch, watch, tensorboard), (compiling, deterministic)
        several(file, {}, seeds, 1, model, (*overrides, *given), input_shape, data_dir, device, out, extras, how)
        return
    request = Request(
        spec=(file, model, (*overrides, *given), input_shape),
        resume=resume,
        out=out,
        extras={
            "test_every_epoch": test_every_epoch,
            "watch": watch,
            "tensorboard": tensorboard,
            "compiling": compiling,
            "deterministic": deterministic,
        },
        data_dir=data_dir,
        device=device,
        save_every=save_every,
    )
    if devices == 1:
        carry_out(request)
    else:
        if file == "-":
            raise click.UsageError("several processes cannot read the standard input: name a file")
        request.network()  # what is wrong with it is told once
        with explained():
            start(devices, carry_out, request)


class Request(NamedTuple):
    """What is to be done, as every process is told."""

    spec: tuple[str | None, str | None, tuple[str, ...], str | None]
    resume: str | None
    out: str | None
    extras: dict[str, Any]
    """What only a new run takes."""
    data_dir: str | None
    device: str | None
    save_every: float

    def network(self) -> Network | None:
        file, model, overrides, input_shape = self.spec
        return load(file, model, overrides, input_shape, train=True) if file else None


def carry_out(request: Request) -> None:
    network = None if launched() else request.network()
    with at_once(), explained(), one_voice() as speaks:
        network = network or request.network()
        from cnnspec.training import report
        from cnnspec.training.distributed import team
        from cnnspec.training.resume import resume as go_on
        from cnnspec.training.run import how_to_resume, train

        say = tell if speaks else silent
        how = Common(
            data_dir=request.data_dir,
            device=request.device,
            save_every=request.save_every,
            progress=sys.stderr.isatty(),
            say=say,
        )
        run = train(network, out=request.out, **request.extras, **how) if network else go_on(str(request.resume), **how)
        for line in report.closing(run) if speaks else ():
            say(line)
        again = how_to_resume(run.folder, team())
    if run.status in CODES and not speaks:
        sys.exit(CODES[run.status])
    if run.status == "diverged":
        fail(run.fault, f"what was recorded until then is in {run.folder}", code=CODES[run.status])
    if run.status == "interrupted":
        fail(run.fault, again, code=CODES[run.status])


CODES = {"diverged": 1, "interrupted": 130}


def silent(line: str) -> None:
    """In the place of what prints."""


def as_overrides(settings: dict[str, str | None]) -> list[str]:
    """The options of `setting_options` in the form of --set."""
    for name, value in settings.items():
        option = f"--{name.replace('_', '-')}"
        if value is not None and not value.strip():
            raise click.UsageError(f"{option} is given without a value")
        if value and value.startswith("[") and name not in LISTS:
            tried = f"cnnspec sweep FILE --over 'train.{name}={value}' tries several"
            raise click.UsageError(f"{option} takes one value; {tried}")
    if settings["data"]:
        settings["data"] = dataset(settings["data"])
    shorten(settings)
    return [f"train.{name}={value}" for name, value in settings.items() if value is not None]


def shorten(settings: dict[str, str | None]) -> None:
    """Short forms of options, as the language has them."""
    from cnnspec.network.origins import names_text, origin_text

    for name, written in (("weights", origin_text), ("freeze", names_text)):
        try:
            settings[name] = written(settings[name] or "") if settings[name] else None
        except UsageFault as fault:
            raise click.UsageError(str(fault)) from None


class Common(TypedDict):
    """What beginning and going on have in common."""

    data_dir: str | None
    device: str | None
    save_every: float
    progress: bool
    say: Callable[[str], None]


def require_alone(context: click.Context, what: str, allowed: set[str]) -> None:
    """It goes on as it began."""
    other = set(context.params) - allowed
    given = [name for name in sorted(other) if context.get_parameter_source(name) is not ParameterSource.DEFAULT]
    if given:
        names = {"file": "FILE", "overrides": "--set", "input_shape": "--input", "varied": "--over"}
        named = names.get(given[0], f"--{given[0].replace('_', '-')}")
        raise click.UsageError(f"{what} goes on as it began: --resume takes no {named}")
