"""LeNet, written by cnnspec from lenet.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class LeNet(nn.Sequential):
    """Input 1x32x32, output 10. 61,706 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__(
            nn.Conv2d(1, 6, 5),  # 6x28x28
            nn.ReLU(),
            nn.MaxPool2d(2),  # 6x14x14
            nn.Conv2d(6, 16, 5),  # 16x10x10
            nn.ReLU(),
            nn.MaxPool2d(2),  # 16x5x5
            nn.Flatten(),  # 400
            nn.Linear(400, 120),  # 120
            nn.ReLU(),
            nn.Linear(120, 84),  # 84
            nn.ReLU(),
            nn.Linear(84, classes),  # 10
        )


if __name__ == "__main__":
    model = LeNet()
    batch = torch.randn(8, 1, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
