"""Data sets that need no files: scikit-learn's digits, and those that are made when needed.

They do not depend on the seed of the training: who trains twice learns the same data twice."""

from __future__ import annotations

from math import pi, sqrt

import torch

from cnnspec.data.error import DataError, package
from cnnspec.data.facts import Circles, Digits, Random
from cnnspec.data.parts import Part, Raw, Request
from cnnspec.data.square import adapted, require_pictures


def read_digits(dataset: Digits, request: Request) -> Raw:
    """Pixels run from 0 to 16; they become bytes from 0 to 255."""
    require_pictures(dataset, request.shape)
    pixels, labels = package("sklearn.datasets").load_digits(return_X_y=True)
    x = (torch.from_numpy(pixels) * 255 / 16).round().to(torch.uint8).view(-1, 1, 8, 8)
    return adapted(dataset, Part(x, torch.from_numpy(labels).long()), None, request.shape)


def read_circles(dataset: Circles, request: Request) -> Raw:
    """Points of the square from -1 to 1, half of them inside the circle that covers half of its area."""
    generator = torch.Generator().manual_seed(0)
    inside = dataset.samples // 2
    wanted = torch.tensor([dataset.samples - inside, inside])
    points = torch.rand(8 * dataset.samples + 64, 2, generator=generator) * 2 - 1
    labels = (points.norm(dim=1) < sqrt(2 / pi)).long()
    chosen = torch.cat([(labels == label).nonzero().flatten()[: wanted[label]] for label in (0, 1)]).sort().values
    return Raw(Part(points[chosen], labels[chosen]), None, ("outside", "inside"))


def read_random(dataset: Random, request: Request) -> Raw:
    """Random bytes where the shape is that of an image, numbers from the normal distribution otherwise."""
    if dataset.samples < 2 * dataset.classes:
        message = f"random makes {dataset.samples:,} samples, too few for {dataset.classes:,} classes"
        raise DataError(message, help=(f"ask for at least {2 * dataset.classes:,}: samples={2 * dataset.classes}",))
    generator = torch.Generator().manual_seed(0)
    size = (dataset.samples, *dataset.shape)
    if len(dataset.shape) == 3:
        x = torch.randint(256, size, dtype=torch.uint8, generator=generator)
    else:
        x = torch.randn(size, generator=generator)
    y = torch.randperm(dataset.samples, generator=generator) % dataset.classes
    return Raw(Part(x, y), None, tuple(str(number) for number in range(dataset.classes)))
