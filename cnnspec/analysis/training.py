"""The memory that training takes: what is there all the time, what a step keeps, and the peak.

The convention: bytes that PyTorch's caching allocator hands out on a GPU (`torch.cuda.max_memory_allocated`), in blocks
of 512, for the step that `training.loop` makes, from the second on: samples are picked as bytes and made a batch of
float32, then come the forward pass, the loss, the backward pass, and the optimizer in the form that
`analysis.optimizers` describes. Where gradients accumulate it is a pass behind the first, which finds those of the
passes before. Not in it are the CUDA context and the libraries, the workspaces of cuDNN and cuBLAS, what the allocator
reserves beyond this, augmentation, and the data set.
"""

from __future__ import annotations

from functools import cached_property
from math import prod

from cnnspec.analysis.learning import Use, uses
from cnnspec.analysis.operations import BYTE, FLOAT, INDEX, Runner
from cnnspec.analysis.optimizers import scratch_of, state_of, weights_of
from cnnspec.analysis.steps import joins
from cnnspec.analysis.tape import Tape, Tensor, blocks
from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, Network, layers, nodes
from cnnspec.recipe import Recipe
from cnnspec.record import Record


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
    and its labels. Of the five peaks the largest is the one that counts."""

    recipe: Recipe
    parameters: int
    gradients: int
    buffers: int
    state: int
    ema: int
    batch: int
    steps: tuple[Held, ...]
    loss: int
    batch_peak: int
    forward_peak: int
    backward_peak: int
    optimizer_peak: int
    measuring_peak: int

    @property
    def peak(self) -> int:
        step = max(self.batch_peak, self.forward_peak, self.backward_peak, self.optimizer_peak)
        return max(step, self.measuring_peak)

    @cached_property
    def activations(self) -> int:
        """All that is kept for the backward pass, beside the batch."""
        return sum(step.bytes for step in self.steps) + self.loss

    @property
    def fixed(self) -> int:
        """What is there whatever the batch."""
        return self.parameters + self.buffers + self.gradients + self.state + self.ema


def training_memory(network: Network, recipe: Recipe) -> Training:
    """Of the last epoch, in which most learns. Where the recipe leaves the precision open it is float32."""
    used = uses(network, recipe)
    weights = weights_of(network, recipe, used)
    parameters, buffers = sum(weight.bytes for weight in weights), _buffers(network)
    gradients = sum(weight.bytes for weight in weights if weight.learns)
    state, ema = state_of(recipe.optimizer, weights), (parameters + buffers) * bool(recipe.ema)
    batch = _Batch(network, recipe)
    tape = Tape()
    tape.now = parameters + buffers + state + ema + gradients * (recipe.accumulate > 1)
    batch_peak = tape.now + batch.making + batch.before
    forward = _Forward(tape, network, recipe, used)
    forward.run(batch)
    forward_peak, tape.peak = tape.peak + batch.outputs_before, 0
    tape.backward(forward.loss, added=recipe.accumulate > 1)
    optimizer_peak = tape.now + scratch_of(recipe.optimizer, weights)
    fixed = parameters + buffers + gradients + state + ema
    return Training(
        recipe, parameters, gradients, buffers, state, ema, batch.samples + batch.labels,
        forward.held(), forward.of_loss, batch_peak, forward_peak, tape.peak, optimizer_peak,
        fixed + _measuring(network, recipe, used),
    )  # fmt: skip


def _measuring(network: Network, recipe: Recipe, used: list[Use]) -> int:
    """What measuring takes for a moment, with which an epoch ends: twice as many samples, no gradients, a table of the
    classes that were taken for others, and the outputs for the samples before, which have their name until then."""
    tape, twice = Tape(recording=False), recipe.replace(batch=2 * recipe.batch)
    classes = max(2, network.output.elements)
    tape.take(classes**2 * INDEX)
    tape.take(twice.batch * network.output.elements * FLOAT)
    forward = _Forward(tape, network, twice, [use.replace(rests=True) for use in used], measuring=True)
    x = forward.input()
    if network.input.rank == 2:
        tape.meanwhile(x.storage.size)  # bytes as floats, before they are normalised
    outputs = forward.items(network.root.items, x)
    tape.drop(x.storage)
    forward.runner.forget()
    tape.meanwhile(2 * outputs.storage.size)
    return tape.peak


def _buffers(network: Network) -> int:
    sizes = (
        prod(shape) * (INDEX if name == "num_batches_tracked" else FLOAT)
        for placed in network.layers
        for name, shape in placed.weights.buffers.items()
    )
    return sum(map(blocks, sizes))


class _Batch:
    """The bytes of a batch. Mixed samples are made of two each, and have two labels and a share."""

    def __init__(self, network: Network, recipe: Recipe) -> None:
        count, pair = recipe.batch, 2 if recipe.mix else 1
        picked = count * pair * network.input.elements
        self.samples = blocks(count * network.input.elements * FLOAT)
        self.labels = blocks(count * pair * INDEX) + (blocks(count * FLOAT) if recipe.mix else 0)
        images = network.input.rank == 2
        normalising = blocks(picked * (BYTE if images else FLOAT)) + (2 if images else 1) * blocks(picked * FLOAT)
        place = count * images * prod(network.input.spatial)
        mixing = blocks(picked * FLOAT) + 2 * self.samples + blocks(place * BYTE) + blocks(place * FLOAT)
        self.making = self.labels + max(normalising, mixing * bool(recipe.mix))
        """At once: what is picked, as floats, and these normalised; or these mixed, patched, and where."""
        outputs = (1 + _sides(network.root.items)) * blocks(count * network.output.elements * FLOAT)
        self.outputs_before = (outputs + blocks(FLOAT)) * (recipe.accumulate > 1)
        """Those of the pass before, and its loss: they have their names until there are others."""
        self.before = self.outputs_before + (self.samples + self.labels) * (recipe.accumulate > 1)


def _sides(items: tuple[Item, ...]) -> int:
    """How many side outputs there are."""
    count = 0
    for node in nodes(items):
        if isinstance(node, GroupNode):
            count += _sides(node.items)
        elif isinstance(node, CombineNode):
            count += sum(map(_sides, node.branches)) + (node.kind == "aux")
    return count


class _Forward:
    """The forward pass, as the modules of `building` run it: a module's input is held while it runs, a branch's output
    until all are joined."""

    def __init__(self, tape: Tape, network: Network, recipe: Recipe, used: list[Use], measuring: bool = False) -> None:
        self.tape, self.network, self.recipe, self.used = tape, network, recipe, iter(used)
        self.measuring = measuring
        self.runner = Runner(tape, recipe.batch, recipe.precision == "bfloat16")
        self.at = -1
        self.sides: list[Tensor] = []
        self.of_loss = 0
        self.loss: Tensor

    def run(self, batch: _Batch) -> None:
        x = self.input()
        self.tape.take(batch.labels)
        y = self.items(self.network.root.items, x)
        self.runner.forget()
        self.at = self.tape.owner = self.at + 1
        self.loss = self._losses([y, *self.sides])

    def input(self) -> Tensor:
        """Images have their channels innermost; with a single one they stay as they are."""
        shape = self.network.input
        return self.tape.tensor(self.recipe.batch * shape.elements, FLOAT, shape.rank == 2 and shape.channels > 1)

    def _losses(self, outputs: list[Tensor]) -> Tensor:
        """Cross entropy of each output: the logarithms of softmax are kept, of mixed samples also with the sign turned.
        The outputs themselves are held on."""
        total = self.tape.tensor(1, FLOAT)
        logs = []
        for output in outputs:
            wide = self.runner.wide(output)
            log = self.tape.tensor(wide.elements, FLOAT)
            self.tape.run([log], [wide], kept=[log])
            self.tape.drop(log.storage)
            if self.recipe.mix:
                turned = self.tape.tensor(wide.elements, FLOAT)
                self.tape.run([turned], [log], kept=[turned])
                self.tape.drop(turned.storage)
                log = turned
            logs.append(log)
        weight = self.tape.take(FLOAT)
        scratch = logs[0].elements * FLOAT * bool(self.recipe.mix)
        self.tape.run([total], logs, kept=[weight], scratch=scratch)
        return total

    def items(self, items: tuple[Item, ...], x: Tensor) -> Tensor:
        """The output of steps that run one after another, held once more than before."""
        current = self.tape.again(x)
        for node in nodes(items):
            if isinstance(node, LayerNode):
                self.at = self.tape.owner = self.at + 1
                after = self.runner.layer(next(self.used), current)
            elif isinstance(node, GroupNode):
                after = self.items(node.items, current)
            else:
                after = self.branches(node, current)
            self.tape.drop(current.storage)
            current = after
        return current

    def branches(self, node: CombineNode, x: Tensor) -> Tensor:
        if node.kind == "aux" and self.measuring:
            return self._passed_by(node, x)
        if node.kind == "aux":
            self.sides.append(self.items(node.branches[0], x))
            return self.tape.again(x)
        if not joins(node):
            return self.items(node.branches[0], x)
        count = len(node.branches)
        shares = self._shares(x, count) if node.options.get("split") else [x] * count
        outputs = [self.items(branch, share) for branch, share in zip(node.branches, shares, strict=True)]
        if node.kind == "residual":
            outputs.insert(0, self.tape.again(x))
        self.at = self.tape.owner = self.at + 1
        joined = self._concat(node, outputs) if node.kind == "concat" else self._reduced(node, outputs)
        for tensor in [*outputs, *(shares if node.options.get("split") else [])]:
            self.tape.drop(tensor.storage)
        return joined

    def _passed_by(self, node: CombineNode, x: Tensor) -> Tensor:
        for _ in layers(node.branches[0]):
            next(self.used)
        return self.tape.again(x)

    def _shares(self, x: Tensor, count: int) -> list[Tensor]:
        shares = [self.tape.view(x, elements=x.elements // count) for _ in range(count)]
        self.tape.run(shares, [x])
        return shares

    def _concat(self, node: CombineNode, outputs: list[Tensor]) -> Tensor:
        item = max(output.item for output in outputs)
        last = all(output.last for output in outputs)
        joined = self.tape.tensor(self.recipe.batch * node.output.elements, item, last)
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
        return total if total is not outputs[0] else self.tape.again(total)

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


def largest_batch(network: Network, recipe: Recipe, limit: int) -> int:
    """The largest batch whose peak is at most `limit` bytes; 0 where not even one sample fits."""

    def fits(batch: int) -> bool:
        return training_memory(network, recipe.replace(batch=batch)).peak <= limit

    low, high = 0, 1
    while high <= 1 << 30 and fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
