"""vgg16, written by cnnspec from vgg.cnn.

Comments give the shape that leaves a line, without the batch.
"""

import torch
from torch import nn


class Vgg16(nn.Module):
    """Input 3x224x224, output 1000. 138,357,544 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        features = []
        channels = 3
        for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(depth):
                features += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            features.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(25088, 4096),  # 4096
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),  # 4096
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, classes),  # 1000
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 512x7x7
        x = torch.flatten(self.avgpool(x), 1)  # 25088
        return self.classifier(x)  # 1000


if __name__ == "__main__":
    model = Vgg16()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
