from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

from cnnspec.data.facts import Cifar10, Cifar100, FashionMnist, Mnist  # noqa: E402
from cnnspec.data.loaders import load  # noqa: E402
from cnnspec.data.vision import NAMES, import_torchvision  # noqa: E402
from cnnspec.layers.base import Shape  # noqa: E402

GREY, COLOUR = Shape((1, 28, 28)), Shape((3, 32, 32))
HERE = Path()
IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def write_idx(path: Path, values) -> None:
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes())


@pytest.fixture(params=[Mnist, FashionMnist])
def idx(request, tmp_path):
    """A small data set in the layout of MNIST: its class, its folder and the folder of its files."""
    raw = tmp_path / NAMES[request.param] / "raw"
    raw.mkdir(parents=True)
    random = np.random.default_rng(0)
    for (images, labels), count in zip((IDX[:2], IDX[2:]), (40, 20), strict=True):
        write_idx(raw / images, random.integers(0, 256, (count, 28, 28)))
        write_idx(raw / labels, np.arange(count) % 10)
    return request.param, tmp_path, raw


def batch(count: int, classes: int, key: str) -> bytes:
    pixels = np.random.default_rng(count).integers(0, 256, (count, 3072)).astype(np.uint8)
    return pickle.dumps({"data": pixels, key: [number % classes for number in range(count)]})


@pytest.fixture(params=[Cifar10, Cifar100])
def cifar(request, tmp_path, monkeypatch):
    """A small data set in the layout of CIFAR, with the check sums torchvision would want."""
    source = getattr(import_torchvision().datasets, NAMES[request.param])
    folder = tmp_path / source.base_folder
    folder.mkdir()
    classes = len(request.param.names)
    key = "labels" if classes == 10 else "fine_labels"

    def write(name: str, content: bytes) -> tuple[str, str]:
        (folder / name).write_bytes(content)
        return name, hashlib.md5(content, usedforsecurity=False).hexdigest()

    for part, count in (("train_list", 200), ("test_list", 100)):
        sums = [list(write(name, batch(count, classes, key))) for name, _ in getattr(source, part)]
        monkeypatch.setattr(source, part, sums)
    _, md5 = write(source.meta["filename"], pickle.dumps({source.meta["key"]: list(request.param.names)}))
    monkeypatch.setattr(source, "meta", source.meta | {"md5": md5})
    return request.param, tmp_path, folder


# ------------------------------------------------------------------------------------------------------ as it should be


def test_idx_files_are_read(idx, no_network):
    kind, folder, raw = idx
    data = load(kind(), GREY, root=HERE, data_dir=folder)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [36, 4, 20]
    assert data.train.x.dtype == torch.uint8
    assert data.train.x.shape[1:] == (1, 28, 28)
    assert data.test.x.numpy().tobytes() == (raw / IDX[2]).read_bytes()[16:]
    assert data.test.y.tolist() == [number % 10 for number in range(20)]
    assert data.classes == kind.names
    assert data.mean.tolist() == pytest.approx(kind.mean)
    assert data.std.tolist() == pytest.approx(kind.std)
    assert data.messages == ("split by seed 0: 36 for training, 4 for validation",)


def test_padding_is_a_border_of_zeros(idx, no_network):
    kind, folder, _ = idx
    plain = load(kind(), GREY, root=HERE, data_dir=folder)
    padded = load(kind(pad=2), Shape((1, 32, 32)), root=HERE, data_dir=folder)
    assert torch.equal(padded.test.x[:, :, 2:-2, 2:-2], plain.test.x)
    assert padded.test.x.long().sum() == plain.test.x.long().sum()
    assert padded.messages[0] == "images have a border of 2 zeros on every side: 28 becomes 32"


def test_resized_to_the_input(idx, no_network):
    kind, folder, _ = idx
    data = load(kind(resize=True), Shape((3, 14, 20)), root=HERE, data_dir=folder)
    assert data.test.x.shape == (20, 3, 14, 20)
    assert torch.equal(data.test.x[:, 0], data.test.x[:, 2])
    assert data.mean.shape == (3,)
    assert data.mean[0] != pytest.approx(kind.mean[0]), "what is known of grey images is not used for others"
    assert data.messages[:2] == (
        "images are resized from 28x28 to 14x20 (height x width)",
        "images are converted from grey to RGB",
    )


def test_the_folder_may_come_from_the_environment(idx, no_network, monkeypatch):
    kind, folder, _ = idx
    monkeypatch.setenv("CNNSPEC_DATA", str(folder))
    assert len(load(kind(), GREY, root=HERE).test) == 20


def test_cifar_files_are_read(cifar, no_network):
    kind, folder, _ = cifar
    data = load(kind(), COLOUR, root=HERE, data_dir=folder, validation=0)
    assert len(data.train) == (1000 if kind is Cifar10 else 200)
    assert data.test.x.shape == (100, 3, 32, 32)
    assert data.test.x.dtype == torch.uint8
    pixels = np.random.default_rng(100).integers(0, 256, (100, 3072)).astype(np.uint8)
    assert data.test.x.numpy().tobytes() == pixels.tobytes()
    assert data.test.y.tolist() == [number % len(kind.names) for number in range(100)]
    assert data.classes == kind.names


def test_colours_become_grey(cifar, no_network):
    kind, folder, _ = cifar
    data = load(kind(resize=True), Shape((1, 32, 32)), root=HERE, data_dir=folder)
    assert data.test.x.shape == (100, 1, 32, 32)
    assert data.messages[0] == "images are converted from RGB to grey"


# ---------------------------------------------------------------------------------------------------------- what is not


