"""How the weights follow the gradient."""

from __future__ import annotations

from cnnspec.words import KINDS, NonNegative, Positive, Share, Word, by_name, word_of


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


OPTIMIZERS = by_name(Sgd, Adam, AdamW)

KINDS["Optimizer"] = word_of(OPTIMIZERS, "an optimizer")
