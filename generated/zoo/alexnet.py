"""alexnet, written by cnnspec from alexnet.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class Alexnet(nn.Module):
    """Input 3x224x224, output 1000. 61,100,840 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),  # 64x55x55
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),  # 64x27x27
            nn.Conv2d(64, 192, 5, padding=2),  # 192x27x27
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),  # 192x13x13
            nn.Conv2d(192, 384, 3, padding=1),  # 384x13x13
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),  # 256x13x13
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),  # 256x13x13
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),  # 256x6x6
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(9216, 4096),  # 4096
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),  # 4096
            nn.ReLU(),
            nn.Linear(4096, classes),  # 1000
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 256x6x6
        x = torch.flatten(self.avgpool(x), 1)  # 9216
        return self.classifier(x)  # 1000


if __name__ == "__main__":
    model = Alexnet()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
