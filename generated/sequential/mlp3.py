"""MLP3, written by cnnspec from mlp3.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class MLP3(nn.Sequential):
    """Input 1x28x28, output 10. 535,818 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__(
            nn.Flatten(),  # 784
            nn.Linear(784, 512),  # 512
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(512, 256),  # 256
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(256, classes),  # 10
        )


if __name__ == "__main__":
    model = MLP3()
    batch = torch.randn(8, 1, 28, 28)
    print(model(batch).shape)  # torch.Size([8, 10])
