"""DeepResNetMLP, written by cnnspec from deep_resnet_mlp.cnn.

Comments give the shape that leaves a line, without the batch. A layer without a name is
called by its position, which is its key in the state_dict.
"""

import torch
from torch import nn


class Residual(nn.Sequential):
    """Input 64, output 64."""

    def __init__(self, in_features: int):
        super().__init__(
            nn.Linear(in_features, in_features),
            nn.BatchNorm1d(in_features),
            nn.ReLU(),
            nn.Linear(in_features, in_features),
            nn.BatchNorm1d(in_features),
            nn.ReLU(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self[0](x)  # Linear -> 64
        out = self[1](out)  # BatchNorm1d
        out = self[2](out)  # ReLU
        out = self[3](out)  # Linear -> 64
        out = self[4](out)  # BatchNorm1d
        return self[5](x + out)  # ReLU


class DeepResNetMLP(nn.Sequential):
    """Input 20, output 10. 70,602 parameters with width=64, depth=8, classes=10."""

    def __init__(self, width: int = 64, depth: int = 8, classes: int = 10):
        super().__init__(
            nn.Linear(20, width),
            nn.ReLU(),
            *(Residual(width) for _ in range(depth)),
            nn.Linear(width, classes),
        )


if __name__ == "__main__":
    model = DeepResNetMLP()
    batch = torch.randn(8, 20)
    print(model(batch).shape)  # torch.Size([8, 10])
