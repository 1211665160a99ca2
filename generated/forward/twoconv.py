"""TwoConv, written by cnnspec from twoconv.cnn.

Comments give the shape that leaves a line, without the batch. A layer without a name is
called by its position, which is its key in the state_dict.
"""

import torch
from torch import nn


class TwoConv(nn.Sequential):
    """Input 1x28x28, output 10. 20,490 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(1568, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # Conv2d -> 16x28x28
        x = self[1](x)  # ReLU
        x = self[2](x)  # MaxPool2d -> 16x14x14
        x = self[3](x)  # Conv2d -> 32x14x14
        x = self[4](x)  # ReLU
        x = self[5](x)  # MaxPool2d -> 32x7x7
        x = self[6](x)  # Flatten -> 1568
        return self[7](x)  # Linear -> 10


if __name__ == "__main__":
    model = TwoConv()
    batch = torch.randn(8, 1, 28, 28)
    print(model(batch).shape)  # torch.Size([8, 10])
