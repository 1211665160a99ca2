"""The memory that training takes: what is there all the time, what a step keeps, and the peak.

The convention: bytes that PyTorch's caching allocator hands out on a GPU (`torch.cuda.max_memory_allocated`), in blocks
of 512, for the step that this package's trainer makes, from the second on: the batch as float32 and its labels, the
forward pass (with the gradients of the step before still there, as `zero_grad` comes behind it), the loss, the backward
pass, and the optimizer in the form that PyTorch chooses on a GPU (`foreach`). Not in it are the CUDA context and the
libraries, the workspaces of cuDNN and cuBLAS, what the allocator reserves beyond this, and the data set.
"""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Literal

from cnnspec.analysis.operations import FLOAT, INDEX, Runner
from cnnspec.analysis.steps import joins
from cnnspec.analysis.tape import Tape, Tensor, blocks
from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, Network, nodes
from cnnspec.record import Record

Precision = Literal["float32", "bfloat16"]


class Optimizer(Record):
    """What an optimizer takes for each parameter: `state` numbers that stay, and `scratch` numbers during its step.
    What it counts for each tensor it keeps in the memory of the host."""

    state: int
    scratch: int


OPTIMIZERS = {
    "sgd": Optimizer(0, 0),
    "momentum": Optimizer(1, 0),
    "adam": Optimizer(2, 1),
    "adamw": Optimizer(2, 1),
}


class Plan(Record):
    """What the memory depends on beside the network."""

    batch: int = 128
    optimizer: str = "adamw"
    precision: Precision = "float32"
    ema: bool = False
    weight_decay: bool = False
    """Whether the optimizer adds the weights to the gradients, which takes a copy of these (not adamw)."""


class Held(Record):
    """What a step of the network holds until the backward pass: its output where somebody needs it, and what else it
    keeps (masks, indices, statistics, copies), in bytes."""

    output: int = 0
    extras: int = 0

    @property
    def bytes(self) -> int:
        return self.output + self.extras


class Training(Record):
    """Bytes. `steps` are what the layers and joins of `analysis.steps.steps` hold, in their order; `batch` the batch
    and its labels. Of the three peaks the largest is the one that counts."""

    plan: Plan
    parameters: int
    gradients: int
    buffers: int
    state: int
    ema: int
    batch: int
    steps: tuple[Held, ...]
    loss: int
    forward_peak: int
    backward_peak: int
    optimizer_peak: int

    @property
    def peak(self) -> int:
        return max(self.forward_peak, self.backward_peak, self.optimizer_peak)

    @cached_property
    def activations(self) -> int:
        """All that is kept for the backward pass, beside the batch."""
        return sum(step.bytes for step in self.steps) + self.loss

    @property
    def fixed(self) -> int:
        """What is there whatever the batch."""
        return self.parameters + self.buffers + self.gradients + self.state + self.ema


def training_memory(network: Network, plan: Plan) -> Training:
    """Raises KeyError for an optimizer that is not in `OPTIMIZERS`."""
    weights, kept = _weights(network)
    optimizer = OPTIMIZERS[plan.optimizer]
    parameters, buffers = sum(map(blocks, weights)), sum(map(blocks, kept))
    state = optimizer.state * parameters
    ema = parameters + buffers if plan.ema else 0
    tape = Tape()
    tape.now = parameters + buffers + state + ema
    forward = _Forward(tape, network, plan)
    forward.run(old_gradients=parameters)
    forward_peak, tape.peak = tape.peak, 0
    gradients = sum(storage.size for storage in tape.backward(forward.loss))
    backward_peak = tape.peak
    scratch = (optimizer.scratch + (plan.weight_decay and plan.optimizer != "adamw")) * parameters
    return Training(
        plan, parameters, gradients, buffers, state, ema, forward.batch,
        forward.held(), forward.of_loss, forward_peak, backward_peak, tape.now + scratch,
    )  # fmt: skip


def _weights(network: Network) -> tuple[list[int], list[int]]:
    """The bytes of each parameter and of each buffer."""
    parameters, buffers = [], []
    for placed in network.layers:
        parameters += [prod(shape) * FLOAT for shape in placed.weights.parameters.values()]
        for name, shape in placed.weights.buffers.items():
            buffers.append(prod(shape) * (INDEX if name == "num_batches_tracked" else FLOAT))
    return parameters, buffers


