"""Normalisation: values are shifted and scaled to mean 0 and variance 1, then by learned factors."""

from __future__ import annotations

from cnnspec.layers.axes import LARGEST_RANK
from cnnspec.layers.base import Layer, Refused, Shape, TorchCall, Weights
from cnnspec.words import Number, Positive


def factors(affine: bool, *shape: int) -> dict[str, tuple[int, ...]]:
    return {"weight": shape, "bias": shape} if affine else {}


class BatchNorm(Layer):
    """Normalises each channel over the batch and the map; remembers mean and variance for use after training."""

    word = "batchnorm"
    eps: Positive = 1e-5
    momentum: Number | None = 0.1
    affine: bool = True

    example = "batchnorm @ 64x8x8"

    def output(self, x: Shape) -> Shape:
        if x.rank > LARGEST_RANK:
            raise Refused("E302", f"batchnorm takes features or maps of one to three axes, but {x} has {x.rank}")
        return x

    def weights(self, x: Shape) -> Weights:
        kept = {"running_mean": (x.channels,), "running_var": (x.channels,), "num_batches_tracked": ()}
        return Weights(factors(self.affine, x.channels), kept)

    def torch(self, x: Shape) -> TorchCall:
        options = self.keywords("eps", "momentum", "affine")
        return TorchCall(f"nn.BatchNorm{max(x.rank, 1)}d", (x.channels,), options)
