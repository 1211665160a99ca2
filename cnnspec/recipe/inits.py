"""How weights begin, where not as PyTorch begins them: the schemes of `torch.nn.init`, and a few more."""

from __future__ import annotations

from typing import Literal

from cnnspec.recipe.names import Chosen, Names, Sort, covers
from cnnspec.words import KINDS, Number, Positive, Word, by_name, list_of, word_of


class Init(Word):
    """Base of the ways to begin. Where several hold for a parameter, the last one counts."""

    def holds(self, name: str, sort: Sort) -> bool:
        """Whether it holds for a parameter."""
        raise NotImplementedError


class Scheme(Init):
    """Base of those for the weights of convolutions and linear layers in the layers and groups named (in all, where
    none is)."""

    names: Names = ()

    def holds(self, name: str, sort: Sort) -> bool:
        return sort == "weights" and (not self.names or any(covers(part, name) for part in self.names))


class KaimingNormal(Scheme):
    """From a normal distribution, the deviation such that signals keep their size behind relu (He et al. 2015), forward
    (`fan_in`) or backward (`fan_out`)."""

    word = "kaiming_normal"
    mode: Literal["fan_in", "fan_out"] = "fan_in"


class KaimingUniform(Scheme):
    """Evenly, the width such that signals keep their size behind relu (He et al. 2015), forward (`fan_in`) or backward
    (`fan_out`)."""

    word = "kaiming_uniform"
    mode: Literal["fan_in", "fan_out"] = "fan_in"


class XavierNormal(Scheme):
    """From a normal distribution, the deviation such that signals keep their size both ways (Glorot and Bengio
    2010)."""

    word = "xavier_normal"
    gain: Positive = 1.0


class XavierUniform(Scheme):
    """Evenly, the width such that signals keep their size both ways (Glorot and Bengio 2010)."""

    word = "xavier_uniform"
    gain: Positive = 1.0


class Orthogonal(Scheme):
    """Flattened filters at right angles to one another (Saxe et al. 2013)."""

    word = "orthogonal"
    gain: Positive = 1.0


class Dirac(Scheme):
    """Filters of convolutions that pass channel after channel on. Where there are more filters than channels, the
    `rest` are zeros, or stay random."""

    word = "dirac"
    rest: Literal["zeros", "random"] = "zeros"


class Whitening(Scheme):
    """Filters of convolutions that make what arrives there uncorrelated, each with its opposite as far as there are
    enough: the principal components of patches of 5,000 training samples over the root of their variance plus `eps`
    (Page 2018). Without names, for the first convolution."""

    word = "whitening"
    eps: Positive = 5e-4


class Fill(Init, Chosen):
    """Base of those for parameters of a kind in the layers and groups named."""

    names: Names = ()
    kind: Literal["all", "weights", "vectors", "biases", "norms", "norm_weights", "norm_biases", "scales"] = "weights"

    holds = Chosen.holds


class Normal(Fill):
    """From a normal distribution."""

    word = "normal"
    std: Positive = 0.01
    mean: Number = 0.0


class TruncNormal(Fill):
    """From a normal distribution, without what lies farther than two deviations from its mean."""

    word = "trunc_normal"
    std: Positive = 0.02
    mean: Number = 0.0


class Constant(Fill):
    """All the same."""

    word = "constant"
    value: Number = 0.0


class ZeroResidual(Init):
    """The last norm layer of the longest branch of every `add` and `residual` begins at zero, so that each of them
    begins as its shortcut alone (Goyal et al. 2017)."""

    word = "zero_residual"

    def holds(self, name: str, sort: Sort) -> bool:
        return False


INITS = by_name(
    KaimingNormal,
    KaimingUniform,
    XavierNormal,
    XavierUniform,
    Orthogonal,
    Dirac,
    Normal,
    TruncNormal,
    Constant,
    ZeroResidual,
    Whitening,
)

KINDS["Inits"] = list_of(word_of(INITS, "a way to begin"), "ways to begin")

Inits = tuple[Init, ...]
