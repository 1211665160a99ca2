"""Digits, written by cnnspec from digits.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class Digits(nn.Sequential):
    """Input 1x8x8, output 10. 2,730 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__(
            nn.Conv2d(1, 16, 3, padding=1),  # 16x8x8
            nn.ReLU(),
            nn.MaxPool2d(2),  # 16x4x4
            nn.Flatten(),  # 256
            nn.Linear(256, classes),  # 10
        )


if __name__ == "__main__":
    model = Digits()
    batch = torch.randn(8, 1, 8, 8)
    print(model(batch).shape)  # torch.Size([8, 10])
