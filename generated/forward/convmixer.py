"""ConvMixer, written by cnnspec from convmixer.cnn.

Comments give the shape that leaves a line, without the batch. Where layers repeat,
forward takes one after another, in the order they are made.
"""

import torch
from torch import nn


class ConvMixer(nn.Sequential):
    """Input 3x32x32, output 10.

    594,186 parameters with width=256, depth=8, kernel=5, patch=2, classes=10.
    """

    def __init__(
        self,
        width: int = 256,
        depth: int = 8,
        kernel: int = 5,
        patch: int = 2,
        classes: int = 10,
    ):
        layers = [
            nn.Conv2d(3, width, patch, stride=patch),
            nn.GELU(),
            nn.BatchNorm2d(width),
        ]
        for _ in range(depth):
            layers += [
                nn.Conv2d(width, width, kernel, padding="same", groups=width),
                nn.GELU(),
                nn.BatchNorm2d(width),
                nn.Conv2d(width, width, 1),
                nn.GELU(),
                nn.BatchNorm2d(width),
            ]
        layers += [
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(width, classes),
        ]
        super().__init__(*layers)
        self.depth = depth

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        layers = iter(self.children())
        x = next(layers)(x)  # 256x16x16
        x = next(layers)(x)
        x = next(layers)(x)
        for _ in range(self.depth):
            out = next(layers)(x)
            out = next(layers)(out)
            out = next(layers)(out)
            x = next(layers)(x + out)
            x = next(layers)(x)
            x = next(layers)(x)
        x = next(layers)(x)  # 256x1x1
        x = next(layers)(x)  # 256
        return next(layers)(x)  # 10


if __name__ == "__main__":
    model = ConvMixer()
    batch = torch.randn(8, 3, 32, 32)
    print(model(batch).shape)  # torch.Size([8, 10])
