from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from cnnspec.data import error as error_module  # noqa: E402
from cnnspec.data.facts import DATASETS, Circles, Csv, Digits, Mnist, Npz, Random, suits  # noqa: E402
from cnnspec.data.loaders import READERS, default_data_dir, load  # noqa: E402
from cnnspec.data.parts import Part, split, statistics  # noqa: E402
from cnnspec.layers.base import Shape  # noqa: E402

HERE = Path()


def test_every_data_set_of_the_language_has_a_reader():
    assert set(READERS) == set(DATASETS.values())


def test_digits():
    data = load(Digits(), Shape((1, 8, 8)), root=HERE)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1294, 144, 359]
    assert data.train.x.dtype == torch.uint8
    assert data.train.x.shape[1:] == (1, 8, 8)
    assert data.train.y.dtype == torch.int64
    assert data.classes == tuple("0123456789")
    assert data.messages == (
        "there is no test part: 20% of digits are kept for it, 359 of 1,797 samples, the same ones with every seed",
        "split by seed 0: 1,294 for training, 144 for validation",
    )


def test_digits_are_scaled_to_bytes_and_their_facts_are_true():
    sklearn = pytest.importorskip("sklearn.datasets")
    data = load(Digits(), Shape((1, 8, 8)), root=HERE, validation=0)
    x = torch.cat([data.train.x, data.test.x])
    assert sorted(x.flatten().unique().tolist()) == [round(value * 255 / 16) for value in range(17)]
    pixels = torch.from_numpy(sklearn.load_digits().images) / 16
    assert torch.allclose(data.mean.double(), pixels.mean(), atol=1e-4)
    assert torch.allclose(data.std.double(), pixels.std(), atol=1e-4)


def test_digits_with_a_border_and_of_another_size():
    plain = load(Digits(), Shape((1, 8, 8)), root=HERE)
    padded = load(Digits(pad=2), Shape((1, 12, 12)), root=HERE)
    assert torch.equal(padded.test.x[:, :, 2:-2, 2:-2], plain.test.x)
    assert padded.test.x.long().sum() == plain.test.x.long().sum()
    assert padded.messages[0] == "images have a border of 2 zeros on every side: 8 becomes 12"
    both = load(Digits(pad=2, resize=True), Shape((3, 24, 24)), root=HERE)
    assert both.test.x.shape[1:] == (3, 24, 24)
    assert both.test.x[:, :, :3].max() == 0, "the border is resized with the image"
    assert both.messages[1:3] == (
        "images are resized from 12x12 to 24x24",
        "images are converted from grey to RGB",
    )


def test_circles_are_balanced_and_separated_by_a_circle():
    data = load(Circles(), Shape((2,)), root=HERE)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [576, 64, 160]
    assert data.classes == ("outside", "inside")
    for part in (data.train, data.validation, data.test):
        radius = part.x.norm(dim=1)
        assert radius[part.y == 1].max() < radius[part.y == 0].min()
        assert (part.y == 1).sum() * 2 == len(part)
        assert part.x.abs().max() <= 1


def test_an_odd_number_of_points_is_kept():
    data = load(Circles(7), Shape((2,)), root=HERE, validation=0)
    assert len(data.train) + len(data.test) == 7


@pytest.mark.parametrize(
    ("shape", "dtype"), [((3, 8, 6), torch.uint8), ((5,), torch.float32), ((2, 30), torch.float32)]
)
def test_random(shape, dtype):
    data = load(Random(shape, 7, 140), Shape(shape), root=HERE)
    assert data.train.x.shape[1:] == shape
    assert data.train.x.dtype == dtype
    assert len(data.classes) == 7
    y = torch.cat([data.train.y, data.validation.y, data.test.y])
    assert y.bincount().tolist() == [20] * 7
    assert data.mean.shape == data.std.shape == shape[:1]


def test_random_needs_samples_of_every_class(refused):
    assert "too few for 7 classes" in refused(load, Random((5,), 7, 10), Shape((5,)), root=HERE).message


# ----------------------------------------------------------------------------------------------- what is common to all


