"""What the processes of a team do in the tests of `test_distributed.py`.

    python tests/training/teams.py FOLDER

Every process is a child of this one, which has imported everything before."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch

from cnnspec.network import load
from cnnspec.source import Source
from cnnspec.training import TrainError, launch, plots, resume, train
from cnnspec.training import run as run_module
from cnnspec.training.distributed import joined

PLAIN = """
model Plain {
  input 1x8x8
  conv(8, 3, padding=1), relu, maxpool(2)
  flatten, linear(10)
}
train {
  data: random(shape=[1, 8, 8], classes=10, samples=500)
  augment: [shift(0.1), flip]
  optimizer: sgd(lr=0.05, momentum=0.9)
  schedule: onecycle
  validation: 0.2
  clip: 1
  ema: 0.9
  batch: 62
  epochs: 3
}
"""
"""Of 400 samples 320 are trained on: five steps of 62 and one of ten."""

CHANCE = PLAIN.replace("relu", "batchnorm, relu").replace("flatten", "flatten, dropout(0.3)")


PICTURES = ("curves", "confusion", "filters")


def begin(folder: Path, spec: str = PLAIN, **settings: object) -> Any:
    given = {f"train.{name}": value for name, value in settings.items()}
    return train(load(Source("<spec>", spec), set=given, train=True), out=folder, device="cpu", test_every_epoch=True)


@contextmanager
def stopping_after(calls: int, ranks: tuple[int, ...] = (0, 1, 2)) -> Iterator[None]:
    """A Ctrl-C that processes with these ranks hear when they listen for the nth time."""

    @contextmanager
    def interruptible(*_: object) -> Iterator[Callable[[], bool]]:
        left = iter(range(calls))
        rank = int(os.environ.get("RANK", "0"))
        yield lambda: rank in ranks and next(left, None) is None

    before, run_module.interruptible = run_module.interruptible, interruptible
    yield
    run_module.interruptible = before


def quiet() -> None:
    torch.set_num_threads(1)
    for name in PICTURES:
        setattr(plots, name, lambda *_: b"")


def two(folder: Path) -> None:
    """Whole runs, stopped ones that go on, and one that is left for a single process."""
    quiet()
    with joined():
        begin(folder / "two")
        begin(folder / "two chance", CHANCE)
        with stopping_after(9, ranks=(1,)):
            assert begin(folder / "stopped").status == "interrupted"
            assert begin(folder / "stopped chance", CHANCE).status == "interrupted"
            assert begin(folder / "left to one").status == "interrupted"
        resume(folder / "stopped")
        resume(folder / "stopped chance")
        resume(folder / "left to two")


def three(folder: Path) -> None:
    """With a last step that has no sample for the third, and a network that none of them sees alone."""
    quiet()
    with joined():
        begin(folder / "three", batch=79)
        with stopping_after(8, ranks=(2,)):
            begin(folder / "stopped three", batch=79)
        resume(folder / "stopped three")


def dying(folder: Path) -> None:
    """The second process is killed in the middle of the second epoch; the first writes down what it is told."""
    quiet()
    rank = int(os.environ["RANK"])
    if rank:
        before = run_module.BetweenSteps.__call__

        def killed(self: Any) -> bool:
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls == 12:
                os.kill(os.getpid(), signal.SIGKILL)
            return before(self)

        run_module.BetweenSteps.__call__ = killed  # type: ignore[method-assign]
    try:
        begin(folder / "killed")
    except TrainError as error:
        (folder / f"fault {rank}").write_text(str(error))
        sys.exit(1)


def main(folder: Path) -> None:
    quiet()
    launch.start_processes = partial(launch.start_processes, start_method="fork")
    begin(folder / "one")
    begin(folder / "one in four", batch=79)
    with stopping_after(9):
        assert begin(folder / "left to two").status == "interrupted"
    for count, work in ((2, two), (3, three)):
        ended = launch.launch(count, work, folder)
        if ended.code:
            raise SystemExit(f"{work.__name__}: {ended}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
