"""Speedrun, written by cnnspec from speedrun.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive. A layer without a name is called by its position,
which is its key in the state_dict.
"""

from collections import OrderedDict

import torch
from torch import nn


class Group(nn.Sequential):
    """Input in_channels x H x W, output width x (H-1)/2 x (W-1)/2."""

    def __init__(self, in_channels: int, width: int):
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(width, eps=1e-12, momentum=0.4),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width, eps=1e-12, momentum=0.4),
            nn.GELU(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # Conv2d -> width x H x W
        x = self[1](x)  # MaxPool2d -> width x (H-1)/2 x (W-1)/2
        x = self[2](x)  # BatchNorm2d
        x = self[3](x)  # GELU
        x = self[4](x)  # Conv2d -> width x (H-1)/2 x (W-1)/2
        x = self[5](x)  # BatchNorm2d
        return self[6](x)  # GELU


class Speedrun(nn.Sequential):
    """Input 3x32x32, output 10. 1,972,792 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        layers = {
            "whiten": nn.Conv2d(3, 24, 2),
            "1": nn.GELU(),
            "2": Group(24, 64),
            "3": Group(64, 256),
            "4": Group(256, 256),
            "5": nn.MaxPool2d(3),
            "6": nn.Flatten(),
            "head": nn.Linear(256, classes, bias=False),
        }
        super().__init__(OrderedDict(layers))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.whiten(x)  # 24x31x31
        x = self[1](x)  # GELU
        x = self[2](x)  # 64x15x15
        x = self[3](x)  # 256x7x7
        x = self[4](x)  # 256x3x3
        x = self[5](x)  # MaxPool2d -> 256x1x1
        x = self[6](x)  # Flatten -> 256
        return self.head(x)  # 10


if __name__ == "__main__":
    model = Speedrun()
    batch = torch.randn(8, 3, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
