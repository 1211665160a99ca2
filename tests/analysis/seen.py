"""What a place really sees, by the gradient: brute force that knows nothing of windows.

So that a gradient is zero where nothing is seen and nowhere else, all weights are positive, and what keeps places apart
is left out: activations, norms and dropout are passed over, largest values become sums, products of branches too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import add
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnspec.building import branches, build_module
from cnnspec.network import Network
from cnnspec.network.model import PlacedLayer


class Sum(nn.Module):
    """Sums up what a window of a maxpool covers."""

    def __init__(self, pool: Any, output: tuple[int, ...]) -> None:
        super().__init__()
        self.pool, self.output = pool, output

    def forward(self, x: Tensor) -> Tensor:
        rank = x.dim() - 2
        kernel, stride, padding, dilation = (
            value if isinstance(value, tuple) else (value,) * rank
            for value in (self.pool.kernel_size, self.pool.stride, self.pool.padding, self.pool.dilation)
        )
        room = [s * n + d * k for s, n, d, k in zip(stride, self.output, dilation, kernel, strict=True)]
        pads = [amount for p, r in zip(reversed(padding), reversed(room), strict=True) for amount in (p, r)]
        ones = torch.ones(x.shape[1], 1, *kernel, dtype=x.dtype)
        conv = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
        summed = conv(F.pad(x, pads), ones, stride=stride, dilation=dilation, groups=x.shape[1])
        return summed[(..., *(slice(n) for n in self.output))]


class Halves(nn.Module):
    """Both halves of the channels, as glu joins them."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack(x.chunk(2, self.axis)).sum(0)


def mixed(x: Tensor, axis: int = 1) -> Tensor:
    """Channels, or features, that all see what each sees: those of a place are taken together."""
    return x + x.sum(axis, keepdim=True)


class Unflattened(nn.Unflatten):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(mixed(x))


class Folded(nn.PixelUnshuffle):
    def forward(self, x: Tensor) -> Tensor:
        return mixed(super().forward(x))


class Resized(nn.Module):
    """Resizes axis by axis by ones where torch has weights; weights that are only rounding are none."""

    def __init__(self, up: nn.Upsample, sizes: tuple[int, ...], output: tuple[int, ...]) -> None:
        super().__init__()
        self.tables = [table(up, old, new) for old, new in zip(sizes, output, strict=True)]

    def forward(self, x: Tensor) -> Tensor:
        for axis, weights in enumerate(self.tables, 2):
            x = torch.tensordot(x, weights, dims=([axis], [0])).movedim(-1, axis)
        return x


def table(up: nn.Upsample, old: int, new: int) -> Tensor:
    """Which of the old places [old, new] make the new ones, by what torch makes of single values."""
    mode = "linear" if up.mode in ("bilinear", "trilinear") else up.mode
    each = torch.eye(old, dtype=torch.double)[:, None]
    options = {} if mode == "nearest" else {"align_corners": up.align_corners}
    if mode == "bicubic":
        made = F.interpolate(each[..., None].expand(-1, -1, -1, 3), (new, 3), mode=mode, **options)[..., 1]
    else:
        made = F.interpolate(each, new, mode=mode, **options)
    return (made[:, 0].abs() > 1e-6).double()


LINEAR = (
    nn.modules.conv._ConvNd,
    nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.modules.padding._ConstantPadNd,
    nn.modules.padding._ReflectionPadNd,
    nn.modules.padding._ReplicationPadNd,
    nn.modules.padding._CircularPadNd,
    nn.Linear,
    nn.Flatten,
    nn.PixelShuffle,
    nn.ChannelShuffle,
)


def plain(module: nn.Module, placed: PlacedLayer) -> nn.Module:
    """A module that is linear, with the same connections."""
    output = placed.output
    if isinstance(module, nn.modules.pooling._MaxPoolNd):
        return Sum(module, output.spatial)
    if isinstance(module, nn.modules.pooling._LPPoolNd):
        pool = nn.MaxPool2d(module.kernel_size, module.stride or module.kernel_size)
        return Sum(pool, output.spatial)
    if isinstance(module, nn.modules.pooling._AdaptiveMaxPoolNd):
        kind = getattr(nn, type(module).__name__.replace("Max", "Avg"))
        return kind(output.spatial)
    if isinstance(module, nn.GLU):
        return Halves(output.channel_axis)
    if isinstance(module, nn.Unflatten):
        return Unflattened(module.dim, module.unflattened_size)
    if isinstance(module, nn.PixelUnshuffle):
        return Folded(module.downscale_factor)
    if isinstance(module, nn.Upsample):
        return Resized(module, placed.input.spatial, output.spatial)
    keeps = isinstance(module, LINEAR) or type(module).__name__ == "Permute"
    return module if keeps else nn.Identity()


def linear_module(network: Network) -> nn.Module:
    module = build_module(network).double().eval()
    for placed in network.layers:
        if not placed.layer.bare:
            parent, _, key = placed.path.rpartition(".")
            owner = module.get_submodule(parent)
            setattr(owner, key, plain(getattr(owner, key), placed))
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0)
    return module


class Joining(NamedTuple):
    """What stands for `torch` where branches are joined: shares of the channels see what all channels see."""

    cat: Any = torch.cat

    def chunk(self, x: Tensor, count: int, axis: int) -> Any:
        return mixed(x, axis).chunk(count, axis)


@contextmanager
def plain_joins() -> Iterator[None]:
    """Within it, joins that multiply add, and those that split the channels give each branch all of them."""
    with patch.object(branches, "mul", add), patch.object(branches, "torch", Joining()):
        yield


class Seen:
    """The network with a look behind each layer."""

    def __init__(self, network: Network) -> None:
        self.network = network
        module = linear_module(network)
        self.outputs: dict[str, Tensor] = {}
        for placed in network.layers:
            if not placed.layer.bare:
                module.get_submodule(placed.path).register_forward_hook(self._keep(placed.path))
        self.x = torch.ones(1, *network.input.sizes, dtype=torch.double, requires_grad=True)
        with plain_joins():
            module.train()  # side outputs run in training alone; nothing that is left is random
            module(self.x)

    def _keep(self, path: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            self.outputs[path] = output

        return hook

    def by(self, placed: PlacedLayer, at: tuple[int, ...]) -> Tensor:
        """Which places of the input, true or false, one behind that layer sees; all channels taken together."""
        output = self.outputs[placed.path][0]
        channels = output if placed.output.channels_last else output.movedim(0, -1)
        (gradient,) = torch.autograd.grad(channels[at].sum(), self.x, retain_graph=True, allow_unused=True)
        if gradient is None:
            return torch.zeros(self.network.input.spatial, dtype=torch.bool)
        assert not gradient.isnan().any()
        return (gradient[0] != 0).any(-1 if self.network.input.channels_last else 0)
