"""What a layer is, one file per family. A new layer is a class in one of them and a line in `ALL`."""

from __future__ import annotations

from cnnspec.layers.activation import ReLU
from cnnspec.layers.base import Layer
from cnnspec.layers.conv import Conv, ConvTranspose
from cnnspec.layers.dropout import ChannelDropout, Dropout
from cnnspec.layers.linear import Linear
from cnnspec.layers.norm import BatchNorm
from cnnspec.layers.pool import AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, MaxPool
from cnnspec.layers.shape import Flatten, Identity
from cnnspec.words import by_name

ALL: tuple[type[Layer], ...] = (
    Conv,
    ConvTranspose,
    MaxPool,
    AvgPool,
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    BatchNorm,
    ReLU,
    Linear,
    Flatten,
    Identity,
    Dropout,
    ChannelDropout,
)

LAYERS: dict[str, type[Layer]] = by_name(*ALL)
"""Every layer, by its word."""
