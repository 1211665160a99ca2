"""mnasnet1_0, written by cnnspec from mnasnet.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

import torch
from torch import nn


class InvertedResidual(nn.Module):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(
        self, in_channels: int, out: int, kernel: int, stride: int, expand: int
    ):
        super().__init__()
        self.skip = stride == 1 and in_channels == out
        wide = in_channels * expand
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, wide, 1, bias=False),  # wide x H x W
            nn.BatchNorm2d(wide, momentum=0.0003),
            nn.ReLU(),
            nn.Conv2d(
                wide,
                wide,
                kernel,
                stride=stride,
                padding=kernel // 2,
                groups=wide,
                bias=False,
            ),
            nn.BatchNorm2d(wide, momentum=0.0003),
            nn.ReLU(),
            nn.Conv2d(wide, out, 1, bias=False),  # out x H/stride x W/stride
            nn.BatchNorm2d(out, momentum=0.0003),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x) if self.skip else self.layers(x)


class Mnasnet10(nn.Module):
    """Input 3x224x224, output 1000. 4,383,312 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        layers = [
            nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False),  # 32x112x112
            nn.BatchNorm2d(32, momentum=0.0003),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False),  # 32x112x112
            nn.BatchNorm2d(32, momentum=0.0003),
            nn.ReLU(),
            nn.Conv2d(32, 16, 1, bias=False),  # 16x112x112
            nn.BatchNorm2d(16, momentum=0.0003),
        ]
        channels = 16
        rows = (
            (24, 3, 2, 3, 3),
            (40, 5, 2, 3, 3),
            (80, 5, 2, 6, 3),
            (96, 3, 1, 6, 2),
            (192, 5, 2, 6, 4),
            (320, 3, 1, 6, 1),
        )
        for out, kernel, stride, expand, depth in rows:
            group = []
            for i in range(depth):
                group.append(
                    InvertedResidual(
                        channels, out, kernel, stride if i == 0 else 1, expand
                    )
                )
                channels = out
            layers.append(nn.Sequential(*group))
        layers += [
            nn.Conv2d(320, 1280, 1, bias=False),  # 1280x7x7
            nn.BatchNorm2d(1280, momentum=0.0003),
            nn.ReLU(),
        ]
        self.layers = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(1280, classes),  # 1000
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layers(x)  # 1280x7x7
        x = torch.flatten(self.avgpool(x), 1)  # 1280
        return self.classifier(x)  # 1000


if __name__ == "__main__":
    model = Mnasnet10()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
