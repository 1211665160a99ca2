"""What PyTorch does for each layer on a GPU: which tensors it makes, and which it keeps for the backward pass.

A layer that is one operation says itself what that keeps (`Layer.keeps`); those that do more stand here. This is
PyTorch 2.13's `derivatives.yaml` and its composite operations, as a table. What is kept was compared with what
`torch.autograd.graph.saved_tensors_hooks` reports, layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from cnnspec.analysis.learning import Use
from cnnspec.analysis.tape import Storage, Tape, Tensor
from cnnspec.layers.base import Shape

FLOAT, HALF, INDEX, BYTE = 4, 2, 8, 1


class Runner:
    """Runs layers on a tape, `batch` samples at once. `half` tells that convolutions and linear layers compute in
    bfloat16 (autocast): their inputs and weights are turned into it first."""

    def __init__(self, tape: Tape, batch: int, half: bool) -> None:
        self.tape, self.batch, self.half = tape, batch, half
        self.cached: list[Storage] = []
        """What autocast holds until the forward pass is over: weights that learn, in bfloat16."""

    def layer(self, node: Use, x: Tensor) -> Tensor:
        """The output of a layer, held once; the input stays held by who holds it."""
        special = SPECIAL.get(node.layer.word)
        return special(self, node, x) if special else self.plain(node, x, keeps_input=node.layer.keeps == "input")

    # -------------------------------------------------------------------------------------------------------- pieces

    def plain(
        self,
        node: Use,
        x: Tensor,
        *,
        keeps_input: bool = False,
        more: tuple[Storage, ...] = (),
        last: bool | None = None,
        scratch: int = 0,
    ) -> Tensor:
        """One operation that makes a new tensor. What is in `more` is held once already, and kept; backwards it makes
        so many tensors like the input for a moment (`scratch`)."""
        x, given = self.wide(x) if node.layer.word in IN_FLOAT else x, x
        y = self.made(node, x, last)
        kept: list[Tensor | Storage] = [*([x] if keeps_input else []), *more]
        kept += [y] if node.layer.keeps == "output" else []
        self.tape.run([y], [x], kept=kept, parameters=gradients(node), scratch=scratch * x.elements * x.item)
        self.release(x, given, *more)
        return y

    def made(self, node: Use, x: Tensor, last: bool | None = None) -> Tensor:
        """A tensor of the layer's output, in the layout of its input."""
        return self.tape.tensor(self.batch * node.output.elements, x.item, x.last if last is None else last)

    def extra(self, count: int, item: int = FLOAT, name: str = "statistics") -> Storage:
        return self.tape.take(count * item, name)

    def release(self, x: Tensor, given: Tensor, *more: Storage) -> None:
        """Drops a converted input, and what was only made to be kept."""
        if x is not given:
            self.tape.drop(x.storage)
        for storage in more:
            self.tape.drop(storage)

    def cast(self, x: Tensor, item: int) -> Tensor:
        if x.item == item:
            return x
        y = self.tape.tensor(x.elements, item, x.last)
        self.tape.run([y], [x])
        return y

    def narrow(self, x: Tensor) -> Tensor:
        return self.cast(x, HALF) if self.half else x

    def wide(self, x: Tensor) -> Tensor:
        return self.cast(x, FLOAT)

    def copied(self, x: Tensor, last: bool, elements: int | None = None) -> Tensor:
        """A copy in another layout."""
        y = self.tape.tensor(x.elements if elements is None else elements, x.item, last)
        self.tape.run([y], [x])
        return y

    # -------------------------------------------------------------------------------------------------------- layers

    def weighted(self, node: Use, x: Tensor, given: Tensor, keeps_input: bool = True) -> Tensor:
        """A convolution or linear layer on `x`, which was made of `given` and is dropped if it is another."""
        wide = x
        x = self.narrow(wide)
        self.release(wide, x) if wide is not given and x is not wide else None
        y = self.tape.tensor(self.batch * node.output.elements, HALF if self.half else x.item, node.output.rank == 2)
        halves = {key: self.lowered(node, key) for key in node.weights.parameters} if self.half else {}
        kept = [*([x] if keeps_input else []), *list(halves.values())[:1]]
        self.tape.run([y], [x, *halves.values()], kept=kept, parameters=[] if self.half else gradients(node))
        self.release(x, given, *(half.storage for key, half in halves.items() if key not in node.learns))
        return y

    def lowered(self, node: Use, key: str) -> Tensor:
        """A parameter in bfloat16, whose gradient is turned into one of float32."""
        count = prod(node.weights.parameters[key])
        half = Tensor(self.extra(count, HALF, "weights in bfloat16"), count, HALF, False, False)
        self.tape.run([half], [], parameters=[count * FLOAT] if key in node.learns else [])
        if key in node.learns:
            self.cached.append(half.storage)
        return half

    def forget(self) -> None:
        """The forward pass is over."""
        for storage in self.cached:
            self.tape.drop(storage)
        self.cached.clear()

    def conv(self, node: Use, x: Tensor) -> Tensor:
        layer: Any = node.layer
        sides = [(slide.before, slide.after) for slide in layer.slides(node.input)]
        uneven = any(before != after for before, after in sides)
        if layer.padding_mode == "zeros" and not uneven:
            return self.weighted(node, x, x)
        sizes = [size + before + after for size, (before, after) in zip(node.input.spatial, sides, strict=True)]
        if layer.padding_mode == "zeros":
            low = [size + abs(b - a) for size, (b, a) in zip(node.input.spatial, sides, strict=True)]
            sizes = low
        padded = self.tape.tensor(self.batch * node.input.channels * prod(sizes), x.item, x.last)
        keeps = [x] if layer.padding_mode in ("reflect", "replicate") else []
        self.tape.run([padded], [x], kept=keeps)
        return self.weighted(node, padded, x)

    def transposed(self, node: Use, x: Tensor) -> Tensor:
        return self.weighted(node, x, x)

    def linear(self, node: Use, x: Tensor) -> Tensor:
        """Rows must lie one behind the other. Only the gradient of the weight asks for them, where that of a
        convolution's input comes with it."""
        given = x
        if scattered(x, node.input):
            x = self.copied(x, node.input.channels_last)
        y = self.weighted(node, x, given, keeps_input="weight" in node.learns)
        y.last = node.output.channels_last
        return y

    def pooled_with_indices(self, node: Use, x: Tensor) -> Tensor:
        indices = self.extra(self.batch * node.output.elements, INDEX, "indices")
        return self.plain(node, x, keeps_input=True, more=(indices,))

    def adaptive_avgpool(self, node: Use, x: Tensor) -> Tensor:
        """To one value it is a mean, which needs nothing of its input."""
        return self.plain(node, x, keeps_input=max(node.output.spatial) > 1)

    def lp_pool(self, node: Use, x: Tensor) -> Tensor:
        """Powers, their mean, the mean's sign and size, their product and its root: each is kept for the next."""
        x, given = self.wide(x), x
        powers = self.tape.tensor(x.elements, FLOAT, x.last)
        self.tape.run([powers], [x], kept=[x], scratch=2 * x.elements * FLOAT)
        self.release(x, given)
        before = powers
        for _ in range(4):
            y = self.made(node, powers)
            self.tape.run([y], [before], kept=[before])
            self.tape.drop(before.storage)
            before = y
        y = self.made(node, powers)
        self.tape.run([y], [before], kept=[before])
        self.tape.drop(before.storage)
        return y

    def batchnorm(self, node: Use, x: Tensor) -> Tensor:
        statistics = (self.extra(node.input.channels), self.extra(node.input.channels))
        return self.plain(node, x, keeps_input=True, more=statistics)

    def instancenorm(self, node: Use, x: Tensor) -> Tensor:
        """Batchnorm of a batch of one with as many channels as samples have together."""
        x, given = (self.copied(x, False) if x.part or scattered(x, node.input) else x), x
        count = self.batch * node.input.channels
        factors = (self.extra(count),) if node.weights.parameters else ()
        y = self.plain(node, x, keeps_input=True, more=(*factors, self.extra(count), self.extra(count)), last=False)
        self.release(x, given)
        return y

    def groupnorm(self, node: Use, x: Tensor) -> Tensor:
        layer: Any = node.layer
        x, given = (self.copied(x, False) if x.part or scattered(x, node.input) else x), x
        count = self.batch * layer.groups
        y = self.plain(node, x, keeps_input=True, more=(self.extra(count), self.extra(count)), last=False)
        self.release(x, given)
        return y

    def layernorm(self, node: Use, x: Tensor) -> Tensor:
        layer: Any = node.layer
        count = x.elements // prod(layer.normalized(node.input))
        statistics = (self.extra(count), self.extra(count))
        last = layer.across(node.input) or node.input.channels_last
        return self.plain(node, x, keeps_input=True, more=statistics, last=last)

    def rmsnorm(self, node: Use, x: Tensor) -> Tensor:
        layer: Any = node.layer
        count = x.elements // prod(layer.normalized(node.input))
        root = self.extra(count)
        if not layer.affine:
            return self.plain(node, x, keeps_input=True, more=(root,))
        normal = [self.extra(x.elements, FLOAT, "normalised")] if node.learns else []
        if x.grad:
            return self.plain(node, x, keeps_input=True, more=(root, *normal))
        self.tape.drop(root)
        return self.plain(node, x, more=tuple(normal))

    def local_response(self, node: Use, x: Tensor) -> Tensor:
        """Squares, padded along the channels, their means, and these to a power, by which the input is divided."""
        layer: Any = node.layer
        x, given = self.wide(x), x
        per_channel = x.elements // node.input.channels
        if not x.grad:
            self.tape.meanwhile((per_channel * (node.input.channels + layer.size - 1) + x.elements) * FLOAT)
            y = self.plain(node, x)
            self.tape.meanwhile(x.elements * FLOAT)
            self.release(x, given)
            return y
        squares = self.tape.take(x.elements * FLOAT)
        padded = self.extra(per_channel * (node.input.channels + layer.size - 1), FLOAT, "padded squares")
        self.tape.drop(squares)
        self.tape.meanwhile(2 * x.elements * FLOAT)
        sums = (self.extra(x.elements, FLOAT, "sums"), self.extra(x.elements, FLOAT, "powers"))
        y = self.plain(node, x, keeps_input=True, more=(padded, *sums), scratch=3)
        self.release(x, given)
        return y

    def scale(self, node: Use, x: Tensor) -> Tensor:
        """The product with factors in float32, which its backward pass makes as large as the map before it sums up."""
        y = self.tape.tensor(x.elements, FLOAT, x.last)
        kept, scratch = ([x], x.elements * FLOAT) if node.learns else ([], 0)
        self.tape.run([y], [x], kept=kept, parameters=gradients(node), scratch=scratch)
        return y

    def dropout(self, node: Use, x: Tensor) -> Tensor:
        layer: Any = node.layer
        if node.rests or layer.p in (0, 1):
            return self.all_or_nothing(node, x)
        return self.plain(node, x, more=(self.extra(x.elements, BYTE, "mask"),))

    def all_or_nothing(self, node: Use, x: Tensor) -> Tensor:
        layer: Any = node.layer
        return self.plain(node, x, more=(self.extra(1),)) if layer.p and not node.rests else self.tape.again(x)

    def alpha_dropout(self, node: Use, x: Tensor) -> Tensor:
        layer: Any = node.layer
        if node.rests or layer.p in (0, 1):
            return self.all_or_nothing(node, x)
        return self.plain(node, x, more=(self.extra(x.elements, x.item, "noise"),))

    def channel_dropout(self, node: Use, x: Tensor) -> Tensor:
        layer: Any = node.layer
        if node.rests or layer.p in (0, 1):
            return self.all_or_nothing(node, x)
        return self.plain(node, x, more=(self.extra(self.batch * node.input.channels, x.item, "noise"),))

    def stochastic_depth(self, node: Use, x: Tensor) -> Tensor:
        layer: Any = node.layer
        if node.rests or not layer.p:
            return self.tape.again(x)
        draws = self.batch if layer.mode == "row" else 1
        return self.plain(node, x, more=(self.extra(draws, x.item, "draws"),))

    def rrelu(self, node: Use, x: Tensor) -> Tensor:
        return self.plain(node, x, keeps_input=True, more=(self.extra(x.elements, x.item, "slopes"),))

    def prelu(self, node: Use, x: Tensor) -> Tensor:
        """Backwards it makes a gradient of the slopes for every value before it sums them up."""
        return self.plain(node, x, keeps_input=True, scratch=1)

    def softsign(self, node: Use, x: Tensor) -> Tensor:
        return self.plain(node, x, keeps_input=True, more=(self.extra(x.elements, x.item, "divisor"),), scratch=3)

    def tanhshrink(self, node: Use, x: Tensor) -> Tensor:
        return self.plain(node, x, more=(self.extra(x.elements, x.item, "tanh"),), scratch=1)

    def identity(self, node: Use, x: Tensor) -> Tensor:
        return self.tape.again(x)

    def flatten(self, node: Use, x: Tensor) -> Tensor:
        """A copy where the numbers do not lie in the order of the axes."""
        return self.copied(x, False) if scattered(x, node.input) else self.seen(x, False)

    def seen(self, x: Tensor, last: bool) -> Tensor:
        """The same numbers in another shape, where that takes no copy."""
        y = self.tape.view(x, last=last)
        self.tape.run([y], [x], same=True)
        return y

    def unflatten(self, node: Use, x: Tensor) -> Tensor:
        return self.seen(x, False)

    def permuted(self, node: Use, x: Tensor) -> Tensor:
        return self.seen(x, x.last)

    def shuffled(self, node: Use, x: Tensor) -> Tensor:
        return self.plain(node, x, last=False)

    def channel_shuffle(self, node: Use, x: Tensor) -> Tensor:
        layer: Any = node.layer
        if layer.groups == 1:
            return self.seen(x, x.last)
        moves = layer.groups < node.input.channels or scattered(x, node.input)
        return self.shuffled(node, x) if moves else self.seen(x, False)

    def pad(self, node: Use, x: Tensor) -> Tensor:
        mode: str = node.layer.mode  # type: ignore[attr-defined]
        if mode == "zeros":
            return self.plain(node, x)
        return self.plain(node, x, keeps_input=mode != "circular", last=False)

    def softmax(self, node: Use, x: Tensor) -> Tensor:
        """In the order of the axes."""
        return self.plain(node, x, last=node.output.channels_last)


