"""Steps at the speed of the device. On a GPU a step is recorded once, as a CUDA graph, and then played again: launching
its hundreds of small kernels one by one takes longer than their work.

What is recorded is what the GPU is told to do. It cannot hold a decision of the host, and nothing that waits for the
GPU's answer: a step in which that happens is made as it is, and `Quick.about` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

import torch
from torch import Tensor
from torch.optim import Optimizer

from cnnspec.training.state import State
from cnnspec.training.waiting import Waits

Step = Callable[[Tensor], None]
"""Learns from the samples at these places."""

TRIALS = 3
"""Steps before one is recorded: what libraries choose and allocate at their first calls is settled then."""


class Quick:
    """A step that becomes what is quickest on its device, each time that `prepare` is called and there is need.

    `size` is the number of samples that all steps take but the last of an epoch."""

    def __init__(self, step: Step, state: State, size: int) -> None:
        self.step, self.state, self.size = step, state, size
        self.rates = Rates(state.optimizer, state.device)
        self.recorded: Recorded | None = None
        self.about = ""
        """In words, how steps are made; empty where there is nothing to say."""
        self.seconds = 0.0
        """What preparing took."""
        self._prepared_for: object = None

    def prepare(self) -> None:
        """Changes nothing of the state, and does nothing where all is ready. Which weights learn is part of what is
        recorded: where that has changed, it is recorded anew."""
        if self.state.device.type != "cuda" or self._prepared_for == (learning := _learning(self.state)):
            return
        started = perf_counter()
        self.recorded, self._prepared_for = None, learning
        try:
            with unchanged(self.state), self.rates.on_the_device():
                self._record()
        finally:
            torch.cuda.synchronize(self.state.device)
            self.seconds += perf_counter() - started

    def _record(self) -> None:
        recorded = Recorded(self.step, self.state.device, self.size)
        if fault := recorded.record():
            self.about = f"steps are launched kernel by kernel: {fault}"
        else:
            self.about = "a step is one launch, of a recorded CUDA graph"
            self.recorded = recorded

    def __call__(self, chosen: Tensor) -> None:
        if self.state.device.type != "cuda":
            self.step(chosen)
            return
        with self.rates.on_the_device():
            if self.recorded and len(chosen) == self.size and not self.state.mean_begins:
                self.recorded.play(chosen)
            else:
                self.step(chosen)


class Recorded:
    """A step of one size as a CUDA graph."""

    def __init__(self, step: Step, device: torch.device, size: int) -> None:
        self.step = step
        self.chosen = torch.zeros(size, dtype=torch.int64, device=device)
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.graph = torch.cuda.CUDAGraph()

    def record(self) -> str:
        """Makes some steps, then records one; where that cannot be done, returns why."""
        with aside(self.stream):
            with Waits(self.chosen.device.type) as waits:
                self.step(self.chosen)
            for _ in range(TRIALS - 1):
                self.step(self.chosen)
        if waits.found:
            return f"the step waits for the GPU's answer ({', '.join(waits.found)})"
        try:
            with torch.cuda.graph(self.graph, stream=self.stream):
                self.step(self.chosen)
        except RuntimeError as error:
            return f"it cannot be recorded ({str(error).splitlines()[0]})"
        return ""

    def play(self, chosen: Tensor) -> None:
        self.chosen.copy_(chosen)
        self.graph.replay()


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


def _learning(state: State) -> object:
    """What a recorded step takes for granted: which weights learn, and in which groups."""
    groups = [[id(weight) for weight in group["params"]] for group in state.optimizer.param_groups]
    return groups, [weight.requires_grad for weight in state.model.parameters()]


# ------------------------------------------------------------------------------------------- steps that do not count


@contextmanager
def unchanged(state: State) -> Iterator[None]:
    """Whatever steps are made within it, afterwards all is as it was, in the same places of the memory.

    What the optimizer began to keep is zero then, as if it had not begun."""
    before = {id(tensor): tensor.detach().clone() for tensor in _tensors(state)}
    devices = [state.device] if state.device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        with torch.no_grad():
            for tensor in _tensors(state):
                tensor.copy_(before[id(tensor)]) if id(tensor) in before else tensor.zero_()
        state.optimizer.zero_grad()


def _tensors(state: State) -> list[Tensor]:
    """All that a step changes."""
    modules = [state.model, *([state.mean] if state.mean else [])]
    found: list[Tensor] = [tensor for module in modules for tensor in (*module.parameters(), *module.buffers())]
    kept = [value for slots in state.optimizer.state.values() for value in slots.values() if isinstance(value, Tensor)]
    return [*found, *kept, state.loss, state.hits]
