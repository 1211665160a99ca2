"""convnext_tiny, written by cnnspec from convnext.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

import torch
from torch import nn


class Permute(nn.Module):
    """Changes the order of the axes."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(self.dims)

    def extra_repr(self) -> str:
        return f"{self.dims}"


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels [N, C, H, W], not over the last axes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.permute(0, 2, 3, 1)
        size = self.normalized_shape
        x = nn.functional.layer_norm(x, size, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class StochasticDepth(nn.Module):
    """In training makes samples zero: each with probability p, or all ("batch")."""

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0:
            return x
        draws = x.shape[0] if self.mode == "row" else 1
        keep = x.new_empty([draws] + [1] * (x.dim() - 1)).bernoulli_(1 - self.p)
        if self.p < 1:
            keep = keep / (1 - self.p)  # so that the mean stays what it was
        return x * keep

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode!r}"


class Unit(nn.Module):
    """Input in_channels x H x W, output in_channels x H x W."""

    def __init__(self, in_channels: int, drop: float):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 7, padding=3, groups=in_channels),
            Permute((0, 2, 3, 1)),
            nn.LayerNorm(in_channels, eps=1e-6),
            nn.Linear(in_channels, 4 * in_channels),
            nn.GELU(),
            nn.Linear(4 * in_channels, in_channels),
            Permute((0, 3, 1, 2)),  # in_channels x H x W
        )
        self.layer_scale = nn.Parameter(torch.full((in_channels, 1, 1), 1e-6))
        self.stochastic_depth = StochasticDepth(drop)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.block(x)  # in_channels x H x W
        out = self.stochastic_depth(self.layer_scale * out)
        return x + out  # in_channels x H x W


class ConvnextTiny(nn.Module):
    """Input 3x224x224, output 1000. 28,589,128 parameters with classes=1000."""

    def __init__(self, classes: int = 1000):
        super().__init__()
        features = [
            nn.Sequential(
                nn.Conv2d(3, 96, 4, stride=4),  # 96x56x56
                LayerNorm2d(96, eps=1e-6),
            )
        ]
        channels = 96
        rows = (
            (3, 96, 0),
            (3, 192, 3),
            (9, 384, 6),
            (3, 768, 15),
        )
        for i, (depth, width, before) in enumerate(rows):
            if i > 0:
                features.append(
                    nn.Sequential(
                        LayerNorm2d(channels, eps=1e-6),
                        nn.Conv2d(channels, width, 2, stride=2),
                    )
                )
            features.append(
                nn.Sequential(*(Unit(width, (before + j) / 170) for j in range(depth)))
            )
            channels = width
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            LayerNorm2d(768, eps=1e-6),
            nn.Flatten(),  # 768
            nn.Linear(768, classes),  # 1000
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)  # 768x7x7
        x = self.avgpool(x)  # 768x1x1
        return self.classifier(x)  # 1000


if __name__ == "__main__":
    model = ConvnextTiny()
    batch = torch.randn(8, 3, 224, 224)
    print(model(batch).shape)  # torch.Size([8, 1000])
