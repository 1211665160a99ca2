"""googlenet, written by cnnspec from googlenet.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

import torch
from torch import nn


class ConvBN(nn.Module):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(
        self, in_channels: int, out: int, kernel: int, stride: int = 1, padding: int = 0
    ):
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out, kernel, stride=stride, padding=padding, bias=False
        )
        self.bn = nn.BatchNorm2d(out, eps=0.001)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.bn(self.conv(x)))  # out x H/stride x W/stride


class Inception(nn.Module):
    """Input in_channels x H x W, output one+three+five+pool x H x W."""

    def __init__(
        self,
        in_channels: int,
        one: int,
        three_in: int,
        three: int,
        five_in: int,
        five: int,
        pool: int,
    ):
        super().__init__()
        self.branch1 = ConvBN(in_channels, one, 1)
        self.branch2 = nn.Sequential(
            ConvBN(in_channels, three_in, 1),  # three_in x H x W
            ConvBN(three_in, three, 3, padding=1),  # three x H x W
        )
        self.branch3 = nn.Sequential(
            ConvBN(in_channels, five_in, 1),  # five_in x H x W
            ConvBN(five_in, five, 3, padding=1),  # five x H x W
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True),  # in_channels x H x W
            ConvBN(in_channels, pool, 1),  # pool x H x W
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch1 = self.branch1(x)  # one x H x W
        branch2 = self.branch2(x)  # three x H x W
        branch3 = self.branch3(x)  # five x H x W
        branch4 = self.branch4(x)  # pool x H x W
        return torch.cat((branch1, branch2, branch3, branch4), dim=1)


class Googlenet(nn.Module):
    """Input 3x224x224, output 1000. 6,624,904 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        self.conv1 = ConvBN(3, 64, 7, stride=2, padding=3)
        self.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = ConvBN(64, 64, 1)
        self.conv3 = ConvBN(64, 192, 3, padding=1)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool2 = nn.MaxPool2d(2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(1024, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv1(x)  # 64x112x112
        x = self.maxpool(x)  # 64x56x56
        x = self.conv2(x)  # 64x56x56
        x = self.conv3(x)  # 192x56x56
        x = self.maxpool(x)  # 192x28x28
        x = self.inception3a(x)  # 256x28x28
        x = self.inception3b(x)  # 480x28x28
        x = self.maxpool(x)  # 480x14x14
        x = self.inception4a(x)  # 512x14x14
        x = self.inception4b(x)  # 512x14x14
        x = self.inception4c(x)  # 512x14x14
        x = self.inception4d(x)  # 528x14x14
        x = self.inception4e(x)  # 832x14x14
        x = self.maxpool2(x)  # 832x7x7
        x = self.inception5a(x)  # 832x7x7
        x = self.inception5b(x)  # 1024x7x7
        x = self.dropout(torch.flatten(self.avgpool(x), 1))  # 1024
        return self.fc(x)  # 1000


if __name__ == "__main__":
    model = Googlenet()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
