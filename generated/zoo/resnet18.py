"""resnet18, written by cnnspec from resnet.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

import torch
from torch import nn


class Basic(nn.Module):
    """Input in_channels x H x W, output width x H/stride x W/stride."""

    def __init__(self, in_channels: int, width: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(
            in_channels, width, 3, stride=stride, padding=1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1 or in_channels != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, width, 1, stride=stride, bias=False),
                nn.BatchNorm2d(width),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.relu(self.bn1(self.conv1(x)))  # width x H/stride x W/stride
        out = self.bn2(self.conv2(out))  # width x H/stride x W/stride
        if self.downsample is not None:
            x = self.downsample(x)  # width x H/2 x W/2
        return self.relu(out + x)  # width x H/stride x W/stride


class Resnet18(nn.Module):
    """Input 3x224x224, output 1000. 11,689,512 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(
            Basic(64, 64),  # 64x56x56
            Basic(64, 64),  # 64x56x56
        )
        self.layer2 = nn.Sequential(
            Basic(64, 128, 2),  # 128x28x28
            Basic(128, 128),  # 128x28x28
        )
        self.layer3 = nn.Sequential(
            Basic(128, 256, 2),  # 256x14x14
            Basic(256, 256),  # 256x14x14
        )
        self.layer4 = nn.Sequential(
            Basic(256, 512, 2),  # 512x7x7
            Basic(512, 512),  # 512x7x7
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn1(self.conv1(x)))  # 64x112x112
        x = self.maxpool(x)  # 64x56x56
        x = self.layer1(x)  # 64x56x56
        x = self.layer2(x)  # 128x28x28
        x = self.layer3(x)  # 256x14x14
        x = self.layer4(x)  # 512x7x7
        x = torch.flatten(self.avgpool(x), 1)  # 512
        return self.fc(x)  # 1000


if __name__ == "__main__":
    model = Resnet18()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
