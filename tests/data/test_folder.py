from __future__ import annotations

import os
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from cnnspec.data.facts import Folder  # noqa: E402
from cnnspec.data.folder import SOUND  # noqa: E402
from cnnspec.data.loaders import load  # noqa: E402
from cnnspec.layers.base import Shape  # noqa: E402

RGB = Shape((3, 6, 8))


def save(path: Path, mode: str = "RGB", size: tuple[int, int] = (8, 6), level: int = 100, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if len(mode) == 1 else (level,) * len(mode)).save(path, **options)


def fill(folder: Path, *parts: str, classes: tuple[str, ...] = ("cat", "dog"), count: int = 10, **options) -> None:
    for part in parts:
        for number, name in enumerate(classes):
            for index in range(count):
                save(folder / part / name / f"{index:03}.png", level=20 * number + index, **options)


def read(folder: Path, shape: Shape = RGB, **options):
    return load(Folder(folder.name), shape, root=folder.parent, **options)


# ---------------------------------------------------------------------------------------------------------- the layouts


def test_train_and_test(tmp_path):
    fill(tmp_path, "train", "test")
    data = read(tmp_path)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [18, 2, 20]
    assert data.classes == ("cat", "dog")
    assert data.train.x.dtype == torch.uint8
    assert data.test.x.shape == (20, 3, 6, 8)
    assert data.test.y.tolist() == [0] * 10 + [1] * 10
    assert data.test.x[:, 1, 2, 3].tolist() == [*range(10), *range(20, 30)], "in the order of the names"
    assert data.messages == ("split by seed 0: 18 for training, 2 for validation",)


def test_one_folder_is_split(tmp_path):
    fill(tmp_path, ".")
    data = read(tmp_path)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [14, 2, 4]
    assert "there is no test part: 20% of folder are kept for it, 4 of 20 samples" in data.messages[0]


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_a_validation_folder_is_the_validation_part(tmp_path, name):
    fill(tmp_path, "train", "test", name)
    data = read(tmp_path)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [20, 20, 20]
    assert data.messages == ("20 for training, 20 for validation, as they come in folder",)


def test_a_validation_folder_stands_in_for_a_missing_test_folder(tmp_path):
    fill(tmp_path, "train", "val")
    data = read(tmp_path)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [18, 2, 20]
    assert data.messages[0] == "there is no test folder: val is measured at the end in its place"


def test_absolute_paths_and_nested_folders(tmp_path):
    fill(tmp_path, "train", "test")
    save(tmp_path / "train" / "cat" / "more" / "deep.JPG", format="JPEG")
    data = load(Folder(str(tmp_path)), RGB, root=Path("elsewhere"))
    assert len(data.train) + len(data.validation) == 21


def test_what_is_no_image_is_left_out(tmp_path):
    fill(tmp_path, "train", "test")
    for name in ("notes.txt", "Thumbs.db", ".DS_Store", "._000.png"):
        (tmp_path / "train" / "cat" / name).write_bytes(b"nothing")
    (tmp_path / "train" / ".cache").mkdir()
    assert read(tmp_path).classes == ("cat", "dog")


# ------------------------------------------------------------------------------------------------- any size, any mode


def test_sizes_are_brought_to_the_input_and_named(tmp_path):
    fill(tmp_path, "train", "test")
    for number in range(12):
        save(tmp_path / "test" / "cat" / f"big{number}.png", size=(40 + number, 30))
    data = read(tmp_path)
    assert data.test.x.shape == (32, 3, 6, 8)
    assert data.messages[0] == "images are resized from 30x40 (and 11 other sizes) to 6x8 (height x width)"


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("L", {}),
        ("LA", {}),
        ("RGB", {}),
        ("RGBA", {}),
        ("P", {}),
        ("1", {}),
        ("I;16", {}),
        ("CMYK", {"format": "TIFF"}),
    ],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_modes_become_the_channels_of_the_input(tmp_path, mode, options, channels):
    fill(tmp_path, "train", "test")
    picture = Image.new("RGB", (8, 6), (200, 200, 200))
    if mode == "I;16":
        picture = Image.fromarray(np.full((6, 8), 200 * 257, np.uint16))
    elif mode == "1":
        picture = Image.new("1", (8, 6), 1)
    else:
        picture = picture.convert(mode, palette=Image.Palette.ADAPTIVE)
    name = "odd.tif" if options else "odd.png"
    picture.save(tmp_path / "test" / "cat" / name, **options)
    x = read(tmp_path, Shape((channels, 6, 8))).test.x
    assert x.shape == (21, channels, 6, 8)
    found = x[10].flatten(1).float().mean(1).tolist()
    expected = 255 if mode == "1" else 200
    assert found[: min(channels, 3)] == pytest.approx([expected] * min(channels, 3), abs=1)
    assert channels < 4 or found[3] == 255


def test_conversion_is_named(tmp_path):
    fill(tmp_path, "train", "test", mode="L")
    assert read(tmp_path).messages[0] == "images are converted from grey to RGB"
    assert read(tmp_path, Shape((1, 6, 8))).messages[0].startswith("split")


