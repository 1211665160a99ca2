"""OneConv, written by cnnspec from oneconv.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class OneConv(nn.Sequential):
    """Input 1x28x28, output 10. 31,530 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__(
            nn.Conv2d(1, 16, 3, padding=1),  # 16x28x28
            nn.ReLU(),
            nn.MaxPool2d(2),  # 16x14x14
            nn.Flatten(),  # 3136
            nn.Linear(3136, classes),  # 10
        )


if __name__ == "__main__":
    model = OneConv()
    batch = torch.randn(8, 1, 28, 28)
    print(model(batch).shape)  # torch.Size([8, 10])
