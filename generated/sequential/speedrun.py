"""Speedrun, written by cnnspec from speedrun.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

from collections import OrderedDict

import torch
from torch import nn


class Group(nn.Sequential):
    """Input in_channels x H x W, output width x (H-1)/2 x (W-1)/2."""

    def __init__(self, in_channels: int, width: int):
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False),  # width x H x W
            nn.MaxPool2d(2),  # width x (H-1)/2 x (W-1)/2
            nn.BatchNorm2d(width, eps=1e-12, momentum=0.4),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width, eps=1e-12, momentum=0.4),
            nn.GELU(),
        )


class Speedrun(nn.Sequential):
    """Input 3x32x32, output 10. 1,972,792 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        layers = {
            "whiten": nn.Conv2d(3, 24, 2),  # 24x31x31
            "1": nn.GELU(),
            "2": Group(24, 64),  # 64x15x15
            "3": Group(64, 256),  # 256x7x7
            "4": Group(256, 256),  # 256x3x3
            "5": nn.MaxPool2d(3),  # 256x1x1
            "6": nn.Flatten(),  # 256
            "head": nn.Linear(256, classes, bias=False),  # 10
        }
        super().__init__(OrderedDict(layers))


if __name__ == "__main__":
    model = Speedrun()
    batch = torch.randn(8, 3, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
