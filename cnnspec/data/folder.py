"""Folders of images, one folder per class."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path

import torch

from cnnspec.data.error import DataError, package
from cnnspec.data.facts import Folder, class_folders
from cnnspec.data.parts import Part, Raw, Request
from cnnspec.data.pictures import changes, picture_mode, read_images, room_for
from cnnspec.data.room import about_room

VALIDATION_NAMES = ("val", "valid", "validation")
"""What a folder of validation images is called."""

LAYOUT = (
    "images belong in a folder per class: PATH/train/CLASS/*.png and PATH/test/CLASS/*.png,",
    "or PATH/CLASS/*.png, from which a part is kept for testing",
)


SOUND = "put a sound copy in the place of a damaged image, and what is no image into another folder"


def read_folder(dataset: Folder, request: Request) -> Raw:
    """`train/` and `test/`, and `val/` where there is one; or one folder of classes, without any of these."""
    top = request.root / dataset.path
    picture_mode(request.shape, f'folder("{dataset.path}")')
    if not top.is_dir():
        raise _not_a_folder(top, request.where(dataset.path))
    inside = _inside(top)
    classes = class_folders(top) or ()
    if len(classes) < 2:
        raise _too_few_classes(inside.get("train", top), classes)
    lists = {name: _listed(folder, classes, complete=name == "train") for name, folder in inside.items()}
    files = [path for paths, _ in lists.values() for path in paths]
    held = room_for(len(files), request.shape)
    pixels, found = read_images(files, request.shape, SOUND, held)
    counts = [len(paths) for paths, _ in lists.values()]
    parts = {
        name: Part(x, torch.tensor(labels))
        for (name, (_, labels)), x in zip(lists.items(), torch.split(pixels, counts), strict=True)
    }
    messages = changes(found, request.shape) + about_room(held)
    validation = parts.get("validation")
    if "test" not in parts and validation is not None:
        messages += (f"there is no test folder: {inside['validation'].name} is measured at the end in its place",)
        return Raw(parts["train"], validation, classes, messages=messages)
    return Raw(parts["train"], parts.get("test"), classes, validation, messages=messages)


def _inside(top: Path) -> dict[str, Path]:
    """The folders that hold class folders, by what they are for."""
    found = {name: top / name for name in ("train", "test") if (top / name).is_dir()}
    if "train" not in found:
        if found:
            raise DataError(f"{top} has a folder test but no folder train", LAYOUT)
        return {"train": top}
    held = next((top / name for name in VALIDATION_NAMES if (top / name).is_dir()), None)
    return found | {"validation": held} if held else found


def _listed(folder: Path, classes: tuple[str, ...], *, complete: bool) -> tuple[list[Path], list[int]]:
    """The images below `folder` and the numbers of their classes; `complete`: every class must have some."""
    unknown = set(class_folders(folder) or ()) - set(classes)
    if unknown:
        message = f"{folder} has a class that the training images do not have: {min(unknown)}"
        raise DataError(message, (f"the training images have {', '.join(classes)}",))
    images = [image_files(folder / name) for name in classes]
    for name, paths in zip(classes, images, strict=True):
        if complete and not paths:
            raise DataError(f"the class folder {folder / name} holds no images", LAYOUT)
    if not any(images):
        raise DataError(f"there are no images in {folder}", LAYOUT)
    return list(chain.from_iterable(images)), [number for number, paths in enumerate(images) for _ in paths]


def image_files(folder: Path) -> list[Path]:
    """Every file below `folder` whose name ends as an image's does, sorted; hidden ones are left out."""
    endings = tuple(package("PIL.Image").registered_extensions())
    found = [
        Path(where, name)
        for where, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.lower().endswith(endings) and not name.startswith(".")
    ]
    return sorted(found)


def _not_a_folder(top: Path, where: tuple[str, ...]) -> DataError:
    if top.exists():
        return DataError(f"{top} is a file, not a folder of images", LAYOUT)
    return DataError(f"there is no folder {top}", where, LAYOUT)


def _too_few_classes(folder: Path, classes: tuple[str, ...]) -> DataError:
    if not classes:
        return DataError(f"there are no class folders in {folder}", LAYOUT)
    return DataError(f"{folder} has one class only, {classes[0]}: there is nothing to tell apart", LAYOUT)
