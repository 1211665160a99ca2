"""GatedMLP, written by cnnspec from gated_mlp.cnn.

Comments give the shape that leaves a line, without the batch. A layer without a name is
called by its position, which is its key in the state_dict.
"""

import torch
from torch import nn


class Gated(nn.Module):
    """Input in_features, output 32."""

    def __init__(self, in_features: int):
        super().__init__()
        self.main = nn.Linear(in_features, 32)
        self.relu = nn.ReLU()
        self.gate = nn.Linear(in_features, 32)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        main = self.main(x)  # 32
        main = self.relu(main)
        gate = self.gate(x)  # 32
        gate = self.sigmoid(gate)
        return main * gate  # 32


class GatedMLP(nn.Sequential):
    """Input 2, output 1. 4,449 parameters."""

    def __init__(self):
        super().__init__(
            Gated(2),
            Gated(32),
            Gated(32),
            nn.Linear(32, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # 32
        x = self[1](x)  # 32
        x = self[2](x)  # 32
        return self[3](x)  # Linear -> 1


if __name__ == "__main__":
    model = GatedMLP()
    batch = torch.randn(8, 2)
    print(model(batch).shape)  # torch.Size([8, 1])
