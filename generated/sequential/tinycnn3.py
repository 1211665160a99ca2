"""TinyCNN3, written by cnnspec from tinycnn3.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

import torch
from torch import nn


class Pair(nn.Sequential):
    """Input in_channels x H x W, output width x H/2 x W/2."""

    def __init__(self, in_channels: int, width: int):
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1),  # width x H x W
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),  # width x H x W
            nn.ReLU(),
            nn.MaxPool2d(2),  # width x H/2 x W/2
        )


class TinyCNN3(nn.Module):
    """Input 3x32x32, output 10. 814,122 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.features = nn.Sequential(
            Pair(3, 32),  # 32x16x16
            Pair(32, 64),  # 64x8x8
            Pair(64, 128),  # 128x4x4
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),  # 2048
            nn.Linear(2048, 256),  # 256
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(256, classes),  # 10
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 128x4x4
        return self.classifier(x)  # 10


if __name__ == "__main__":
    model = TinyCNN3()
    batch = torch.randn(8, 3, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
