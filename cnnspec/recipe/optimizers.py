"""How the weights follow the gradient."""

from __future__ import annotations

from cnnspec.recipe.names import Chosen
from cnnspec.words import KINDS, Count, NonNegative, Positive, Share, Word, by_name, list_of, word_of


class Optimizer(Word):
    """Base of the optimizers; their arguments are those of `torch.optim`."""


class Sgd(Optimizer):
    """Stochastic gradient descent, with momentum where wanted."""

    word = "sgd"
    lr: Positive = 0.1
    momentum: Share = 0.0
    weight_decay: NonNegative = 0.0
    nesterov: bool = False

    def contradiction(self) -> tuple[str, Word] | None:
        if self.nesterov and not self.momentum:
            return "nesterov needs a momentum, and sgd has none here", self.replace(momentum=0.9)
        return None


class Adam(Optimizer):
    """Adam (Kingma and Ba 2014)."""

    word = "adam"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 0.0


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017)."""

    word = "adamw"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 0.01


class Muon(Optimizer):
    """Momentum, made orthogonal by a few steps of Newton-Schulz (Jordan 2024), for the weights of convolutions and
    linear layers: a filter bank counts as the matrix of its flattened filters. `others` trains the last layer, biases
    and norms. `normalise` brings each matrix back to the length of an orthogonal one before every step."""

    word = "muon"
    lr: Positive = 0.02
    momentum: Share = 0.95
    weight_decay: NonNegative = 0.0
    nesterov: bool = True
    ns_steps: Count = 5
    normalise: bool = False
    others: Optimizer = AdamW()

    def contradiction(self) -> tuple[str, Word] | None:
        if isinstance(self.others, Muon):
            return "others is for what muon does not take, and here it is muon", self.replace(others=AdamW())
        return None


class Group(Chosen):
    """Parameters that learn at a rate of their own, or decay otherwise: those of a kind in the layers and groups named.

    `weights` are those of convolutions and linear layers, `biases` theirs, `norms` the weights and biases of norm
    layers, `scales` the factors of scale and prelu; `vectors` are all but the weights. What a group leaves out is as
    the optimizer says. `lr=0` keeps parameters as they are. One that several groups hold takes from each what it says,
    and the last word is the later one's."""

    word = "group"
    lr: NonNegative | None = None
    weight_decay: NonNegative | None = None

    def contradiction(self) -> tuple[str, Word] | None:
        if self.lr is None and self.weight_decay is None:
            return "group gives neither a rate nor a weight decay", self.replace(weight_decay=0.0)
        return None


OPTIMIZERS = by_name(Sgd, Adam, AdamW, Muon)
GROUPS = by_name(Group)

KINDS["Optimizer"] = word_of(OPTIMIZERS, "an optimizer")
KINDS["Groups"] = list_of(word_of(GROUPS, "a group"), "groups of parameters")

Groups = tuple[Group, ...]
