"""SimpleCNN, written by cnnspec from simplecnn.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class SimpleCNN(nn.Module):
    """Input 1x28x28, output 10. 421,642 parameters with classes=10."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(3136, 128)
        self.relu3 = nn.ReLU()
        self.dropout = nn.Dropout(0.5)
        self.fc2 = nn.Linear(128, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv1(x)  # 32x28x28
        x = self.relu1(x)
        x = self.pool1(x)  # 32x14x14
        x = self.conv2(x)  # 64x14x14
        x = self.relu2(x)
        x = self.pool2(x)  # 64x7x7
        x = self.flatten(x)  # 3136
        x = self.fc1(x)  # 128
        x = self.relu3(x)
        x = self.dropout(x)
        return self.fc2(x)  # 10


if __name__ == "__main__":
    model = SimpleCNN()
    batch = torch.randn(8, 1, 28, 28)
    print(model(batch).shape)  # torch.Size([8, 10])
