"""LeNet, written by cnnspec from lenet.cnn.

Comments give the shape that leaves a line, without the batch. A layer without a name is
called by its position, which is its key in the state_dict.
"""

import torch
from torch import nn


class LeNet(nn.Sequential):
    """Input 1x32x32, output 10. 61,706 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__(
            nn.Conv2d(1, 6, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(400, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # Conv2d -> 6x28x28
        x = self[1](x)  # ReLU
        x = self[2](x)  # MaxPool2d -> 6x14x14
        x = self[3](x)  # Conv2d -> 16x10x10
        x = self[4](x)  # ReLU
        x = self[5](x)  # MaxPool2d -> 16x5x5
        x = self[6](x)  # Flatten -> 400
        x = self[7](x)  # Linear -> 120
        x = self[8](x)  # ReLU
        x = self[9](x)  # Linear -> 84
        x = self[10](x)  # ReLU
        return self[11](x)  # Linear -> 10


if __name__ == "__main__":
    model = LeNet()
    batch = torch.randn(8, 1, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