@pytest.mark.parametrize("ending", ["jpg", "bmp", "gif", "webp", "tiff", "ppm"])
def test_formats(tmp_path, ending):
    fill(tmp_path, "train", "test")
    save(tmp_path / "test" / "cat" / f"zzz.{ending}", level=90)
    assert read(tmp_path).test.x[10].float().mean() == pytest.approx(90, abs=2)


def test_resizing_averages(tmp_path):
    fill(tmp_path, "train", "test")
    board = (np.indices((60, 80)).sum(0) % 2 * 255).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / "test" / "cat" / "board.png")
    assert (read(tmp_path).test.x[10].float() - 127.5).abs().max() < 8


# -------------------------------------------------------------------------------------------------------- what is wrong


def test_no_such_folder(tmp_path, refused):
    error = refused(read, tmp_path / "nowhere")
    assert error.message == f"there is no folder {tmp_path / 'nowhere'}"
    assert error.notes == ("a relative path starts at the folder of the spec",)
    whole = refused(load, Folder(str(tmp_path / "nowhere")), RGB, root=tmp_path)
    assert (whole.message, whole.notes) == (error.message, ())
    assert "PATH/train/CLASS" in error.help[0]


def test_a_file_is_no_folder(tmp_path, refused):
    (tmp_path / "images.zip").write_bytes(b"PK")
    assert refused(read, tmp_path / "images.zip").message.endswith("is a file, not a folder of images")


def test_empty_folder(tmp_path, refused):
    assert refused(read, tmp_path).message == f"there are no class folders in {tmp_path}"


def test_no_images(tmp_path, refused):
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "readme.txt").write_text("soon")
    assert refused(read, tmp_path).message == f"the class folder {tmp_path / 'cat'} holds no images"


def test_one_class(tmp_path, refused):
    fill(tmp_path, "train", classes=("cat",))
    folder = tmp_path / "train"
    assert refused(read, tmp_path).message == f"{folder} has one class only, cat: there is nothing to tell apart"


def test_test_without_train(tmp_path, refused):
    fill(tmp_path, "test")
    assert refused(read, tmp_path).message == f"{tmp_path} has a folder test but no folder train"


def test_a_class_that_is_only_tested(tmp_path, refused):
    fill(tmp_path, "train")
    fill(tmp_path, "test", classes=("cat", "cow"))
    error = refused(read, tmp_path)
    assert error.message == f"{tmp_path / 'test'} has a class that the training images do not have: cow"
    assert error.notes == ("the training images have cat, dog",)


def test_an_empty_test_folder(tmp_path, refused):
    fill(tmp_path, "train")
    (tmp_path / "test" / "cat").mkdir(parents=True)
    assert refused(read, tmp_path).message == f"there are no images in {tmp_path / 'test'}"


def test_one_unreadable_image(tmp_path, refused):
    fill(tmp_path, "train", "test")
    bad = tmp_path / "train" / "dog" / "004.png"
    bad.write_bytes(b"no image")
    error = refused(read, tmp_path)
    assert error.message == f"{bad} cannot be read as an image: it does not begin as an image of any known format does"
    assert error.help == (SOUND,)


def test_truncated_and_empty_images_are_listed(tmp_path, refused):
    fill(tmp_path, "train", "test")
    bad = sorted((tmp_path / "train" / "dog").iterdir())[:7]
    for number, path in enumerate(bad):
        path.write_bytes(path.read_bytes()[: 8 * number])
    photo = tmp_path / "test" / "cat" / "photo.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(photo)
    photo.write_bytes(photo.read_bytes()[:-800])
    error = refused(read, tmp_path)
    assert error.message == "8 of 41 files cannot be read as images"
    assert [note.rpartition(": ")[0] for note in error.notes[:5]] == [str(path) for path in bad[:5]]
    assert error.notes[0].endswith("it is empty")
    assert error.notes[5] == "and 3 more"


def test_more_images_than_memory(tmp_path, refused):
    fill(tmp_path, "train", "test")
    error = refused(read, tmp_path, Shape((3, 50_000_000, 50_000_000)))
    assert error.message.startswith("40 images of 3x50000000x50000000 take 300000000.0 GB")
    assert "room for" in error.notes[0]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((784,), "holds images, and the input 784 is flat"),
        ((2, 8, 8), "holds images, and an input of 2x8x8 is none"),
        ((3, 8), "holds images, and an input of 3x8 is none"),
    ],
)
def test_inputs_that_take_no_images(tmp_path, refused, shape, message):
    fill(tmp_path, "train", "test")
    assert message in refused(read, tmp_path, Shape(shape)).message


# ------------------------------------------------------------------------------------------------------------ real data

REAL = os.environ.get("CNNSPEC_TEST_DATA", "")


@pytest.mark.skipif(not REAL, reason="CNNSPEC_TEST_DATA does not name a folder with cifar10/test/")
def test_real_photographs():
    data = read(Path(REAL) / "cifar10" / "test", Shape((3, 32, 32)))
    assert len(data.train) + len(data.validation) + len(data.test) == 10000
    assert len(data.classes) == 10
    assert data.mean.tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.01)
