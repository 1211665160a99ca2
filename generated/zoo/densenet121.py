"""densenet121, written by cnnspec from densenet.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

from collections import OrderedDict

import torch
from torch import nn


class DenseLayer(nn.Module):
    """Input in_channels x H x W, output in_channels+32 x H x W."""

    def __init__(self, in_channels: int):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(in_channels, 128, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(128)
        self.conv2 = nn.Conv2d(128, 32, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.conv1(self.relu(self.norm1(x)))  # 128 x H x W
        out = self.conv2(self.relu(self.norm2(out)))  # 32 x H x W
        return torch.cat((x, out), dim=1)  # in_channels+32 x H x W


class Transition(nn.Module):
    """Input in_channels x H x W, output in_channels//2 x H/2 x W/2."""

    def __init__(self, in_channels: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(in_channels, in_channels // 2, 1, bias=False)
        self.avgpool = nn.AvgPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.norm(x))
        x = self.conv(x)  # in_channels//2 x H x W
        return self.avgpool(x)  # in_channels//2 x H/2 x W/2


class DenseBlock(nn.Sequential):
    """Input in_channels x H x W."""

    def __init__(self, in_channels: int, depth: int):
        layers = {}
        channels = in_channels
        for i in range(1, depth + 1):
            layers[f"denselayer{i}"] = DenseLayer(channels)
            channels += 32
        super().__init__(OrderedDict(layers))


class Densenet121(nn.Module):
    """Input 3x224x224, output 1000. 7,978,856 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                {
                    # 64x112x112
                    "conv0": nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
                    "norm0": nn.BatchNorm2d(64),
                    "2": nn.ReLU(),
                    "3": nn.MaxPool2d(3, stride=2, padding=1),  # 64x56x56
                    "denseblock1": DenseBlock(64, 6),  # 256x56x56
                    "transition1": Transition(256),  # 128x28x28
                    "denseblock2": DenseBlock(128, 12),  # 512x28x28
                    "transition2": Transition(512),  # 256x14x14
                    "denseblock3": DenseBlock(256, 24),  # 1024x14x14
                    "transition3": Transition(1024),  # 512x7x7
                    "denseblock4": DenseBlock(512, 16),  # 1024x7x7
                    "norm5": nn.BatchNorm2d(1024),
                }
            )
        )
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(1024, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 1024x7x7
        x = torch.flatten(self.avgpool(self.relu(x)), 1)  # 1024
        return self.classifier(x)  # 1000


if __name__ == "__main__":
    model = Densenet121()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
