"""TwoConv, written by cnnspec from twoconv.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class TwoConv(nn.Sequential):
    """Input 1x28x28, output 10. 20,490 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__(
            nn.Conv2d(1, 16, 3, padding=1),  # 16x28x28
            nn.ReLU(),
            nn.MaxPool2d(2),  # 16x14x14
            nn.Conv2d(16, 32, 3, padding=1),  # 32x14x14
            nn.ReLU(),
            nn.MaxPool2d(2),  # 32x7x7
            nn.Flatten(),  # 1568
            nn.Linear(1568, classes),  # 10
        )


if __name__ == "__main__":
    model = TwoConv()
    batch = torch.randn(8, 1, 28, 28)
    print(model(batch).shape)  # torch.Size([8, 10])
