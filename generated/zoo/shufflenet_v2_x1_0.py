"""shufflenet_v2_x1_0, written by cnnspec from shufflenet_v2.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

import torch
from torch import nn


class Branch(nn.Sequential):
    """Input in_channels x H x W, output out x H/stride x W/stride."""

    def __init__(self, in_channels: int, out: int, stride: int = 1):
        super().__init__(
            nn.Conv2d(in_channels, out, 1, bias=False),  # out x H x W
            nn.BatchNorm2d(out),
            nn.ReLU(),
            nn.Conv2d(out, out, 3, stride=stride, padding=1, groups=out, bias=False),
            nn.BatchNorm2d(out),
            nn.Conv2d(out, out, 1, bias=False),  # out x H/stride x W/stride
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )


class Downsample(nn.Module):
    """Input in_channels x H x W, output out x H/2 x W/2."""

    def __init__(self, in_channels: int, out: int):
        super().__init__()
        self.branch1 = nn.Sequential(
            nn.Conv2d(
                in_channels,
                in_channels,
                3,
                stride=2,
                padding=1,
                groups=in_channels,
                bias=False,
            ),
            nn.BatchNorm2d(in_channels),
            nn.Conv2d(in_channels, out // 2, 1, bias=False),  # out//2 x H/2 x W/2
            nn.BatchNorm2d(out // 2),
            nn.ReLU(),
        )
        self.branch2 = Branch(in_channels, out // 2, stride=2)
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch1 = self.branch1(x)  # out//2 x H/2 x W/2
        branch2 = self.branch2(x)  # out//2 x H/2 x W/2
        x = torch.cat((branch1, branch2), dim=1)  # out x H/2 x W/2
        return self.shuffle(x)


class Unit(nn.Module):
    """Input in_channels x H x W, output in_channels x H x W."""

    def __init__(self, in_channels: int):
        super().__init__()
        self.branch2 = Branch(in_channels // 2, in_channels // 2)
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        part1, part2 = x.chunk(2, dim=1)
        out = self.branch2(part2)  # in_channels//2 x H x W
        x = torch.cat((part1, out), dim=1)  # in_channels x H x W
        return self.shuffle(x)


class ShufflenetV2X10(nn.Module):
    """Input 3x224x224, output 1000.

    2,278,604 parameters with last=1024, classes=1000.
    """

    def __init__(self, last: int = 1024, classes: int = 1000):
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, 24, 3, stride=2, padding=1, bias=False),  # 24x112x112
            nn.BatchNorm2d(24),
            nn.ReLU(),
        )
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.stage2 = nn.Sequential(
            Downsample(24, 116),  # 116x28x28
            *(Unit(116) for _ in range(3)),  # 116x28x28
        )
        self.stage3 = nn.Sequential(
            Downsample(116, 232),  # 232x14x14
            *(Unit(232) for _ in range(7)),  # 232x14x14
        )
        self.stage4 = nn.Sequential(
            Downsample(232, 464),  # 464x7x7
            *(Unit(464) for _ in range(3)),  # 464x7x7
        )
        self.conv5 = nn.Sequential(
            nn.Conv2d(464, last, 1, bias=False),  # 1024x7x7
            nn.BatchNorm2d(last),
            nn.ReLU(),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(last, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv1(x)  # 24x112x112
        x = self.maxpool(x)  # 24x56x56
        x = self.stage2(x)  # 116x28x28
        x = self.stage3(x)  # 232x14x14
        x = self.stage4(x)  # 464x7x7
        x = self.conv5(x)  # 1024x7x7
        return self.fc(torch.flatten(self.avgpool(x), 1))  # 1000


if __name__ == "__main__":
    model = ShufflenetV2X10()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
