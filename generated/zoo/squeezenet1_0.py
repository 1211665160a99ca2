"""squeezenet1_0, written by cnnspec from squeezenet.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

import torch
from torch import nn


class Fire(nn.Module):
    """Input in_channels x H x W, output 2*out x H x W."""

    def __init__(self, in_channels: int, out: int):
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, out // 4, 1)
        self.relu = nn.ReLU()
        self.expand1x1 = nn.Conv2d(out // 4, out, 1)
        self.expand3x3 = nn.Conv2d(out // 4, out, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.squeeze(x))  # out//4 x H x W
        expand1x1 = self.relu(self.expand1x1(x))  # out x H x W
        expand3x3 = self.relu(self.expand3x3(x))  # out x H x W
        return torch.cat((expand1x1, expand3x3), dim=1)  # 2*out x H x W


class Squeezenet10(nn.Module):
    """Input 3x224x224, output 1000. 1,248,424 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 7, stride=2),  # 96x109x109
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),  # 96x54x54
            Fire(96, 64),  # 128x54x54
            Fire(128, 64),  # 128x54x54
            Fire(128, 128),  # 256x54x54
            nn.MaxPool2d(3, stride=2, ceil_mode=True),  # 256x27x27
            Fire(256, 128),  # 256x27x27
            Fire(256, 192),  # 384x27x27
            Fire(384, 192),  # 384x27x27
            Fire(384, 256),  # 512x27x27
            nn.MaxPool2d(3, stride=2, ceil_mode=True),  # 512x13x13
            Fire(512, 256),  # 512x13x13
        )
        self.classifier = nn.Sequential(
            nn.Dropout(0.5),
            nn.Conv2d(512, classes, 1),  # 1000x13x13
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),  # 1000x1x1
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 512x13x13
        x = self.classifier(x)  # 1000x1x1
        return torch.flatten(x, 1)  # 1000


if __name__ == "__main__":
    model = Squeezenet10()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
