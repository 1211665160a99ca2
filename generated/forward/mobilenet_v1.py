"""MobileNetV1, written by cnnspec from mobilenet_v1.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive. A layer without a name is called by its position,
which is its key in the state_dict.
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
            nn.Conv2d(in_channels, out, 1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # Conv2d -> in_channels x H/stride x W/stride
        x = self[1](x)  # BatchNorm2d
        x = self[2](x)  # ReLU
        x = self[3](x)  # Conv2d -> out x H/stride x W/stride
        x = self[4](x)  # BatchNorm2d
        return self[5](x)  # ReLU


class MobileNetV1(nn.Sequential):
    """Input 3x224x224, output 1000.

    4,231,976 parameters with width=1.0, classes=1000.
    """

    def __init__(self, width: float = 1.0, classes: int = 1000):
        super().__init__(
            nn.Conv2d(3, round(32 * width), 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(round(32 * width)),
            nn.ReLU(),
            Separable(round(32 * width), round(64 * width)),
            Separable(round(64 * width), round(128 * width), 2),
            Separable(round(128 * width), round(128 * width)),
            Separable(round(128 * width), round(256 * width), 2),
            Separable(round(256 * width), round(256 * width)),
            Separable(round(256 * width), round(512 * width), 2),
            *(Separable(round(512 * width), round(512 * width)) for _ in range(5)),
            Separable(round(512 * width), round(1024 * width), 2),
            Separable(round(1024 * width), round(1024 * width)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(round(1024 * width), classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # Conv2d -> 32x112x112
        x = self[1](x)  # BatchNorm2d
        x = self[2](x)  # ReLU
        x = self[3](x)  # 64x112x112
        x = self[4](x)  # 128x56x56
        x = self[5](x)  # 128x56x56
        x = self[6](x)  # 256x28x28
        x = self[7](x)  # 256x28x28
        x = self[8](x)  # 512x14x14
        x = self[9](x)  # 512x14x14
        x = self[10](x)  # 512x14x14
        x = self[11](x)  # 512x14x14
        x = self[12](x)  # 512x14x14
        x = self[13](x)  # 512x14x14
        x = self[14](x)  # 1024x7x7
        x = self[15](x)  # 1024x7x7
        x = self[16](x)  # AdaptiveAvgPool2d -> 1024x1x1
        x = self[17](x)  # Flatten -> 1024
        return self[18](x)  # Linear -> 1000


if __name__ == "__main__":
    model = MobileNetV1()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
