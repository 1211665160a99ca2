"""UNet, written by cnnspec from unet.cnn.

Comments give the shape that leaves a line, without the batch. In a block H and W are
the height and width that arrive. A layer without a name is called by its position,
which is its key in the state_dict.
"""

import torch
from torch import nn


class Double(nn.Sequential):
    """Input in_channels x H x W, output width x H x W."""

    def __init__(self, in_channels: int, width: int):
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self[0](x)  # Conv2d -> width x H x W
        x = self[1](x)  # BatchNorm2d
        x = self[2](x)  # ReLU
        x = self[3](x)  # Conv2d -> width x H x W
        x = self[4](x)  # BatchNorm2d
        return self[5](x)  # ReLU


class UNet(nn.Module):
    """Input 3x256x256, output 2x256x256. 31,037,698 parameters with classes=2."""

    def __init__(self, classes: int = 2):
        super().__init__()
        self.enc1 = Double(3, 64)
        self.maxpool = nn.MaxPool2d(2)
        self.enc2 = Double(64, 128)
        self.enc3 = Double(128, 256)
        self.enc4 = Double(256, 512)
        self.middle = Double(512, 1024)
        self.up4 = nn.ConvTranspose2d(1024, 512, 2, stride=2)
        self.dec4 = Double(1024, 512)
        self.up3 = nn.ConvTranspose2d(512, 256, 2, stride=2)
        self.dec3 = Double(512, 256)
        self.up2 = nn.ConvTranspose2d(256, 128, 2, stride=2)
        self.dec2 = Double(256, 128)
        self.up1 = nn.ConvTranspose2d(128, 64, 2, stride=2)
        self.dec1 = Double(128, 64)
        self.head = nn.Conv2d(64, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        enc1 = self.enc1(x)  # 64x256x256
        x = self.maxpool(enc1)  # 64x128x128
        enc2 = self.enc2(x)  # 128x128x128
        x = self.maxpool(enc2)  # 128x64x64
        enc3 = self.enc3(x)  # 256x64x64
        x = self.maxpool(enc3)  # 256x32x32
        enc4 = self.enc4(x)  # 512x32x32
        x = self.maxpool(enc4)  # 512x16x16
        x = self.middle(x)  # 1024x16x16
        x = self.up4(x)  # 512x32x32
        x = torch.cat((enc4, x), dim=1)  # 1024x32x32
        x = self.dec4(x)  # 512x32x32
        x = self.up3(x)  # 256x64x64
        x = torch.cat((enc3, x), dim=1)  # 512x64x64
        x = self.dec3(x)  # 256x64x64
        x = self.up2(x)  # 128x128x128
        x = torch.cat((enc2, x), dim=1)  # 256x128x128
        x = self.dec2(x)  # 128x128x128
        x = self.up1(x)  # 64x256x256
        x = torch.cat((enc1, x), dim=1)  # 128x256x256
        x = self.dec1(x)  # 64x256x256
        return self.head(x)  # 2x256x256


if __name__ == "__main__":
    model = UNet()
    batch = torch.randn(8, 3, 256, 256)
    print(model(batch).shape)  # torch.Size([8, 2, 256, 256])
