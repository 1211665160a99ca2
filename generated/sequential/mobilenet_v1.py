"""MobileNetV1, written by cnnspec from mobilenet_v1.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

import torch
from torch import nn


class Separable(nn.Sequential):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(self, in_channels: int, out: int, stride: int = 1):
        super().__init__(
            nn.Conv2d(
                in_channels,
                in_channels,
                3,
                stride=stride,
                padding=1,
                groups=in_channels,
                bias=False,
            ),
            nn.BatchNorm2d(in_channels),
            nn.ReLU(),
            nn.Conv2d(in_channels, out, 1, bias=False),  # out x H/stride x W/stride
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )


class MobileNetV1(nn.Sequential):
    """Input 3x224x224, output 1000.

    4,231,976 parameters with width=1.0, classes=1000.
    """

    def __init__(self, width: float = 1.0, classes: int = 1000):
        super().__init__(
            # 32x112x112
            nn.Conv2d(3, round(32 * width), 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(round(32 * width)),
            nn.ReLU(),
            Separable(round(32 * width), round(64 * width)),  # 64x112x112
            Separable(round(64 * width), round(128 * width), 2),  # 128x56x56
            Separable(round(128 * width), round(128 * width)),  # 128x56x56
            Separable(round(128 * width), round(256 * width), 2),  # 256x28x28
            Separable(round(256 * width), round(256 * width)),  # 256x28x28
            Separable(round(256 * width), round(512 * width), 2),  # 512x14x14
            # 512x14x14
            *(Separable(round(512 * width), round(512 * width)) for _ in range(5)),
            Separable(round(512 * width), round(1024 * width), 2),  # 1024x7x7
            Separable(round(1024 * width), round(1024 * width)),  # 1024x7x7
            nn.AdaptiveAvgPool2d(1),  # 1024x1x1
            nn.Flatten(),  # 1024
            nn.Linear(round(1024 * width), classes),  # 1000
        )


if __name__ == "__main__":
    model = MobileNetV1()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
