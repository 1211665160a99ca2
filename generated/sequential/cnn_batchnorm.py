"""CNNBatchNorm, written by cnnspec from cnn_batchnorm.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class CNNBatchNorm(nn.Module):
    """Input 3x32x32, output 10. 183,434 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(32)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(64)
        self.fc = nn.Linear(16384, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn1(self.conv1(x)))  # 32x32x32
        x = self.maxpool(x)  # 32x16x16
        x = self.relu(self.bn2(self.conv2(x)))  # 64x16x16
        x = torch.flatten(x, 1)  # 16384
        return self.fc(x)  # 10


if __name__ == "__main__":
    model = CNNBatchNorm()
    batch = torch.randn(8, 3, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
