"""SimpleCNN, written by cnnspec from simplecnn.cnn.

Comments give the shape that leaves a line, without the batch.
"""

from collections import OrderedDict

import torch
from torch import nn


class SimpleCNN(nn.Sequential):
    """Input 1x28x28, output 10. 421,642 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        layers = {
            "conv1": nn.Conv2d(1, 32, 3, padding=1),  # 32x28x28
            "relu1": nn.ReLU(),
            "pool1": nn.MaxPool2d(2),  # 32x14x14
            "conv2": nn.Conv2d(32, 64, 3, padding=1),  # 64x14x14
            "relu2": nn.ReLU(),
            "pool2": nn.MaxPool2d(2),  # 64x7x7
            "flatten": nn.Flatten(),  # 3136
            "fc1": nn.Linear(3136, 128),  # 128
            "relu3": nn.ReLU(),
            "dropout": nn.Dropout(0.5),
            "fc2": nn.Linear(128, classes),  # 10
        }
        super().__init__(OrderedDict(layers))


if __name__ == "__main__":
    model = SimpleCNN()
    batch = torch.randn(8, 1, 28, 28)
    print(model(batch).shape)  # torch.Size([8, 10])
