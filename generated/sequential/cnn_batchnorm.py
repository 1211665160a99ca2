"""CNNBatchNorm, written by cnnspec from cnn_batchnorm.cnn.

Comments give the shape that leaves a line, without the batch.
"""

from collections import OrderedDict

import torch
from torch import nn


class CNNBatchNorm(nn.Sequential):
    """Input 3x32x32, output 10. 183,434 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        layers = {
            "conv1": nn.Conv2d(3, 32, 3, padding=1),  # 32x32x32
            "bn1": nn.BatchNorm2d(32),
            "2": nn.ReLU(),
            "3": nn.MaxPool2d(2),  # 32x16x16
            "conv2": nn.Conv2d(32, 64, 3, padding=1),  # 64x16x16
            "bn2": nn.BatchNorm2d(64),
            "6": nn.ReLU(),
            "7": nn.Flatten(),  # 16384
            "fc": nn.Linear(16384, classes),  # 10
        }
        super().__init__(OrderedDict(layers))


if __name__ == "__main__":
    model = CNNBatchNorm()
    batch = torch.randn(8, 3, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