def scattered(x: Tensor, shape: Shape) -> bool:
    """Whether the numbers lie in another order than that of the axes."""
    return shape.rank > 0 and x.last != shape.channels_last and shape.channels > 1 and max(shape.spatial) > 1


def gradients(node: Use) -> list[int]:
    """The bytes of the gradients of a layer's parameters that learn."""
    return [prod(node.weights.parameters[key]) * FLOAT for key in node.learns]


IN_FLOAT = {"softmax", "log_softmax", "softmin", "softplus", "groupnorm", "layernorm", "rmsnorm"}
"""Layers that autocast computes in float32."""

SPECIAL: dict[str, Callable[[Runner, Use, Tensor], Tensor]] = {
    "conv": Runner.conv,
    "conv_transpose": Runner.transposed,
    "linear": Runner.linear,
    "maxpool": Runner.pooled_with_indices,
    "adaptive_maxpool": Runner.pooled_with_indices,
    "adaptive_avgpool": Runner.adaptive_avgpool,
    "lp_pool": Runner.lp_pool,
    "batchnorm": Runner.batchnorm,
    "instancenorm": Runner.instancenorm,
    "groupnorm": Runner.groupnorm,
    "layernorm": Runner.layernorm,
    "rmsnorm": Runner.rmsnorm,
    "local_response_norm": Runner.local_response,
    "scale": Runner.scale,
    "dropout": Runner.dropout,
    "alpha_dropout": Runner.alpha_dropout,
    "channel_dropout": Runner.channel_dropout,
    "feature_alpha_dropout": Runner.channel_dropout,
    "stochastic_depth": Runner.stochastic_depth,
    "prelu": Runner.prelu,
    "rrelu": Runner.rrelu,
    "softsign": Runner.softsign,
    "tanhshrink": Runner.tanhshrink,
    "identity": Runner.identity,
    "softmax": Runner.softmax,
    "log_softmax": Runner.softmax,
    "softmin": Runner.softmax,
    "flatten": Runner.flatten,
    "unflatten": Runner.unflatten,
    "channels_last": Runner.permuted,
    "channels_first": Runner.permuted,
    "pixel_shuffle": Runner.shuffled,
    "channel_shuffle": Runner.channel_shuffle,
    "pad": Runner.pad,
}
