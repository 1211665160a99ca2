"""TinyCNN, written by cnnspec from tinycnn.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class TinyCNN(nn.Module):
    """Input 3x32x32, output 10. 1,116,970 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1),  # 32x32x32
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1),  # 32x32x32
            nn.ReLU(),
            nn.MaxPool2d(2),  # 32x16x16
            nn.Conv2d(32, 64, 3, padding=1),  # 64x16x16
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1),  # 64x16x16
            nn.ReLU(),
            nn.MaxPool2d(2),  # 64x8x8
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),  # 4096
            nn.Linear(4096, 256),  # 256
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(256, classes),  # 10
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 64x8x8
        return self.classifier(x)  # 10


if __name__ == "__main__":
    model = TinyCNN()
    batch = torch.randn(8, 3, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
