"""inception_v3, written by cnnspec from inception_v3.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive.
"""

import torch
from torch import nn


class ConvBN(nn.Module):
    """Input in_channels x H x W."""

    def __init__(
        self,
        in_channels: int,
        out: int,
        kernel: int | tuple[int, ...],
        stride: int = 1,
        padding: int | tuple[int, ...] = 0,
    ):
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out, kernel, stride=stride, padding=padding, bias=False
        )
        self.bn = nn.BatchNorm2d(out, eps=0.001)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.bn(self.conv(x)))


class InceptionA(nn.Module):
    """Input in_channels x 35 x 35, output pool+224 x 35 x 35."""

    def __init__(self, in_channels: int, pool: int):
        super().__init__()
        self.branch1x1 = ConvBN(in_channels, 64, 1)
        self.branch5x5_1 = ConvBN(in_channels, 48, 1)
        self.branch5x5_2 = ConvBN(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = ConvBN(in_channels, 64, 1)
        self.branch3x3dbl_2 = ConvBN(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvBN(96, 96, 3, padding=1)
        self.avgpool = nn.AvgPool2d(3, stride=1, padding=1)
        self.branch_pool = ConvBN(in_channels, pool, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch1x1 = self.branch1x1(x)  # 64x35x35
        branch2 = self.branch5x5_1(x)  # 48x35x35
        branch2 = self.branch5x5_2(branch2)  # 64x35x35
        branch3 = self.branch3x3dbl_1(x)  # 64x35x35
        branch3 = self.branch3x3dbl_2(branch3)  # 96x35x35
        branch3 = self.branch3x3dbl_3(branch3)  # 96x35x35
        branch_pool = self.avgpool(x)  # in_channels x 35 x 35
        branch_pool = self.branch_pool(branch_pool)  # pool x 35 x 35
        return torch.cat((branch1x1, branch2, branch3, branch_pool), dim=1)


class InceptionB(nn.Module):
    """Input 288x35x35, output 768x17x17."""

    def __init__(self):
        super().__init__()
        self.branch3x3 = ConvBN(288, 384, 3, stride=2)
        self.branch3x3dbl_1 = ConvBN(288, 64, 1)
        self.branch3x3dbl_2 = ConvBN(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = ConvBN(96, 96, 3, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch3x3 = self.branch3x3(x)  # 384x17x17
        branch2 = self.branch3x3dbl_1(x)  # 64x35x35
        branch2 = self.branch3x3dbl_2(branch2)  # 96x35x35
        branch2 = self.branch3x3dbl_3(branch2)  # 96x17x17
        branch3 = self.maxpool(x)  # 288x17x17
        return torch.cat((branch3x3, branch2, branch3), dim=1)  # 768x17x17


class InceptionC(nn.Module):
    """Input 768x17x17, output 768x17x17."""

    def __init__(self, width: int):
        super().__init__()
        self.branch1x1 = ConvBN(768, 192, 1)
        self.branch7x7_1 = ConvBN(768, width, 1)
        self.branch7x7_2 = ConvBN(width, width, (1, 7), padding=(0, 3))
        self.branch7x7_3 = ConvBN(width, 192, (7, 1), padding=(3, 0))
        self.branch7x7dbl_1 = ConvBN(768, width, 1)
        self.branch7x7dbl_2 = ConvBN(width, width, (7, 1), padding=(3, 0))
        self.branch7x7dbl_3 = ConvBN(width, width, (1, 7), padding=(0, 3))
        self.branch7x7dbl_4 = ConvBN(width, width, (7, 1), padding=(3, 0))
        self.branch7x7dbl_5 = ConvBN(width, 192, (1, 7), padding=(0, 3))
        self.avgpool = nn.AvgPool2d(3, stride=1, padding=1)
        self.branch_pool = ConvBN(768, 192, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch1x1 = self.branch1x1(x)  # 192x17x17
        branch2 = self.branch7x7_1(x)  # width x 17 x 17
        branch2 = self.branch7x7_2(branch2)  # width x 17 x 17
        branch2 = self.branch7x7_3(branch2)  # 192x17x17
        branch3 = self.branch7x7dbl_1(x)  # width x 17 x 17
        branch3 = self.branch7x7dbl_2(branch3)  # width x 17 x 17
        branch3 = self.branch7x7dbl_3(branch3)  # width x 17 x 17
        branch3 = self.branch7x7dbl_4(branch3)  # width x 17 x 17
        branch3 = self.branch7x7dbl_5(branch3)  # 192x17x17
        branch_pool = self.avgpool(x)  # 768x17x17
        branch_pool = self.branch_pool(branch_pool)  # 192x17x17
        return torch.cat((branch1x1, branch2, branch3, branch_pool), dim=1)  # 768x17x17


class Head(nn.Module):
    """Input 768x17x17, output 1000."""

    def __init__(self, classes: int):
        super().__init__()
        self.avgpool = nn.AvgPool2d(5, stride=3)
        self.conv0 = ConvBN(768, 128, 1)
        self.conv1 = ConvBN(128, 768, 5)
        self.avgpool2 = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(768, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.avgpool(x)  # 768x5x5
        x = self.conv0(x)  # 128x5x5
        x = self.conv1(x)  # 768x1x1
        return self.fc(torch.flatten(self.avgpool2(x), 1))  # 1000


class InceptionD(nn.Module):
    """Input 768x17x17, output 1280x8x8."""

    def __init__(self):
        super().__init__()
        self.branch3x3_1 = ConvBN(768, 192, 1)
        self.branch3x3_2 = ConvBN(192, 320, 3, stride=2)
        self.branch7x7x3_1 = ConvBN(768, 192, 1)
        self.branch7x7x3_2 = ConvBN(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = ConvBN(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = ConvBN(192, 192, 3, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch1 = self.branch3x3_1(x)  # 192x17x17
        branch1 = self.branch3x3_2(branch1)  # 320x8x8
        branch2 = self.branch7x7x3_1(x)  # 192x17x17
        branch2 = self.branch7x7x3_2(branch2)  # 192x17x17
        branch2 = self.branch7x7x3_3(branch2)  # 192x17x17
        branch2 = self.branch7x7x3_4(branch2)  # 192x8x8
        branch3 = self.maxpool(x)  # 768x8x8
        return torch.cat((branch1, branch2, branch3), dim=1)  # 1280x8x8


class InceptionE(nn.Module):
    """Input in_channels x 8 x 8, output 2048x8x8."""

    def __init__(self, in_channels: int):
        super().__init__()
        self.branch1x1 = ConvBN(in_channels, 320, 1)
        self.branch3x3_1 = ConvBN(in_channels, 384, 1)
        self.branch3x3_2a = ConvBN(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = ConvBN(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = ConvBN(in_channels, 448, 1)
        self.branch3x3dbl_2 = ConvBN(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = ConvBN(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = ConvBN(384, 384, (3, 1), padding=(1, 0))
        self.avgpool = nn.AvgPool2d(3, stride=1, padding=1)
        self.branch_pool = ConvBN(in_channels, 192, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch1x1 = self.branch1x1(x)  # 320x8x8
        branch2 = self.branch3x3_1(x)  # 384x8x8
        branch3x3_2a = self.branch3x3_2a(branch2)  # 384x8x8
        branch3x3_2b = self.branch3x3_2b(branch2)  # 384x8x8
        branch2 = torch.cat((branch3x3_2a, branch3x3_2b), dim=1)  # 768x8x8
        branch3 = self.branch3x3dbl_1(x)  # 448x8x8
        branch3 = self.branch3x3dbl_2(branch3)  # 384x8x8
        branch3x3dbl_3a = self.branch3x3dbl_3a(branch3)  # 384x8x8
        branch3x3dbl_3b = self.branch3x3dbl_3b(branch3)  # 384x8x8
        branch3 = torch.cat((branch3x3dbl_3a, branch3x3dbl_3b), dim=1)  # 768x8x8
        branch_pool = self.avgpool(x)  # in_channels x 8 x 8
        branch_pool = self.branch_pool(branch_pool)  # 192x8x8
        return torch.cat((branch1x1, branch2, branch3, branch_pool), dim=1)  # 2048x8x8


class InceptionV3(nn.Module):
    """Input 3x299x299, output 1000.

    27,161,264 parameters with aux_logits=True, classes=1000.
    """

    def __init__(self, aux_logits: bool = True, classes: int = 1000):
        super().__init__()
        self.Conv2d_1a_3x3 = ConvBN(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = ConvBN(32, 32, 3)
        self.Conv2d_2b_3x3 = ConvBN(32, 64, 3, padding=1)
        self.maxpool = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = ConvBN(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvBN(80, 192, 3)
        self.Mixed_5b = InceptionA(192, 32)
        self.Mixed_5c = InceptionA(256, 64)
        self.Mixed_5d = InceptionA(288, 64)
        self.Mixed_6a = InceptionB()
        self.Mixed_6b = InceptionC(128)
        self.Mixed_6c = InceptionC(160)
        self.Mixed_6d = InceptionC(160)
        self.Mixed_6e = InceptionC(192)
        self.AuxLogits = None
        if aux_logits:
            self.AuxLogits = Head(classes)
        self.Mixed_7a = InceptionD()
        self.Mixed_7b = InceptionE(1280)
        self.Mixed_7c = InceptionE(2048)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(2048, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        sides = []
        x = self.Conv2d_1a_3x3(x)  # 32x149x149
        x = self.Conv2d_2a_3x3(x)  # 32x147x147
        x = self.Conv2d_2b_3x3(x)  # 64x147x147
        x = self.maxpool(x)  # 64x73x73
        x = self.Conv2d_3b_1x1(x)  # 80x73x73
        x = self.Conv2d_4a_3x3(x)  # 192x71x71
        x = self.maxpool(x)  # 192x35x35
        x = self.Mixed_5b(x)  # 256x35x35
        x = self.Mixed_5c(x)  # 288x35x35
        x = self.Mixed_5d(x)  # 288x35x35
        x = self.Mixed_6a(x)  # 768x17x17
        x = self.Mixed_6b(x)  # 768x17x17
        x = self.Mixed_6c(x)  # 768x17x17
        x = self.Mixed_6d(x)  # 768x17x17
        x = self.Mixed_6e(x)  # 768x17x17
        if self.AuxLogits is not None and self.training:
            sides.insert(0, self.AuxLogits(x))
        x = self.Mixed_7a(x)  # 1280x8x8
        x = self.Mixed_7b(x)  # 2048x8x8
        x = self.Mixed_7c(x)  # 2048x8x8
        x = torch.flatten(self.dropout(self.avgpool(x)), 1)  # 2048
        x = self.fc(x)  # 1000
        return (x, *sides) if self.training else x


if __name__ == "__main__":
    model = InceptionV3().eval()
    batch = torch.randn(8, 3, 299, 299)
    print(model(batch).shape)  # torch.Size([8, 1000])
