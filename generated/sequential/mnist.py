"""Mnist, written by cnnspec from mnist.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class Mnist(nn.Module):
    """Input 1x28x28, output 10. 421,738 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1, bias=False),  # 32x28x28
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 32x14x14
            nn.Conv2d(32, 64, 3, padding=1, bias=False),  # 64x14x14
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 64x7x7
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),  # 3136
            nn.Linear(3136, 128),  # 128
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, classes),  # 10
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 64x7x7
        return self.classifier(x)  # 10


if __name__ == "__main__":
    model = Mnist()
    batch = torch.randn(8, 1, 28, 28)
    print(model(batch).shape)  # torch.Size([8, 10])
