"""regnet_y_400mf, written by cnnspec from regnet.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn


class ConvBN(nn.Sequential):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(
        self,
        in_channels: int,
        out: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        act: Callable[..., nn.Module] = nn.ReLU,
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
        self.relu = nn.ReLU()
        self.fc2 = nn.Conv2d(inner, in_channels, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.fc2(self.relu(self.fc1(self.avgpool(x))))  # in_channels x 1 x 1
        gate = self.sigmoid(gate)
        return gate * x  # in_channels x H x W


class Unit(nn.Module):
    """Input in_channels x H x W, output width x H/stride x W/stride."""

    def __init__(self, in_channels: int, width: int, stride: int):
        super().__init__()
        inner = in_channels // 4
        self.proj = None
        if stride != 1 or in_channels != width:
            self.proj = ConvBN(in_channels, width, stride=stride, act=nn.Identity)
        self.f = nn.Sequential(
            OrderedDict(
                a=ConvBN(in_channels, width),  # width x H x W
                b=ConvBN(width, width, 3, stride, groups=width // 8),
                se=SqueezeExcite(width, inner),  # width x H/stride x W/stride
                c=ConvBN(width, width, act=nn.Identity),  # width x H/stride x W/stride
            )
        )
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = x if self.proj is None else self.proj(x)
        return self.relu(shortcut + self.f(x))  # width x H/stride x W/stride


class RegnetY400mf(nn.Module):
    """Input 3x224x224, output 1000. 4,344,144 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        self.stem = ConvBN(3, 32, 3, stride=2)
        trunk_output = {}
        channels = 32
        for i, (depth, width) in enumerate(((1, 48), (3, 104), (6, 208), (6, 440)), 1):
            group = {}
            for j in range(depth):
                group[f"block{i}-{j}"] = Unit(channels, width, 2 if j == 0 else 1)
                channels = width
            trunk_output[f"block{i}"] = nn.Sequential(OrderedDict(group))
        self.trunk_output = nn.Sequential(OrderedDict(trunk_output))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(440, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)  # 32x112x112
        x = self.trunk_output(x)  # 440x7x7
        x = torch.flatten(self.avgpool(x), 1)  # 440
        return self.fc(x)  # 1000


if __name__ == "__main__":
    model = RegnetY400mf()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
