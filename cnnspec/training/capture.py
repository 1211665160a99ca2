"""Steps at the speed of the device. On a GPU a step is recorded once, as a CUDA graph, and then played again: launching
its hundreds of small kernels one by one takes longer than their work. Where the run is long enough to repay it, the
step is compiled before.

What is recorded is what the GPU is told to do. It cannot hold a decision of the host, and nothing that waits for the
GPU's answer: a step in which that happens is launched kernel by kernel, and `Quick.about` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

import torch
from torch import Tensor
from torch.optim import Optimizer

from cnnspec.training.compiling import Compiling, compiled, expected_seconds, repays
from cnnspec.training.error import TrainError
from cnnspec.training.state import State

Step = Callable[[Tensor], None]
"""Learns from the samples at these places."""

TRIALS = 3
"""Steps before one is recorded: what libraries choose and allocate at their first calls is settled then."""

TIMED = 10
"""Steps whose time is taken."""


class Quick:
    """A step that `prepare` makes as quick as its device allows.

    `size` is the number of samples that all steps take but the last of an epoch, which is made as it is."""

    def __init__(self, step: Step, state: State, size: int, compiling: Compiling = "off", alone: bool = True) -> None:
        self.step, self.full, self.state, self.size, self.compiling = step, step, state, size, compiling
        self.alone = alone
        self.rates = Rates(state.optimizer, state.device)
        self.recorder = Recorded if state.device.type == "cuda" else None
        self.about = ""
        """In words, how steps are made; empty where they are made as they are written."""
        self.seconds = 0.0
        """What preparing took so far."""
        self._prepared_for: object = None

    @property
    def as_written(self) -> bool:
        """So too where several processes share a step: what fails in one of them would leave the others waiting."""
        return not self.alone or (self.recorder is None and self.compiling != "on")

    def prepare(self, left: int) -> bool:
        """For so many steps to come. Changes nothing of the state; does nothing, and returns False, where all is ready.

        Which weights learn is part of what is recorded: where that has changed, it is recorded anew."""
        learning = _learning(self.state)
        if self.as_written or self._prepared_for == learning:
            return False
        started = perf_counter()
        self.full, self._prepared_for = self.step, learning
        begin_momenta(self.state.optimizer)
        with unchanged(self.state), self.rates.on_the_device():
            self.about = self._quicken(left)
        self._wait()
        self.seconds += perf_counter() - started
        return True

    def __call__(self, chosen: Tensor) -> None:
        if self.as_written:
            self.step(chosen)
            return
        usual = len(chosen) == self.size and not self.state.mean_begins
        with self.rates.on_the_device():
            (self.full if usual else self.step)(chosen)

    def _quicken(self, left: int) -> str:
        if self.compiling == "on":
            self.full, about = self._made(compiled(self.step))
            return f"compiled, {about}"
        self.full, about = self._made(self.step)
        each = self._timed(self.full)
        about += f": {each * 1e3:.2f} ms each, about {left * each:.0f} s in all"
        expected = expected_seconds(self.state.model)
        if self.compiling == "off":
            return about
        if not repays(each, left, expected):
            return f"{about}; compiling them (about {expected:.0f} s) would not repay its time"
        return self._compiled_or(about, each)

    def _compiled_or(self, about: str, each: float) -> str:
        """Whichever is faster."""
        started = perf_counter()
        try:
            full, how = self._made(compiled(self.step))
        except TrainError as error:
            return f"{about}; {error.message}"
        took, then = perf_counter() - started, self._timed(full)
        if then >= each:
            return f"{about}; compiled ({took:.0f} s) they take {then * 1e3:.2f} ms, so they are not"
        self.full = full
        return f"compiled in {took:.0f} s, {how}: {then * 1e3:.2f} ms each, and {each * 1e3:.2f} ms before"

    def _made(self, step: Step) -> tuple[Step, str]:
        """A step after some trials, recorded where that can be done."""
        if self.recorder is None:
            for _ in range(TRIALS):
                step(self._any())
            return step, "launched one operation after another"
        recorded = self.recorder(step, self._any())
        if fault := recorded.record():
            return step, f"launched kernel by kernel, because {fault}"
        return recorded.play, "recorded as a CUDA graph"

    def _timed(self, step: Step) -> float:
        """Seconds of one step."""
        chosen = self._any()
        step(chosen)
        self._wait()
        started = perf_counter()
        for _ in range(TIMED):
            step(chosen)
        self._wait()
        return (perf_counter() - started) / TIMED

    def _any(self) -> Tensor:
        return torch.zeros(self.size, dtype=torch.int64, device=self.state.device)

    def _wait(self) -> None:
        if self.state.device.type == "cuda":
            torch.cuda.synchronize(self.state.device)


class Recorded:
    """A step of one size as a CUDA graph, which reads from `chosen` what it learns from."""

    def __init__(self, step: Step, chosen: Tensor) -> None:
        self.step, self.chosen = step, chosen
        self.stream = torch.cuda.Stream(chosen.device)  # type: ignore[no-untyped-call]
        self.graph = torch.cuda.CUDAGraph()

    def record(self) -> str:
        """Makes some steps, then records one; where that cannot be done, returns why."""
        with aside(self.stream):
            for _ in range(TRIALS):
                self.step(self.chosen)
            if waits := waits_in(self.step, self.chosen):
                return f"the host waits for the GPU's answer in them ({', '.join(waits)})"
        try:
            with torch.cuda.graph(self.graph, stream=self.stream):
                self.step(self.chosen)
        except RuntimeError as error:
            return f"they cannot be recorded ({str(error).splitlines()[0]})"
        return ""

    def play(self, chosen: Tensor) -> None:
        self.chosen.copy_(chosen)
        self.graph.replay()


def waits_in(step: Step, chosen: Tensor) -> list[str]:
    """The operations of a step for which the host waits."""
    from cnnspec.training.waiting import Waits  # it takes a while to import

    waits = Waits(chosen.device.type)
    with waits:
        step(chosen)
    return waits.found


@contextmanager
def aside(stream: torch.cuda.Stream) -> Iterator[None]:
    """Within it work goes to another stream, after all that was begun before and ahead of all that comes after."""
    main = torch.cuda.current_stream(stream.device)
    stream.wait_stream(main)
    with torch.cuda.stream(stream):
        yield
    main.wait_stream(stream)


class Rates:
    """The learning rates of an optimizer as numbers on the device, where a recorded step reads them.

    Outside of steps they are numbers of the host, which schedules and checkpoints know how to deal with."""

    def __init__(self, optimizer: Optimizer, device: torch.device) -> None:
        self.optimizer, self.device = optimizer, device
        self.there: list[Tensor] = []
        self.known: list[float] = []
        """What they are there."""

    @contextmanager
    def on_the_device(self) -> Iterator[None]:
        """Within it the optimizer reads the rates there; nothing waits."""
        groups = self.optimizer.param_groups
        rates = [float(group["lr"]) for group in groups]
        self._send(rates)
        for group, there in zip(groups, self.there, strict=True):
            group["lr"] = there
        try:
            yield
        finally:
            for group, rate in zip(groups, rates, strict=True):
                group["lr"] = rate

    def _send(self, rates: list[float]) -> None:
        while len(self.there) < len(rates):
            self.there.append(torch.zeros((), device=self.device))
            self.known.append(0.0)
        for index, (rate, known) in enumerate(zip(rates, self.known, strict=True)):
            if rate != known:
                self.there[index].fill_(rate)
        self.known = rates


def begin_momenta(optimizer: Optimizer) -> None:
    """Zeros, as good as none, for weights that have none yet: the fused SGD takes all of a group or none of it, and
    weights that were frozen join those that were not."""
    for group in optimizer.param_groups:
        for weight in group["params"] if group.get("momentum") and group.get("fused") else ():
            if weight.requires_grad:
                optimizer.state[weight].setdefault("momentum_buffer", torch.zeros_like(weight))


def _learning(state: State) -> object:
    """What a recorded step takes for granted: which weights learn, in which groups, and which norms measure."""
    groups = [[id(weight) for weight in group["params"]] for group in state.optimizer.param_groups]
    learnt = [weight.requires_grad for weight in state.model.parameters()]
    return groups, learnt, [module.training for module in state.model.modules()]


# ------------------------------------------------------------------------------------------- steps that do not count


@contextmanager
def unchanged(state: State) -> Iterator[None]:
    """Whatever steps are made within it, afterwards all is as it was, in the same places of the memory.

    What the optimizer began to keep is zero then, as if it had not begun. What was before waits in the memory of the
    host, of which there is more."""
    before = {id(tensor): tensor.detach().to("cpu", copy=True) for tensor in _tensors(state)}
    devices = [state.device] if state.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        yield
    with torch.no_grad():
        for tensor in _tensors(state):
            tensor.copy_(before[id(tensor)]) if id(tensor) in before else tensor.zero_()
    state.optimizer.zero_grad()


def _tensors(state: State) -> list[Tensor]:
    """All that a step changes."""
    modules = [state.model, *([state.mean] if state.mean else [])]
    found: list[Tensor] = [tensor for module in modules for tensor in (*module.parameters(), *module.buffers())]
    kept = [value for slots in state.optimizer.state.values() for value in slots.values() if isinstance(value, Tensor)]
    return [*found, *kept, state.loss, state.hits, state.finite]
