"""MLP3, written by cnnspec from mlp3.cnn.

Comments give the shape that leaves a line, without the batch. A layer without a name is
called by its position, which is its key in the state_dict.
"""

import torch
from torch import nn


class MLP3(nn.Sequential):
    """Input 1x28x28, output 10. 535,818 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__(
            nn.Flatten(),
            nn.Linear(784, 512),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(256, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # Flatten -> 784
        x = self[1](x)  # Linear -> 512
        x = self[2](x)  # ReLU
        x = self[3](x)  # Dropout
        x = self[4](x)  # Linear -> 256
        x = self[5](x)  # ReLU
        x = self[6](x)  # Dropout
        return self[7](x)  # Linear -> 10


if __name__ == "__main__":
    model = MLP3()
    batch = torch.randn(8, 1, 28, 28)
    print(model(batch).shape)  # torch.Size([8, 10])
