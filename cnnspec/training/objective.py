"""The loss, as the output of a network asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnspec.analysis.steps import joins
from cnnspec.layers.activation import AlongAxis
from cnnspec.layers.base import Shape
from cnnspec.layers.dropout import ChannelDropout, Dropout
from cnnspec.layers.shape import Flatten, Identity
from cnnspec.network.model import CombineNode, GroupNode, Item, LayerNode, Network, nodes
from cnnspec.training.error import TrainError
from cnnspec.training.mixing import Mixed

SMALLEST = torch.finfo(torch.float32).tiny


@dataclass(frozen=True)
class Objective:
    """What the outputs [N, K] of a network mean, K being 1 or the number of classes.

    `loss(outputs, y)` is the mean over the batch, `each(outputs)` what it would be for every sample with every label,
    [N, classes], and `probabilities(outputs)` are [N, classes]. `about` says in words what the loss is.
    """

    about: str
    loss: Callable[[Tensor, Tensor], Tensor]
    each: Callable[[Tensor], Tensor]
    probabilities: Callable[[Tensor], Tensor]


def two_sided(p: Tensor) -> Tensor:
    """The probability [N, 1] of the second of two classes as those of both."""
    return torch.cat((1 - p, p), dim=1)


def never_infinite(p: Tensor) -> Tensor:
    """The logarithm as binary cross entropy takes it in PyTorch."""
    return p.log().clamp_min(-100)


def against_the_rest(outputs: Tensor) -> Tensor:
    right, wrong = -never_infinite(outputs), -never_infinite(1 - outputs)
    return (wrong.sum(1, keepdim=True) + right - wrong) / outputs.shape[1]


def one_hot(outputs: Tensor, y: Tensor) -> Tensor:
    return torch.zeros_like(outputs).scatter_(1, y.unsqueeze(1), 1.0)  # that of torch looks at y on the host


CROSS_ENTROPY = Objective(
    "cross entropy",
    F.cross_entropy,
    lambda outputs: -outputs.log_softmax(1),
    lambda outputs: outputs.softmax(1),
)
CROSS_ENTROPY_OF_PROBABILITIES = Objective(
    "cross entropy of the probabilities that softmax gives; without that layer the network would train better, "
    "because the loss takes the softmax itself, in one step with the logarithm",
    lambda outputs, y: F.nll_loss(outputs.clamp_min(SMALLEST).log(), y),
    lambda outputs: -outputs.clamp_min(SMALLEST).log(),
    lambda outputs: outputs,
)
NEGATIVE_LOG_LIKELIHOOD = Objective(
    "negative log likelihood, because the network ends in log_softmax",
    F.nll_loss,
    lambda outputs: -outputs,
    lambda outputs: outputs.exp(),
)
BINARY = Objective(
    "binary cross entropy, because there is one output: the sigmoid is part of the loss",
    lambda outputs, y: F.binary_cross_entropy_with_logits(outputs.squeeze(1), y.to(outputs.dtype)),
    lambda outputs: torch.cat((F.softplus(outputs), F.softplus(-outputs)), dim=1),
    lambda outputs: two_sided(outputs.sigmoid()),
)
BINARY_OF_PROBABILITIES = Objective(
    "binary cross entropy of the probability that sigmoid gives",
    lambda outputs, y: F.binary_cross_entropy(outputs.squeeze(1), y.to(outputs.dtype)),
    lambda outputs: -never_infinite(two_sided(outputs)),
    two_sided,
)
ONE_AGAINST_REST = Objective(
    "binary cross entropy of each class against the rest, because the network ends in sigmoid",
    lambda outputs, y: F.binary_cross_entropy(outputs, one_hot(outputs, y)),
    against_the_rest,
    lambda outputs: outputs / outputs.sum(1, keepdim=True).clamp_min(SMALLEST),
)


def smoothed(objective: Objective, share: float) -> Objective:
    """The loss as if `share` of each label were spread evenly over all classes."""
    if not share:
        return objective

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        if objective is CROSS_ENTROPY:
            return F.cross_entropy(outputs, y, label_smoothing=share)
        return (1 - share) * objective.loss(outputs, y) + share * objective.each(outputs).mean()

    def each(outputs: Tensor) -> Tensor:
        losses = objective.each(outputs)
        return (1 - share) * losses + share * losses.mean(1, keepdim=True)

    return replace(objective, loss=loss, each=each)


def loss_of(objective: Objective, outputs: Tensor, y: Tensor | Mixed) -> Tensor:
    """The mean over the batch, also of samples with two labels."""
    if isinstance(y, Tensor):
        return objective.loss(outputs, y)
    losses = objective.each(outputs)
    first, second = (losses.gather(1, label.unsqueeze(1)).squeeze(1) for label in (y.first, y.second))
    return torch.lerp(second, first, y.share).mean()


BY_LAST_LAYER = {
    "softmax": CROSS_ENTROPY_OF_PROBABILITIES,
    "softmin": CROSS_ENTROPY_OF_PROBABILITIES,
    "log_softmax": NEGATIVE_LOG_LIKELIHOOD,
    "sigmoid": ONE_AGAINST_REST,
}


def objective_of(network: Network) -> Objective:
    """The loss for a network whose output is a vector."""
    return objective_behind(network.root.items, network.output)


def objective_behind(items: tuple[Item, ...], output: Shape) -> Objective:
    """Cross entropy for several outputs, binary cross entropy for one, each as the last of these steps leaves the
    numbers."""
    last = _meaning(items, output.elements)
    if output.elements > 1:
        return BY_LAST_LAYER.get(last, CROSS_ENTROPY)
    if last in ("softmax", "softmin", "log_softmax"):
        raise TrainError(
            f"{last} over one output gives the same number for every sample: there is nothing to learn",
            "leave it out, or write sigmoid in its place",
        )
    return BINARY_OF_PROBABILITIES if last == "sigmoid" else BINARY


def _meaning(items: tuple[Item, ...], outputs: int) -> str:
    """The last layer that makes probabilities of the outputs, or their logarithms; empty where they are plain scores.

    Raises `TrainError` where dropout makes something else of them."""
    dropout = ""
    for node in _backwards(items):
        if isinstance(node, CombineNode):
            return ""
        if isinstance(node.layer, Dropout | ChannelDropout):
            dropout = node.layer.word
        elif not isinstance(node.layer, Identity | Flatten):
            return _last_word(node, outputs, dropout)
    return ""


def _backwards(items: tuple[Item, ...]) -> Iterator[LayerNode | CombineNode]:
    """Layers and joins from the output on."""
    for node in reversed(tuple(nodes(items))):
        if isinstance(node, GroupNode):
            yield from _backwards(node.items)
        elif isinstance(node, LayerNode) or joins(node):
            yield node
        elif node.kind == "residual":
            yield from _backwards(node.branches[0])


def _last_word(node: LayerNode, outputs: int, dropout: str) -> str:
    if not _makes_probabilities(node, outputs):
        return ""
    last = node.layer.word
    if dropout:
        raise TrainError(
            f"{dropout} behind {last} changes the probabilities that {last} gives: no loss can take them",
            f"write {dropout} before the last linear layer",
        )
    return last


def _makes_probabilities(node: LayerNode, outputs: int) -> bool:
    """Whether a layer gives one probability per output. A softmax over a part of the outputs does not."""
    if isinstance(node.layer, AlongAxis):
        return outputs == (node.output.channels if node.layer.axis == "channels" else node.output.sizes[-1])
    return node.layer.word in BY_LAST_LAYER
