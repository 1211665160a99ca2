"""Mnist, written by cnnspec from mnist.cnn.

Comments give the shape that leaves a line, without the batch. A layer without a name is
called by its position, which is its key in the state_dict.
"""

import torch
from torch import nn


class Mnist(nn.Module):
    """Input 1x28x28, output 10. 421,738 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(3136, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features[0](x)  # Conv2d -> 32x28x28
        x = self.features[1](x)  # BatchNorm2d
        x = self.features[2](x)  # ReLU
        x = self.features[3](x)  # MaxPool2d -> 32x14x14
        x = self.features[4](x)  # Conv2d -> 64x14x14
        x = self.features[5](x)  # BatchNorm2d
        x = self.features[6](x)  # ReLU
        x = self.features[7](x)  # MaxPool2d -> 64x7x7
        x = self.classifier[0](x)  # Flatten -> 3136
        x = self.classifier[1](x)  # Linear -> 128
        x = self.classifier[2](x)  # ReLU
        x = self.classifier[3](x)  # Dropout
        return self.classifier[4](x)  # Linear -> 10


if __name__ == "__main__":
    model = Mnist()
    batch = torch.randn(8, 1, 28, 28)
    print(model(batch).shape)  # torch.Size([8, 10])
