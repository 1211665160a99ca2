"""efficientnet_b0, written by cnnspec from efficientnet.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

from collections.abc import Callable

import torch
from torch import nn


class StochasticDepth(nn.Module):
    """In training makes samples zero: each with probability p, or all ("batch")."""

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0:
            return x
        draws = x.shape[0] if self.mode == "row" else 1
        keep = x.new_empty([draws] + [1] * (x.dim() - 1)).bernoulli_(1 - self.p)
        if self.p < 1:
            keep = keep / (1 - self.p)  # so that the mean stays what it was
        return x * keep

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode!r}"


class ConvBN(nn.Sequential):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(
        self,
        in_channels: int,
        out: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        act: Callable[..., nn.Module] = nn.SiLU,
    ):
        super().__init__(
            nn.Conv2d(
                in_channels,
                out,
                kernel,
                stride=stride,
                padding=kernel // 2,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(out),
            act(),
        )


class SqueezeExcite(nn.Module):
    """Input in_channels x H x W, output in_channels x H x W."""

    def __init__(self, in_channels: int, inner: int):
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(in_channels, inner, 1)
        self.silu = nn.SiLU()
        self.fc2 = nn.Conv2d(inner, in_channels, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.fc2(self.silu(self.fc1(self.avgpool(x))))  # in_channels x 1 x 1
        gate = self.sigmoid(gate)
        return gate * x  # in_channels x H x W


class MBConv(nn.Module):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(
        self,
        in_channels: int,
        out: int,
        expand: int,
        kernel: int,
        stride: int,
        drop: float,
    ):
        super().__init__()
        wide = in_channels * expand
        skip = stride == 1 and in_channels == out
        inner = in_channels // 4
        self.skip = skip
        block = []
        if expand > 1:
            block.append(ConvBN(in_channels, wide))  # wide x H x W
        block += [
            ConvBN(wide, wide, kernel, stride, groups=wide),
            SqueezeExcite(wide, inner),  # wide x H/stride x W/stride
            ConvBN(wide, out, act=nn.Identity),  # out x H/stride x W/stride
        ]
        self.block = nn.Sequential(*block)
        self.stochastic_depth = None
        if skip:
            self.stochastic_depth = StochasticDepth(drop)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.block(x)  # out x H/stride x W/stride
        if self.stochastic_depth is not None:
            out = self.stochastic_depth(out)
        return x + out if self.skip else out  # out x H/stride x W/stride


class EfficientnetB0(nn.Module):
    """Input 3x224x224, output 1000.

    5,288,548 parameters with dropout=0.2, classes=1000.
    """

    def __init__(self, dropout: float = 0.2, classes: int = 1000):
        super().__init__()
        features = [ConvBN(3, 32, 3, stride=2)]  # 32x112x112
        channels = 32
        rows = (
            (1, 3, 1, 16, 0, 1),
            (6, 3, 2, 24, 1, 2),
            (6, 5, 2, 40, 3, 2),
            (6, 3, 2, 80, 5, 3),
            (6, 5, 1, 112, 8, 3),
            (6, 5, 2, 192, 11, 4),
            (6, 3, 1, 320, 15, 1),
        )
        for expand, kernel, stride, width, before, count in rows:
            group = []
            for j in range(count):
                drop = (before + j) / 80
                group.append(
                    MBConv(
                        channels, width, expand, kernel, stride if j == 0 else 1, drop
                    )
                )
                channels = width
            features.append(nn.Sequential(*group))
        features.append(ConvBN(320, 1280))  # 1280x7x7
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(1280, classes),  # 1000
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 1280x7x7
        x = torch.flatten(self.avgpool(x), 1)  # 1280
        return self.classifier(x)  # 1000


if __name__ == "__main__":
    model = EfficientnetB0()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
