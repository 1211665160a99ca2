"""mobilenet_v2, written by cnnspec from mobilenet_v2.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

import torch
from torch import nn


class ConvBN(nn.Sequential):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(
        self,
        in_channels: int,
        out: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
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
            nn.ReLU6(),
        )


class InvertedResidual(nn.Module):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(self, in_channels: int, out: int, expand: int, stride: int = 1):
        super().__init__()
        self.skip = stride == 1 and in_channels == out
        wide = in_channels * expand
        conv = []
        if expand != 1:
            conv.append(ConvBN(in_channels, wide, 1))  # wide x H x W
        conv += [
            ConvBN(wide, wide, stride=stride, groups=wide),
            nn.Conv2d(wide, out, 1, bias=False),  # out x H/stride x W/stride
            nn.BatchNorm2d(out),
        ]
        self.conv = nn.Sequential(*conv)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.skip else self.conv(x)


class MobilenetV2(nn.Module):
    """Input 3x224x224, output 1000. 3,504,872 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        self.features = nn.Sequential(
            ConvBN(3, 32, stride=2),  # 32x112x112
            InvertedResidual(32, 16, 1),  # 16x112x112
            InvertedResidual(16, 24, 6, 2),  # 24x56x56
            InvertedResidual(24, 24, 6),  # 24x56x56
            InvertedResidual(24, 32, 6, 2),  # 32x28x28
            InvertedResidual(32, 32, 6),  # 32x28x28
            InvertedResidual(32, 32, 6),  # 32x28x28
            InvertedResidual(32, 64, 6, 2),  # 64x14x14
            *(InvertedResidual(64, 64, 6) for _ in range(3)),  # 64x14x14
            InvertedResidual(64, 96, 6),  # 96x14x14
            InvertedResidual(96, 96, 6),  # 96x14x14
            InvertedResidual(96, 96, 6),  # 96x14x14
            InvertedResidual(96, 160, 6, 2),  # 160x7x7
            InvertedResidual(160, 160, 6),  # 160x7x7
            InvertedResidual(160, 160, 6),  # 160x7x7
            InvertedResidual(160, 320, 6),  # 320x7x7
            ConvBN(320, 1280, 1),  # 1280x7x7
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(1280, classes),  # 1000
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 1280x7x7
        x = torch.flatten(self.avgpool(x), 1)  # 1280
        return self.classifier(x)  # 1000


if __name__ == "__main__":
    model = MobilenetV2()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
