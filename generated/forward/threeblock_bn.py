"""ThreeBlockBN, written by cnnspec from threeblock_bn.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive. A layer without a name is called by its position,
which is its key in the state_dict.
"""

import torch
from torch import nn


class ConvBlock(nn.Sequential):
    """Input in_channels x H x W, output width x H/2 x W/2."""

    def __init__(self, in_channels: int, width: int):
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # Conv2d -> width x H x W
        x = self[1](x)  # BatchNorm2d
        x = self[2](x)  # ReLU
        return self[3](x)  # MaxPool2d -> width x H/2 x W/2


class ThreeBlockBN(nn.Module):
    """Input 3x32x32, output 10. 620,810 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.features = nn.Sequential(
            ConvBlock(3, 32),
            ConvBlock(32, 64),
            ConvBlock(64, 128),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(2048, 256),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(256, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features[0](x)  # ConvBlock -> 32x16x16
        x = self.features[1](x)  # ConvBlock -> 64x8x8
        x = self.features[2](x)  # ConvBlock -> 128x4x4
        x = self.classifier[0](x)  # Flatten -> 2048
        x = self.classifier[1](x)  # Linear -> 256
        x = self.classifier[2](x)  # ReLU
        x = self.classifier[3](x)  # Dropout
        return self.classifier[4](x)  # Linear -> 10


if __name__ == "__main__":
    model = ThreeBlockBN()
    batch = torch.randn(8, 3, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