@pytest.mark.parametrize("kind", [Mnist, FashionMnist, Cifar10, Cifar100])
def test_absent_and_no_network(kind, tmp_path, no_network, refused):
    error = refused(load, kind(), COLOUR if kind.size == 32 else GREY, root=HERE, data_dir=tmp_path)
    assert error.message == f"{kind.word} is not in {tmp_path}, and it could not be downloaded"
    where, says = error.notes
    assert where.startswith(f"these files belong in {tmp_path}{os.sep}")
    assert "train-images-idx3-ubyte" in where or "test" in where
    assert "no network here" in says
    assert any("--data-dir" in text and "CNNSPEC_DATA" in text for text in error.help)
    assert any("with a network, run the same command again" in text for text in error.help)


def truncated(path):
    path.write_bytes(path.read_bytes()[:-10])


def grown(path):
    path.write_bytes(path.read_bytes() + b"more")


def swapped(path):
    content = path.read_bytes()
    path.write_bytes(bytes(reversed(content[:4])) + content[4:])


def only_begun(path):
    path.write_bytes(path.read_bytes()[:6])


def emptied(path):
    path.write_bytes(b"")


def a_web_page(path):
    path.write_text("<html>404</html>")


DAMAGE = [truncated, grown, swapped, only_begun, emptied, a_web_page]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", IDX)
def test_damaged_idx_file(idx, damage, name, no_network, refused):
    kind, folder, raw = idx
    damage(raw / name)
    error = refused(load, kind(), GREY, root=HERE, data_dir=folder)
    assert error.message.startswith(f"{kind.word} in {raw} cannot be read: {name}: ")
    assert ("empty" if damage is emptied else "damaged") in error.message
    assert error.help[0] == f"move away what is damaged: {raw / name}"


def test_missing_idx_file(idx, no_network, refused):
    kind, folder, raw = idx
    (raw / IDX[1]).unlink()
    (raw / IDX[2]).unlink()
    error = refused(load, kind(), GREY, root=HERE, data_dir=folder)
    assert error.message == f"{kind.word} in {raw} cannot be read"
    assert error.notes[:2] == (f"{IDX[1]}: missing", f"{IDX[2]}: missing")


def test_sound_files_that_do_not_belong_together(idx, no_network, refused):
    kind, folder, raw = idx
    write_idx(raw / IDX[3], np.zeros(7))
    error = refused(load, kind(), GREY, root=HERE, data_dir=folder)
    assert error.notes == ("20 images of 1x28x28 and 7 labels were read",)


def test_labels_out_of_range(idx, no_network, refused):
    kind, folder, raw = idx
    write_idx(raw / IDX[1], np.full(40, 17))
    error = refused(load, kind(), GREY, root=HERE, data_dir=folder)
    assert error.notes == ("labels from 17 to 17 were read, and there are 10 classes",)


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_cifar_file(cifar, damage, no_network, refused):
    kind, folder, files = cifar
    name = "data_batch_3" if kind is Cifar10 else "train"
    damage(files / name)
    error = refused(load, kind(), COLOUR, root=HERE, data_dir=folder)
    assert error.message.startswith(f"{kind.word} in {files} cannot be read: {name}: ")
    assert error.help[0] == f"move away what is damaged: {files / name}"


def test_damaged_names_of_cifar(cifar, no_network, refused):
    kind, folder, files = cifar
    name = "batches.meta" if kind is Cifar10 else "meta"
    (files / name).unlink()
    error = refused(load, kind(), COLOUR, root=HERE, data_dir=folder)
    assert error.message == f"{kind.word} in {files} cannot be read: {name}: missing"


@pytest.mark.parametrize("shape", [(784,), (2, 28, 28), (1, 28)])
def test_images_need_an_input_for_images(shape, refused):
    message = refused(load, Mnist(resize=True), Shape(shape), root=HERE).message
    assert message.startswith("mnist holds images, and ")


# -------------------------------------------------------------------------------------------------- torchvision itself


def test_torchvision_is_imported_though_its_operators_are_not_loaded():
    """As with builds that do not match, also where they do."""
    program = (
        "import sys, torch\n"
        "def refuse(*args): raise OSError('wrong build')\n"
        "torch.ops.load_library = refuse\n"
        "try:\n    import torchvision\nexcept RuntimeError as error:\n    print('stopped:', error)\n"
        "from cnnspec.data.vision import import_torchvision\n"
        "first = import_torchvision()\n"
        "assert import_torchvision() is first is sys.modules['torchvision']\n"
        "print(first.datasets.MNIST.__name__, first.transforms.functional.hflip.__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["MNIST hflip"], done.stderr


def test_another_fault_of_torchvision_is_reported(monkeypatch, refused):
    from cnnspec.data import vision

    def broken(name):
        raise ImportError("undefined symbol")

    monkeypatch.setattr(vision, "package", broken)
    error = refused(import_torchvision)
    assert error.message == "torchvision cannot be imported"
    assert error.notes == ("undefined symbol",)


# ------------------------------------------------------------------------------------------------------------ real data

REAL = os.environ.get("CNNSPEC_TEST_DATA", "")


@pytest.mark.skipif(not REAL, reason="CNNSPEC_TEST_DATA does not name a folder with MNIST/")
def test_the_real_mnist(no_network):
    data = load(Mnist(), GREY, root=HERE, data_dir=Path(REAL))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [54000, 6000, 10000]
    x = torch.cat([data.train.x, data.validation.x]).double() / 255
    assert float(x.mean()) == pytest.approx(Mnist.mean[0], abs=1e-4)
    assert float(x.std()) == pytest.approx(Mnist.std[0], abs=1e-4)
    assert data.test.y.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
