"""Digits, written by cnnspec from digits.cnn.

Comments give the shape that leaves a line, without the batch. A layer without a name is
called by its position, which is its key in the state_dict.
"""

import torch
from torch import nn


class Digits(nn.Sequential):
    """Input 1x8x8, output 10. 2,730 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(256, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # Conv2d -> 16x8x8
        x = self[1](x)  # ReLU
        x = self[2](x)  # MaxPool2d -> 16x4x4
        x = self[3](x)  # Flatten -> 256
        return self[4](x)  # Linear -> 10


if __name__ == "__main__":
    model = Digits()
    batch = torch.randn(8, 1, 8, 8)
    print(model(batch).shape)  # torch.Size([8, 10])
