"""Runs that are killed at random moments and resumed until they are finished, compared with one that never was.

    python tests/training/killing.py FOLDER KILLS [SEED]

Every run is a child of this process, which has imported everything before. Prints what happened as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import RLock

import torch
from safetensors import safe_open
from tqdm import tqdm

from cnnspec.network import load
from cnnspec.source import Source
from cnnspec.training import plots, resume, train

SPEC = """
model Killed {
  input 1x8x8
  conv(8, 3, padding=1), batchnorm, relu, maxpool(2)
  flatten, dropout(0.3), linear(10)
}
train {
  augment: [shift(0.1), flip]
  optimizer: sgd(lr=0.05, momentum=0.9)
  schedule: onecycle
  batch: 16
  epochs: 4
  freeze: ["0", "1"]
  unfreeze_after: 2
}
"""


def outcome(folder: Path) -> dict[str, object]:
    """What must not depend on how often a run was stopped: everything but seconds and pictures of curves."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    result = json.loads((folder / "result.json").read_text())
    table = (folder / "metrics.csv").read_text().splitlines()
    return {
        "metrics": [{name: value for name, value in line.items() if name != "seconds"} for line in lines],
        "table": [row.rpartition(",")[0] for row in table],
        "result": {name: value for name, value in result.items() if "seconds" not in name and name != "resumed"},
        "files": sorted(path.name for path in folder.iterdir() if path.name != "resumed.jsonl"),
    } | {name: (folder / name).read_bytes() for name in ("last.safetensors", "best.safetensors", "confusion.csv")}


def begin(folder: Path) -> None:
    """From the weights of the warm run, where there is one."""
    warm = folder.with_name("warm")
    set = {"train.weights": f'run("{warm}")'} if folder != warm else {}
    train(load(Source("<spec>", SPEC), set=set, train=True), out=folder, device="cpu")


def go_on(folder: Path) -> None:
    """From its checkpoint, or from the start where it was killed before it had a folder of its own."""
    if (folder / "config.json").exists():
        resume(folder)
        return
    for path in folder.glob("*") if folder.exists() else ():
        path.unlink()
    for path in folder.glob(".*") if folder.exists() else ():
        path.unlink()
    begin(folder)


def child(action: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    tqdm.set_lock(RLock())  # the usual one is shared by all children, and one may be killed holding it
    try:
        action()
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def killed(pid: int, delay: float) -> bool:
    """Kills a child after `delay` seconds; false where it was done by then."""
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def done(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"a run ended with {status}")


def main(folder: Path, kills: int, seed: int) -> None:
    torch.set_num_threads(1)
    chance = random.Random(seed)
    plots.curves = plots.confusion = plots.filters = lambda *_: b""  # they take longer than the training
    begin(folder / "warm")  # what is imported late is imported here
    started = time.monotonic()
    done(child(lambda: begin(folder / "whole")))
    duration = min(1.5 * (time.monotonic() - started), 3.0)  # the machine may be slower at times, or was just then
    wanted = outcome(folder / "whole")
    count, runs, places, different = 0, 0, [], []
    while count < kills:
        run = folder / f"run-{runs}"
        runs += 1
        action = begin
        while count < kills:  # now and then one is killed more than once
            if not killed(child(lambda action=action, run=run: action(run)), chance.uniform(0, duration)):
                break
            count += 1
            places.append(record_of(run))
            action = go_on
            if chance.random() < 0.6:
                break
        if not finished(run):
            done(child(lambda run=run: go_on(run)))
        found = outcome(run)
        different += [f"{run.name}: {name}" for name, value in wanted.items() if found[name] != value]
    print(json.dumps({"kills": count, "runs": runs, "seconds": duration, "places": places, "different": different}))


def finished(run: Path) -> bool:
    return (run / "result.json").exists()


def record_of(run: Path) -> str:
    """Which epochs had a whole checkpoint when a run was killed."""
    if not (run / "config.json").exists():
        return "before its folder was complete"
    if finished(run):
        return "after its end"
    found = []
    for path in sorted(run.glob("checkpoint-*.safetensors")):
        with safe_open(path, "pt") as file:
            found.append(json.loads(file.metadata()["cnnspec checkpoint"])["epoch"] - 1)
    return f"after epoch {max(found)}" if found else "in epoch 1"


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
