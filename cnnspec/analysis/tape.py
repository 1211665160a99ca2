"""The memory of one step of training, as a tape: operations with what they keep for the backward pass.

This follows PyTorch's autograd and its caching allocator: a tensor is freed when nothing holds it any more (the code
that is running, or an operation that keeps it for its backward pass), gradients flow back in the reverse order in which
operations ran, and every tensor takes whole blocks of 512 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

BLOCK = 512


def blocks(size: int) -> int:
    """The bytes that the allocator takes for so many."""
    return -(-size // BLOCK) * BLOCK


class Storage:
    """Bytes that tensors share. `owner` numbers the step of the network that made them, -1 for what was there before;
    `name` says what they are."""

    __slots__ = ("holders", "name", "owner", "size")

    def __init__(self, size: int, owner: int, name: str) -> None:
        self.size, self.owner, self.name, self.holders = size, owner, name, 0


class Tensor:
    """A view of a storage. `grad` tells whether a gradient flows back through it; `last` whether the channels lie
    innermost in memory, whatever the order of the axes, `part` whether others lie between its samples."""

    __slots__ = ("elements", "grad", "item", "last", "part", "storage")

    def __init__(self, storage: Storage, elements: int, item: int, last: bool, grad: bool) -> None:
        self.storage, self.elements, self.item, self.last, self.grad = storage, elements, item, last, grad
        self.part = False


class Operation:
    """What runs backwards. `flows` are the inputs that get a gradient, each with whether that is the output's own
    (a view of it, or the same); `parameters` the bytes of parameters' gradients, `scratch` those taken meanwhile."""

    __slots__ = ("flows", "kept", "outputs", "parameters", "scratch")

    def __init__(
        self,
        outputs: Sequence[Tensor],
        flows: Sequence[tuple[Tensor, bool]],
        kept: Sequence[Storage],
        parameters: Sequence[int],
        scratch: int,
    ) -> None:
        self.outputs, self.flows, self.kept = outputs, flows, kept
        self.parameters, self.scratch = parameters, scratch


class Tape:
    """Runs operations forwards, then backwards, and knows what is allocated at every moment. Sizes are bytes. Without
    `recording` it runs them forwards alone, and nothing is kept."""

    def __init__(self, recording: bool = True) -> None:
        self.recording = recording
        self.now = self.peak = 0
        self.operations: list[Operation] = []
        self.owner = -1
        self.kept: dict[Storage, None] = {}
        """All that was kept for the backward pass, in the order it was."""

    # ------------------------------------------------------------------------------------------------------ memory

    def take(self, size: int, name: str = "output") -> Storage:
        """A new storage, held once."""
        storage = Storage(blocks(size), self.owner, name)
        self.now += storage.size
        self.peak = max(self.peak, self.now)
        storage.holders = 1
        return storage

    def drop(self, storage: Storage) -> None:
        storage.holders -= 1
        if not storage.holders:
            self.now -= storage.size

    def meanwhile(self, size: int) -> None:
        """So much more is taken for a moment."""
        self.peak = max(self.peak, self.now + blocks(size))

    # ----------------------------------------------------------------------------------------------------- forwards

    def tensor(self, elements: int, item: int = 4, last: bool = False, grad: bool = False) -> Tensor:
        return Tensor(self.take(elements * item), elements, item, last, grad)

    def again(self, x: Tensor) -> Tensor:
        """The same tensor, held once more."""
        x.storage.holders += 1
        return x

    def view(self, x: Tensor, *, elements: int | None = None, last: bool | None = None) -> Tensor:
        """Another tensor on the same storage, to be made by an operation."""
        self.again(x)
        count = x.elements if elements is None else elements
        y = Tensor(x.storage, count, x.item, x.last if last is None else last, x.grad)
        y.part = x.part or count < x.elements
        return y

    def run(
        self,
        outputs: Sequence[Tensor],
        inputs: Sequence[Tensor],
        *,
        kept: Sequence[Tensor | Storage] = (),
        same: bool = False,
        parameters: Sequence[int] = (),
        scratch: int = 0,
    ) -> None:
        """Notes an operation that made these outputs. Where no gradient flows nothing is kept."""
        if not self.recording:
            return
        flowing = [x for x in inputs if x.grad]
        for output in outputs:
            output.grad = bool(flowing or parameters)
        if not flowing and not parameters:
            return
        storages = [each.storage if isinstance(each, Tensor) else each for each in kept]
        for storage in storages:
            storage.holders += 1
            self.kept[storage] = None
        self.operations.append(Operation(outputs, [(x, same) for x in flowing], storages, parameters, scratch))

    # ---------------------------------------------------------------------------------------------------- backwards

    def backward(self, loss: Tensor, *, added: bool = False) -> None:
        """The gradients of the parameters stay, or are added to those that are there."""
        gradients: dict[Tensor, Storage] = {loss: self.take(loss.elements * loss.item, "gradient")}
        for operation in reversed(self.operations):
            arrived = [gradients.pop(output) for output in operation.outputs if output in gradients]
            fresh = [self.take(size, "gradient of a parameter") for size in operation.parameters if arrived]
            if arrived:
                flowing = [self._flow(x, same, arrived[0]) for x, same in operation.flows]
                self.meanwhile(operation.scratch)
            for storage in operation.kept:
                self.drop(storage)
            for storage in [*arrived, *(fresh if added else [])]:
                self.drop(storage)
            if arrived:
                for (x, _), storage in zip(operation.flows, flowing, strict=True):
                    self._gather(gradients, x, storage)
        self.operations.clear()
        for storage in gradients.values():
            self.drop(storage)

    def _flow(self, x: Tensor, same: bool, arrived: Storage) -> Storage:
        if same:
            arrived.holders += 1
            return arrived
        return self.take(x.elements * x.item, "gradient")

    def _gather(self, gradients: dict[Tensor, Storage], x: Tensor, storage: Storage) -> None:
        """Gradients that reach a tensor on several ways are summed up, in place where nobody else looks at the sum."""
        before = gradients.get(x)
        if before is None:
            gradients[x] = storage
        elif before.holders == 1:
            self.drop(storage)
        else:
            gradients[x] = self.take(x.elements * x.item, "gradient")
            self.drop(before)
            self.drop(storage)
