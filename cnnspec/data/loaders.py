"""Reads a data set into memory. Each data set has a reader; what is common to all happens here, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from cnnspec.data import facts
from cnnspec.data.csv_file import read_csv
from cnnspec.data.error import DataError
from cnnspec.data.facts import Dataset
from cnnspec.data.folder import read_folder
from cnnspec.data.made import read_circles, read_digits, read_random
from cnnspec.data.npz_file import read_npz
from cnnspec.data.parts import SPEC_FOLDER, Data, Part, Raw, Request, split, statistics
from cnnspec.data.vision import read_torchvision
from cnnspec.layers.base import Shape

READERS: dict[type[Dataset], Callable[[Any, Request], Raw]] = {
    facts.Digits: read_digits,
    facts.Mnist: read_torchvision,
    facts.FashionMnist: read_torchvision,
    facts.Cifar10: read_torchvision,
    facts.Cifar100: read_torchvision,
    facts.Folder: read_folder,
    facts.Csv: read_csv,
    facts.Npz: read_npz,
    facts.Circles: read_circles,
    facts.Random: read_random,
}

TEST_SHARE = 0.2
"""What is kept for testing of a data set that has no test part: the same samples whatever the seed."""


def default_data_dir() -> Path:
    """Where downloaded data sets live unless told otherwise: $CNNSPEC_DATA, else data/ in the working directory."""
    return Path(os.environ.get("CNNSPEC_DATA") or "data").expanduser()


def load(
    dataset: Dataset,
    shape: Shape,
    *,
    root: Path,
    data_dir: Path | None = None,
    validation: float = 0.1,
    seed: int = 0,
    start: str = SPEC_FOLDER,
) -> Data:
    """The samples of `dataset` as an input of `shape` takes them.

    Relative paths start at `root`, which messages call `start`. Files that are already in `data_dir`
    (`default_data_dir` where None) are used without the network. A share `validation` of the training data is split off
    by `seed`, of every class alike; 0 holds nothing back. Raises `DataError` for everything that can be wrong with
    data.
    """
    _compare(dataset, shape, root)
    request = Request(shape, root.absolute(), (data_dir or default_data_dir()).absolute(), start)
    return prepared(_read(dataset, request), dataset.word, validation, seed)


_kept: dict[str, Raw] | None = None


@contextmanager
def read_once() -> Iterator[None]:
    """Inside, a data set that several runs in a row train on is read only for the first of them."""
    global _kept
    _kept = {}
    try:
        yield
    finally:
        _kept = None


def _read(dataset: Dataset, request: Request) -> Raw:
    """Of several data sets the last one is kept."""
    what = repr((dataset, request))
    if _kept is not None and what in _kept:
        return _kept[what]
    raw = READERS[type(dataset)](dataset, request)
    if _kept is not None:
        _kept.clear()
        _kept[what] = raw
    return raw


def prepared(raw: Raw, word: str, validation: float, seed: int) -> Data:
    """What a reader returned, split and measured."""
    train, test, held, messages = raw.train, raw.test, raw.validation, list(raw.messages)
    if test is None:
        train, test = split(train, TEST_SHARE, seed=0)
        messages.append(
            f"there is no test part: {TEST_SHARE:.0%} of {word} are kept for it, {len(test):,} of "
            f"{len(raw.train):,} samples, the same ones with every seed"
        )
    if held is not None:
        messages.append(f"{len(train):,} for training, {len(held):,} for validation, as they come in {word}")
    elif validation > 0:
        train, held = split(train, validation, seed)
        messages.append(f"split by seed {seed}: {len(train):,} for training, {len(held):,} for validation")
    mean, std = _moments(raw, train)
    return Data(train, held, test, raw.classes, mean, std, tuple(messages))


def _moments(raw: Raw, train: Part) -> tuple[torch.Tensor, torch.Tensor]:
    if raw.mean is None or raw.std is None:
        return statistics(train.x)
    return torch.tensor(raw.mean), torch.tensor(raw.std)


def _compare(dataset: Dataset, shape: Shape, root: Path) -> None:
    """Before anything is read or downloaded: do the samples fit the input?"""
    known = dataset.facts(root).shape
    if known is None or known == shape.sizes:
        return
    samples = Shape(known)
    help = [f"write input {samples}"]
    if shape.rank == 0 and samples.rank > 0:
        help = [f"write input {samples}, and make flatten the first layer"]
    if hasattr(dataset, "resize") and shape.rank == 2:
        help.append(f"or bring the images to the input: {dataset.word}(resize=true)")
    raise DataError(f"{dataset.word} has samples of {samples}, and the input is {shape}", help=tuple(help))
