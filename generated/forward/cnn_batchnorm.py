"""CNNBatchNorm, written by cnnspec from cnn_batchnorm.cnn.

Comments give the shape that leaves a line, without the batch. A layer without a name is
called by its position, which is its key in the state_dict.
"""

from collections import OrderedDict

import torch
from torch import nn


class CNNBatchNorm(nn.Sequential):
    """Input 3x32x32, output 10. 183,434 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        layers = {
            "conv1": nn.Conv2d(3, 32, 3, padding=1),
            "bn1": nn.BatchNorm2d(32),
            "2": nn.ReLU(),
            "3": nn.MaxPool2d(2),
            "conv2": nn.Conv2d(32, 64, 3, padding=1),
            "bn2": nn.BatchNorm2d(64),
            "6": nn.ReLU(),
            "7": nn.Flatten(),
            "fc": nn.Linear(16384, classes),
        }
        super().__init__(OrderedDict(layers))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv1(x)  # 32x32x32
        x = self.bn1(x)
        x = self[2](x)  # ReLU
        x = self[3](x)  # MaxPool2d -> 32x16x16
        x = self.conv2(x)  # 64x16x16
        x = self.bn2(x)
        x = self[6](x)  # ReLU
        x = self[7](x)  # Flatten -> 16384
        return self.fc(x)  # 10


if __name__ == "__main__":
    model = CNNBatchNorm()
    batch = torch.randn(8, 3, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
