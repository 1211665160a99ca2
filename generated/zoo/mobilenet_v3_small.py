"""mobilenet_v3_small, written by cnnspec from mobilenet_v3.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

from collections.abc import Callable

import torch
from torch import nn


def round_to(value: float, divisor: int) -> int:
    """The nearest multiple of the divisor; the next one where that loses over 10 %."""
    near = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return near if near >= 0.9 * value else near + divisor


class ConvBN(nn.Sequential):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(
        self,
        in_channels: int,
        out: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        act: Callable[..., nn.Module] = nn.Hardswish,
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
            nn.BatchNorm2d(out, eps=0.001, momentum=0.01),
            act(),
        )


class SqueezeExcite(nn.Module):
    """Input in_channels x H x W, output in_channels x H x W."""

    def __init__(self, in_channels: int):
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(in_channels, round_to(in_channels // 4, 8), 1)
        self.relu = nn.ReLU()
        self.fc2 = nn.Conv2d(round_to(in_channels // 4, 8), in_channels, 1)
        self.hardsigmoid = nn.Hardsigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.fc1(self.avgpool(x))  # round_to(in_channels//4,8) x 1 x 1
        gate = self.hardsigmoid(self.fc2(self.relu(gate)))  # in_channels x 1 x 1
        return gate * x  # in_channels x H x W


class InvertedResidual(nn.Module):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(
        self,
        in_channels: int,
        wide: int,
        out: int,
        kernel: int,
        stride: int,
        gate: bool,
        act: Callable[..., nn.Module],
    ):
        super().__init__()
        self.skip = stride == 1 and in_channels == out
        block = []
        if wide != in_channels:
            block.append(ConvBN(in_channels, wide, act=act))  # wide x H x W
        block.append(ConvBN(wide, wide, kernel, stride, groups=wide, act=act))
        if gate:
            block.append(SqueezeExcite(wide))  # wide x H/stride x W/stride
        block.append(ConvBN(wide, out, act=nn.Identity))  # out x H/stride x W/stride
        self.block = nn.Sequential(*block)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.block(x) if self.skip else self.block(x)


class MobilenetV3Small(nn.Module):
    """Input 3x224x224, output 1000. 2,542,856 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        self.features = nn.Sequential(
            ConvBN(3, 16, 3, stride=2),  # 16x112x112
            InvertedResidual(16, 16, 16, 3, 2, True, nn.ReLU),  # 16x56x56
            InvertedResidual(16, 72, 24, 3, 2, False, nn.ReLU),  # 24x28x28
            InvertedResidual(24, 88, 24, 3, 1, False, nn.ReLU),  # 24x28x28
            InvertedResidual(24, 96, 40, 5, 2, True, nn.Hardswish),  # 40x14x14
            InvertedResidual(40, 240, 40, 5, 1, True, nn.Hardswish),  # 40x14x14
            InvertedResidual(40, 240, 40, 5, 1, True, nn.Hardswish),  # 40x14x14
            InvertedResidual(40, 120, 48, 5, 1, True, nn.Hardswish),  # 48x14x14
            InvertedResidual(48, 144, 48, 5, 1, True, nn.Hardswish),  # 48x14x14
            InvertedResidual(48, 288, 96, 5, 2, True, nn.Hardswish),  # 96x7x7
            InvertedResidual(96, 576, 96, 5, 1, True, nn.Hardswish),  # 96x7x7
            InvertedResidual(96, 576, 96, 5, 1, True, nn.Hardswish),  # 96x7x7
            ConvBN(96, 576),  # 576x7x7
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(576, 1024),  # 1024
            nn.Hardswish(),
            nn.Dropout(0.2),
            nn.Linear(1024, classes),  # 1000
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 576x7x7
        x = torch.flatten(self.avgpool(x), 1)  # 576
        return self.classifier(x)  # 1000


if __name__ == "__main__":
    model = MobilenetV3Small()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