class _Forward:
    """The forward pass, as the modules of `building` run it: a module's input is held while it runs, a branch's output
    until all are joined."""

    def __init__(self, tape: Tape, network: Network, plan: Plan) -> None:
        self.tape, self.network, self.plan = tape, network, plan
        self.runner = Runner(tape, plan.batch, plan.precision == "bfloat16")
        self.at = -1
        self.sides: list[Tensor] = []
        self.batch = self.of_loss = 0
        self.loss: Tensor

    def run(self, old_gradients: int) -> None:
        tape, network, count = self.tape, self.network, self.plan.batch
        x = tape.tensor(count * network.input.elements, FLOAT, network.input.rank == 2)
        labels = tape.take(count * INDEX)
        self.batch = x.storage.size + labels.size
        tape.now += old_gradients
        y = self.items(network.root.items, x)
        self.at = tape.owner = self.at + 1
        self.loss = self._losses([y, *self.sides], count)
        tape.now -= old_gradients

    def _losses(self, outputs: list[Tensor], count: int) -> Tensor:
        """Cross entropy of each output: the logarithms of softmax are kept. The outputs themselves are held on."""
        total = self.tape.tensor(1, FLOAT)
        logs = []
        for output in outputs:
            wide = self.runner.wide(output)
            log = self.tape.tensor(wide.elements, FLOAT)
            self.tape.run([log], [wide], kept=[log])
            self.tape.drop(log.storage)
            logs.append(log)
        weight = self.tape.take(FLOAT)
        self.tape.run([total], logs, kept=[weight])
        return total

    def items(self, items: tuple[Item, ...], x: Tensor) -> Tensor:
        """The output of steps that run one after another, held once more than before."""
        current = x
        for node in nodes(items):
            if isinstance(node, LayerNode):
                self.at = self.tape.owner = self.at + 1
                after = self.runner.layer(node, current)
            elif isinstance(node, GroupNode):
                after = self.items(node.items, current)
            else:
                after = self.branches(node, current)
            if current is not x:
                self.tape.drop(current.storage)
            current = after
        return self.tape.view(x) if current is x else current

    def branches(self, node: CombineNode, x: Tensor) -> Tensor:
        if node.kind == "aux":
            self.sides.append(self.items(node.branches[0], x))
            return _again(self.tape, x)
        if not joins(node):
            return self.items(node.branches[0], x)
        count = len(node.branches)
        shares = self._shares(x, count) if node.options.get("split") else [x] * count
        outputs = [self.items(branch, share) for branch, share in zip(node.branches, shares, strict=True)]
        if node.kind == "residual":
            outputs.insert(0, _again(self.tape, x))
        self.at = self.tape.owner = self.at + 1
        joined = self._concat(node, outputs) if node.kind == "concat" else self._reduced(node, outputs)
        for tensor in [*outputs, *(shares if node.options.get("split") else [])]:
            self.tape.drop(tensor.storage)
        return joined

    def _shares(self, x: Tensor, count: int) -> list[Tensor]:
        shares = [self.tape.view(x, elements=x.elements // count) for _ in range(count)]
        self.tape.run(shares, [x])
        return shares

    def _concat(self, node: CombineNode, outputs: list[Tensor]) -> Tensor:
        item = max(output.item for output in outputs)
        last = all(output.last for output in outputs)
        joined = self.tape.tensor(self.plan.batch * node.output.elements, item, last)
        self.tape.run([joined], outputs, same=True)
        return joined

    def _reduced(self, node: CombineNode, outputs: list[Tensor]) -> Tensor:
        """Two by two, from the left."""
        total = outputs[0]
        for output in outputs[1:]:
            larger = max(total, output, key=lambda each: each.elements)
            joined = self.tape.tensor(larger.elements, max(total.item, output.item), larger.last)
            self._joined(node, joined, total, output)
            if total is not outputs[0]:
                self.tape.drop(total.storage)
            total = joined
        return total if total is not outputs[0] else _again(self.tape, total)

    def _joined(self, node: CombineNode, joined: Tensor, one: Tensor, other: Tensor) -> None:
        if node.kind == "multiply":
            kept = [each for each, partner in ((one, other), (other, one)) if partner.grad]
            spread = one.elements != other.elements
            self.tape.run([joined], [one, other], kept=kept, scratch=joined.elements * joined.item * spread)
        else:
            self.tape.run([joined], [one, other], same=one.elements == other.elements)

    def held(self) -> tuple[Held, ...]:
        """What each step holds: what it made and somebody keeps."""
        outputs, extras = [0] * (self.at + 1), [0] * (self.at + 1)
        for storage in self.tape.kept:
            if storage.owner >= 0:
                (outputs if storage.name == "output" else extras)[storage.owner] += storage.size
        self.of_loss = outputs.pop() + extras.pop()
        return tuple(map(Held, outputs, extras))


def _again(tape: Tape, x: Tensor) -> Tensor:
    """The same tensor, held once more."""
    x.storage.holders += 1
    return x


def largest_batch(network: Network, plan: Plan, limit: int) -> int:
    """The largest batch whose peak is at most `limit` bytes; 0 where not even one sample fits."""

    def fits(batch: int) -> bool:
        return training_memory(network, plan.replace(batch=batch)).peak <= limit

    low, high = 0, 1
    while high <= 1 << 30 and fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