def test_the_seed_chooses_the_validation_part_and_never_the_test_part():
    one, same, other = (load(Digits(), Shape((1, 8, 8)), root=HERE, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.train.x, same.train.x)
    assert torch.equal(one.validation.x, same.validation.x)
    assert not torch.equal(one.validation.x, other.validation.x)
    assert torch.equal(one.test.x, other.test.x)


def test_nothing_is_held_back_where_nothing_is_asked():
    data = load(Digits(), Shape((1, 8, 8)), root=HERE, validation=0)
    assert data.validation is None
    assert len(data.train) == 1438
    assert not any("validation" in message for message in data.messages)


@pytest.mark.parametrize("share", [0.1, 0.25, 1 / 3, 0.5])
@pytest.mark.parametrize("counts", [(50, 50), (100, 7, 3), (4,) * 30])
def test_split_takes_of_every_class_alike_and_loses_nothing(share, counts):
    y = torch.cat([torch.full((count,), label) for label, count in enumerate(counts)])
    part = Part(torch.arange(len(y)).view(-1, 1), y)
    rest, held = split(part, share, seed=5)
    assert len(held) == round(len(y) * share)
    assert sorted(torch.cat([rest.x, held.x]).flatten().tolist()) == list(range(len(y)))
    for label, count in enumerate(counts):
        assert abs((held.y == label).sum() - count * share) <= 1
    assert torch.equal(held.x.flatten(), held.x.flatten().sort().values)


def test_split_is_the_same_everywhere():
    part = Part(torch.arange(20).view(-1, 1), torch.arange(20) % 2)
    assert split(part, 0.25, seed=0)[1].x.flatten().tolist() == [1, 2, 9, 12, 13]


@pytest.mark.parametrize("counts", [(50, 1), (1, 1, 1, 30), (40, 2, 3), (10,)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_no_class_is_held_back_whole(share, counts):
    """The first samples in the order of the classes, and the last, once fell to the held part whatever their class."""
    y = torch.cat([torch.full((count,), label) for label, count in enumerate(counts)])
    rest, held = split(Part(torch.zeros(len(y), 2), y), share, seed=0)
    assert rest.y.unique().tolist() == list(range(len(counts)))
    assert len(rest) + len(held) == len(y)
    assert len(held)


def test_single_samples_cannot_be_split(refused):
    part = Part(torch.zeros(4, 2), torch.arange(4))
    assert refused(split, part, 0.5, 0).message == "4 samples are too few to hold back 50% of them"


def test_too_few_to_split(refused):
    part = Part(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1]))
    assert refused(split, part, 0.1, 0).message == "4 samples are too few to hold back 10% of them"


@pytest.mark.parametrize("channels", [1, 3])
def test_statistics_of_bytes(channels):
    x = torch.randint(256, (20, channels, 5, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mean, std = statistics(x)
    assert torch.allclose(mean.double(), (x.double() / 255).mean((0, 2, 3)))
    assert torch.allclose(std.double(), (x.double() / 255).std((0, 2, 3), correction=0))


def test_statistics_of_vectors_and_of_what_never_varies():
    mean, std = statistics(torch.tensor([[1.0, 7.0], [3.0, 7.0]]))
    assert mean.tolist() == [2, 7]
    assert std.tolist() == [1, 1]
    assert statistics(torch.zeros(3, 1, 2, 2, dtype=torch.uint8))[1].tolist() == [1]


def test_samples_that_do_not_fit_the_input(refused):
    error = refused(load, Digits(), Shape((1, 28, 28)), root=HERE)
    assert error.message == "digits has samples of 1x8x8, and the input is 1x28x28"
    assert error.help == ("write input 1x8x8", "or bring the images to the input: digits(resize=true)")
    flat = refused(load, Digits(), Shape((64,)), root=HERE)
    assert flat.help == ("write input 1x8x8, and make flatten the first layer",)
    assert (
        "or bring the images to the input: mnist(resize=true)"
        in refused(load, Mnist(), Shape((3, 32, 32)), root=HERE).help
    )


def test_where_downloads_live(monkeypatch):
    monkeypatch.delenv("CNNSPEC_DATA", raising=False)
    assert default_data_dir() == Path("data")
    monkeypatch.setenv("CNNSPEC_DATA", "elsewhere")
    assert default_data_dir() == Path("elsewhere")


# --------------------------------------------------------------------------------------------------------------- errors


def test_an_error_as_text():
    error = error_module.DataError("a fault", ("a fact", "another"), ("do this",))
    assert str(error) == "a fault\nnote: a fact\nnote: another\nhelp: do this"


def test_a_missing_package_says_what_installs_it(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    error = refused(load, Digits(), Shape((1, 8, 8)), root=HERE)
    assert error.message == "the Python package sklearn is not installed"
    assert error.help == ('run: pip install "cnnspec[torch]"',)


def test_facts_and_errors_are_light():
    program = (
        "import sys, cnnspec.data.facts, cnnspec.data.error;"
        "print([name for name in ('torch', 'numpy', 'PIL', 'sklearn', 'torchvision') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_paths_start_at_the_spec(tmp_path, refused):
    for named in (Csv("missing"), Npz("missing")):
        error = refused(load, named, Shape((4,)), root=tmp_path)
        assert error.message == f"there is no file {tmp_path / 'missing'}"
        assert error.notes == ("a relative path starts at the folder of the spec",)
        outside = refused(load, named, Shape((4,)), root=tmp_path, start="the working directory")
        assert outside.notes == ("a relative path starts at the working directory",)
        home = refused(load, named.replace(path="~/missing"), Shape((4,)), root=tmp_path)
        assert home.notes == ("~ stands for no folder here: write the whole path",)
        whole = refused(load, named.replace(path=str(tmp_path / "missing")), Shape((4,)), root=tmp_path)
        assert (whole.message, whole.notes) == (error.message, ())
        assert refused(load, named.replace(path="."), Shape((4,)), root=tmp_path).message.endswith(
            "is a folder, not a file"
        )


def test_which_outputs_tell_classes_apart():
    assert [(o, c) for o in range(1, 4) for c in range(2, 4) if suits(o, c)] == [(1, 2), (2, 2), (3, 3)]
