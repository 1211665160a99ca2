"""TinyCNN, written by cnnspec from tinycnn.cnn.

Comments give the shape that leaves a line, without the batch. A layer without a name is
called by its position, which is its key in the state_dict.
"""

import torch
from torch import nn


class TinyCNN(nn.Module):
    """Input 3x32x32, output 10. 1,116,970 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(4096, 256),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(256, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features[0](x)  # Conv2d -> 32x32x32
        x = self.features[1](x)  # ReLU
        x = self.features[2](x)  # Conv2d -> 32x32x32
        x = self.features[3](x)  # ReLU
        x = self.features[4](x)  # MaxPool2d -> 32x16x16
        x = self.features[5](x)  # Conv2d -> 64x16x16
        x = self.features[6](x)  # ReLU
        x = self.features[7](x)  # Conv2d -> 64x16x16
        x = self.features[8](x)  # ReLU
        x = self.features[9](x)  # MaxPool2d -> 64x8x8
        x = self.classifier[0](x)  # Flatten -> 4096
        x = self.classifier[1](x)  # Linear -> 256
        x = self.classifier[2](x)  # ReLU
        x = self.classifier[3](x)  # Dropout
        return self.classifier[4](x)  # Linear -> 10


if __name__ == "__main__":
    model = TinyCNN()
    batch = torch.randn(8, 3, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
