"""Going on with a run that was interrupted, killed or stopped by a fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from platform import node
from time import perf_counter

from cnnspec.training import record, report
from cnnspec.training.checkpoint import newest, restore
from cnnspec.training.config import Config
from cnnspec.training.distributed import Team, joined
from cnnspec.training.ending import Run
from cnnspec.training.error import BadRun, TrainError
from cnnspec.training.history import best_epoch
from cnnspec.training.lock import alone_in
from cnnspec.training.plan import SAVE_EVERY, Plan, plan_run, ready
from cnnspec.training.run import Say, carry_out
from cnnspec.training.start import rescaled, same_start
from cnnspec.training.state import State, begin, weights_of
from cnnspec.training.threads import suitable_threads
from cnnspec.training.transform import Transform, require_same_transform, with_transform
from cnnspec.words import counted


def resume(
    folder: str | Path,
    *,
    data_dir: str | Path | None = None,
    device: str | None = None,
    save_every: float = SAVE_EVERY,
    transform: Transform | None = None,
    progress: bool = False,
    say: Say = lambda line: None,
) -> Run:
    """Go on with a run from its newest checkpoint, as if it had never stopped: on the CPU bit for bit.

    `data_dir` and `device` are those it began with where None. An epoch that lasts is saved every `save_every` minutes.
    `transform` is the one it began with, which no folder keeps.
    Raises `BadRun` where the run is finished or diverged, where its spec or its data has changed since, and where no
    checkpoint of it is good."""
    started = perf_counter()
    folder = Path(folder)
    config = record.read_config(folder)
    with joined() as team, alone_in(folder, team):
        require_unfinished(folder)
        require_same_transform(folder, config, transform)
        plan = replace(plan_again(folder, config, device, data_dir), save_every=save_every)
        plan = with_transform(plan, transform)
        with suitable_threads(plan.network, plan.portion, plan.device):
            found, faults = newest(folder, record.sum_of_config(folder))
            model, data = ready(plan)
            state = begin(model, data, plan.recipe)
            if found:
                restore(state, found, team)
            elif config.start:
                state.model.load_state_dict(same_start(plan, config.start), strict=False)
            require_same(f"{state.checkpoints} {report.place(state, plan.recipe)}", team)
            if team.leads:
                write_again(folder, config, state)
                resumed = f"resumed   {report.place(state, plan.recipe)}"
                for line in (*report.opening(plan, folder), resumed, *faults, *differences(folder, config, plan), ""):
                    say(line)
            return carry_out(plan, folder, data, state, progress, say, started)


def require_same(found: str, team: Team) -> None:
    """Every process of a team has read the same checkpoint, before the first of them writes another."""
    if team.told(found) != found:
        raise BadRun(
            f"process {team.rank} of {team.size} finds another checkpoint than the first one",
            f"it runs on {node()}; the folder of a run must be the same on every machine",
        )
    team.wait()


def require_unfinished(folder: Path) -> None:
    result = record.read_result(folder)
    if result and result.status == "finished":
        raise BadRun(
            f"{folder} is finished: there is nothing to go on with",
            f"it has trained for {counted(result.epochs, 'epoch')}; cnnspec eval measures it again",
        )
    if result and result.status == "diverged":
        raise BadRun(
            f"{folder} has diverged, and would again: {result.fault}",
            "train it anew with a smaller learning rate",
        )


def plan_again(folder: Path, config: Config, device: str | None, data_dir: str | Path | None) -> Plan:
    """The plan of a run from its folder; raises `BadRun` where the spec or the data is no longer the same."""
    if config.spec and config.spec != record.sum_of_spec(record.read_spec(folder)):
        raise BadRun(
            f"{folder / record.SPEC} is not the spec that the run began with",
            "bring it back as it was, or train what it says now into a folder of its own",
        )
    where = data_dir or config.data_dir
    network = record.read_network(folder, config)
    plan = plan_run(network, device or config.device, Path(where) if where else None, config.extras, config.how)
    changed = [name for name, sum in config.samples.sums.items() if plan.config.samples.sums.get(name) != sum]
    if changed:
        raise BadRun(
            f"the data of {folder} has changed since the run began: its {changed[0]} part is another",
            f"the data is {config.train['data']}; bring it back as it was, or begin a new run",
        )
    data = rescaled(plan.data, config.samples.mean, config.samples.std) if config.start else plan.data
    return replace(plan, config=config, data=data, why_precision="as the run began")


def write_again(folder: Path, config: Config, state: State) -> None:
    """Whatever a kill left half done. The first thing written tells whether the folder can be written at all."""
    try:
        record.write_resumption(folder, state)
        for path in (folder / record.RESULT, *folder.glob(".*.tmp")):
            path.unlink(missing_ok=True)
        record.write_history(folder, state.history)
        if state.history and not state.step:
            record.write_weights(folder, "last", weights_of(state.kept), config, state.history[-1].epoch)
        if state.history:
            record.write_weights(folder, "best", state.best, config, best_epoch(state.history).epoch)
    except OSError as error:
        raise TrainError(f"{folder} cannot be written: {error.strerror or error}") from None


DECISIVE = ("torch", "device", "devices", "threads")


def differences(folder: Path, config: Config, plan: Plan) -> Iterator[str]:
    """In words, what may change the last digits from here on."""
    now = record.versions(plan.device) | {"devices": plan.team.size}
    for name, was in (record.read_versions(folder) | {"devices": config.devices}).items():
        if name in DECISIVE and was != now[name]:
            yield f"          it began with {name} {was} and goes on with {now[name]}: its last digits may differ"
