"""MLP, written by cnnspec from mlp.cnn.

Comments give the shape that leaves a line, without the batch. A layer without a name is
called by its position, which is its key in the state_dict.
"""

import torch
from torch import nn


class MLP(nn.Sequential):
    """Input 1x28x28, output 10. 79,510 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__(
            nn.Flatten(),
            nn.Linear(784, 100),
            nn.ReLU(),
            nn.Linear(100, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # Flatten -> 784
        x = self[1](x)  # Linear -> 100
        x = self[2](x)  # ReLU
        return self[3](x)  # Linear -> 10


if __name__ == "__main__":
    model = MLP()
    batch = torch.randn(8, 1, 28, 28)
    print(model(batch).shape)  # torch.Size([8, 10])
