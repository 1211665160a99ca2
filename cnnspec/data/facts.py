"""What is known of a data set before it is read. No torch here: `check` compares models with these facts."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from cnnspec.record import Record
from cnnspec.words import KINDS, Count, Dims, Kind, Mismatch, Natural, Word, by_name, word_of

Root = str | os.PathLike[str]

DIGITS = tuple("0123456789")

Column = int | str


def _column(value: Any) -> Column:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise Mismatch("it is neither")


KINDS["Column"] = Kind("the name of a column in quotes, or its number from 0", _column)


class Facts(Record):
    """`shape` is that of one sample, None where every image is brought to the shape of the input. `classes` are
    the names in the order of their numbers, None where they are not known before the data is read."""

    shape: tuple[int, ...] | None
    classes: tuple[str, ...] | None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def suits(outputs: int, classes: int) -> bool:
    """Whether a network with that many outputs tells that many classes apart: one output per class, and of two classes
    one output can tell."""
    return outputs == classes or (outputs, classes) == (1, 2)


class Dataset(Word):
    """Where samples come from. A subclass per data set; `cnnspec.data.loaders` reads them."""

    images: ClassVar[bool] = True
    """Whether samples are pictures, which can be augmented and resized."""

    def facts(self, root: Root) -> Facts:
        """What is known before reading. Relative paths start at `root`, the folder of the spec."""
        raise NotImplementedError


class SquareImages(Dataset):
    """Base of the data sets whose images all have one size. `pad` adds a border of zeros on every side; `resize` brings
    what is there then to the size and number of channels of the input."""

    pad: Natural = 0
    resize: bool = False

    size: ClassVar[int]
    mean: ClassVar[tuple[float, ...]]
    std: ClassVar[tuple[float, ...]]
    names: ClassVar[tuple[str, ...]]

    def facts(self, root: Root) -> Facts:
        side = self.size + 2 * self.pad
        shape = None if self.resize else (len(self.mean), side, side)
        return Facts(shape, self.names, self.mean, self.std)


class Digits(SquareImages):
    """1,797 handwritten digits of 8x8 pixels that ship with scikit-learn; no download."""

    word = "digits"
    size, mean, std, names = 8, (0.3053,), (0.3760,), DIGITS


class TorchvisionImages(SquareImages):
    """Base of the data sets that torchvision reads."""


class Mnist(TorchvisionImages):
    """70,000 handwritten digits, 1x28x28; `pad=2` makes them 1x32x32."""

    word = "mnist"
    size, mean, std, names = 28, (0.1307,), (0.3081,), DIGITS


class FashionMnist(TorchvisionImages):
    """70,000 pictures of clothes, 1x28x28."""

    word = "fashion_mnist"
    size, mean, std = 28, (0.2860,), (0.3530,)
    names = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )


class Cifar10(TorchvisionImages):
    """60,000 photographs of ten kinds of things, 3x32x32."""

    word = "cifar10"
    size, mean, std = 32, (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Cifar100(TorchvisionImages):
    """60,000 photographs of a hundred kinds of things, 3x32x32."""

    word = "cifar100"
    size, mean, std = 32, (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)
    # fmt: off
    names = (
        "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
        "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee",
        "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant",
        "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower",
        "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom",
        "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate",
        "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark",
        "shrew", "skunk", "skyscraper", "snail", "snake", "spider", "squirrel", "streetcar", "sunflower",
        "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor", "train", "trout", "tulip",
        "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
    )
    # fmt: on


class Folder(Dataset):
    """Images in a folder per class: `train/` and `test/` inside `path`, or one folder that is split."""

    word = "folder"
    path: str

    def facts(self, root: Root) -> Facts:
        return Facts(None, class_folders(os.path.join(root, self.path)))


class Csv(Dataset):
    """Rows of a label and flat pixels (0 to 255), as Kaggle's MNIST has them. `test` names a second file; without it
    a part of the first is kept for testing. `label` is the label's column, by name or by number from 0."""

    word = "csv"
    path: str
    test: str | None = None
    label: Column = 0

    def facts(self, root: Root) -> Facts:
        return Facts(None, None)


class Npz(Dataset):
    """A NumPy archive with `x_train`, `y_train`, `x_test`, `y_test` (or `x` and `y`, which are split); images with
    the channels first or last."""

    word = "npz"
    path: str

    def facts(self, root: Root) -> Facts:
        return Facts(None, None)


class Circles(Dataset):
    """Points in the plane, inside or outside a circle; made when needed."""

    word = "circles"
    samples: Count = 800
    images = False

    def facts(self, root: Root) -> Facts:
        return Facts((2,), ("outside", "inside"))


class Random(Dataset):
    """Random samples with random labels, made when needed: a network that learns them has memorised them."""

    word = "random"
    shape: Dims
    classes: Count
    samples: Count = 1000

    def facts(self, root: Root) -> Facts:
        return Facts(self.shape, tuple(str(number) for number in range(self.classes)))


def class_folders(path: Root) -> tuple[str, ...] | None:
    """Names of the class folders of an image folder, sorted; None where there is no such folder."""
    train = os.path.join(path, "train")
    try:
        with os.scandir(train if os.path.isdir(train) else path) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except (OSError, ValueError):  # ValueError: characters that no path can hold
        return None
    return tuple(names) or None


DATASETS = by_name(Digits, Mnist, FashionMnist, Cifar10, Cifar100, Folder, Csv, Npz, Circles, Random)

KINDS["Dataset"] = word_of(DATASETS, "a data set")
