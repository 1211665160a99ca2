"""What a layer is, one file per family. A new layer is a class in one of them and a line in `ALL`."""

from __future__ import annotations

from cnnspec.layers import activation, conv, dropout, linear, norm, pool, resize, shape
from cnnspec.layers.base import Layer
from cnnspec.words import by_name

ALL: tuple[type[Layer], ...] = (
    conv.Conv,
    conv.ConvTranspose,
    pool.MaxPool,
    pool.AvgPool,
    pool.AdaptiveAvgPool,
    pool.AdaptiveMaxPool,
    norm.BatchNorm,
    norm.InstanceNorm,
    norm.GroupNorm,
    norm.LayerNorm,
    norm.LocalResponseNorm,
    norm.Scale,
    linear.Linear,
    shape.Flatten,
    shape.Unflatten,
    shape.Identity,
    dropout.Dropout,
    dropout.ChannelDropout,
    dropout.StochasticDepth,
    activation.ReLU,
    activation.ReLU6,
    activation.LeakyReLU,
    activation.PReLU,
    activation.ELU,
    activation.CELU,
    activation.SELU,
    activation.GELU,
    activation.SiLU,
    activation.Mish,
    activation.Hardswish,
    activation.Sigmoid,
    activation.Hardsigmoid,
    activation.LogSigmoid,
    activation.Tanh,
    activation.Hardtanh,
    activation.Tanhshrink,
    activation.Softplus,
    activation.Softsign,
    activation.Softshrink,
    activation.Hardshrink,
    activation.Threshold,
    activation.GLU,
    activation.Softmax,
    activation.LogSoftmax,
    resize.Pad,
    resize.Upsample,
    shape.PixelShuffle,
    shape.PixelUnshuffle,
    shape.ChannelShuffle,
    shape.ChannelsLast,
    shape.ChannelsFirst,
)

LAYERS: dict[str, type[Layer]] = by_name(*ALL)
"""Every layer, by its word."""
