"""Parts of a network, as settings name them."""

from __future__ import annotations

from typing import Any, Literal

from cnnspec.words import KINDS, Kind, Mismatch, Symbol, Word, describe, list_of

Names = tuple[str, ...]


def _name(value: Any) -> str:
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, str) and value:
        return value
    raise Mismatch(f"{describe(value)} is no name")


KINDS["Names"] = list_of(Kind("a name", _name), 'names of layers and groups ([features, "head.0"])')


Sort = Literal["weights", "biases", "norm_weights", "norm_biases", "scales"]
"""What a parameter is: of a convolution or linear layer, of a norm layer, or a factor (`scale`, `prelu`)."""

SORTS: dict[str, tuple[str, ...]] = {
    "all": ("weights", "biases", "norm_weights", "norm_biases", "scales"),
    "weights": ("weights",),
    "vectors": ("biases", "norm_weights", "norm_biases", "scales"),
    "biases": ("biases",),
    "norms": ("norm_weights", "norm_biases"),
    "norm_weights": ("norm_weights",),
    "norm_biases": ("norm_biases",),
    "scales": ("scales",),
}
"""What each kind of parameter comprises."""


def covers(part: str, name: str) -> bool:
    """Whether a layer, group or parameter of this name is `part` or lies in it."""
    return name == part or name.startswith(f"{part}.")


class Chosen(Word):
    """Base of the words that hold for parameters in the layers and groups named (in all, where none is) that are of
    a kind: `weights` of convolutions and linear layers, their `biases`, both of `norms`, `scales` (of scale and
    prelu), or `vectors`, which is all but the weights."""

    names: Names = ()
    kind: Literal["all", "weights", "vectors", "biases", "norms", "norm_weights", "norm_biases", "scales"] = "all"

    def holds(self, name: str, sort: Sort) -> bool:
        """Whether it holds for a parameter, whose name is that in the `state_dict`."""
        return sort in SORTS[self.kind] and (not self.names or any(covers(part, name) for part in self.names))
