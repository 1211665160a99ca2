from __future__ import annotations

import gzip

import pytest

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

from cnnspec.data.facts import Csv, Npz  # noqa: E402
from cnnspec.data.loaders import load  # noqa: E402
from cnnspec.layers.base import Shape  # noqa: E402

GREY = Shape((1, 4, 6))


def pixels(count=30, size=24):
    return np.random.default_rng(0).integers(0, 256, (count, size))


def labels(count=30):
    return np.arange(count) % 3


def write_csv(path, x=None, y=None, *, header=True, at=0, separator=",", names=None):
    x = pixels() if x is None else x
    y = labels(len(x)) if y is None else y
    rows = [[*map(str, row[:at]), str(label), *map(str, row[at:])] for row, label in zip(x.tolist(), y, strict=True)]
    if header:
        inputs = names or [f"pixel{number}" for number in range(x.shape[1])]
        rows.insert(0, [*inputs[:at], "label", *inputs[at:]])
    path.write_text("\n".join(separator.join(row) for row in rows) + "\n")


@pytest.fixture
def read(tmp_path):
    def call(dataset, shape=GREY, **options):
        return load(dataset, shape, root=tmp_path, **options)

    return call


def whole(data):
    """All samples and labels, in the order of a table without a test part... sorted by their pixels."""
    parts = [part for part in (data.train, data.validation, data.test) if part is not None]
    rows = torch.cat([torch.cat([part.x.flatten(1).long(), part.y.view(-1, 1)], 1) for part in parts])
    return sorted(rows.tolist())


EXPECTED = sorted(np.hstack([pixels(), labels()[:, None]]).tolist())


# ------------------------------------------------------------------------------------------------------------------ csv


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("at", [0, 7, 24])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv(tmp_path, read, header, at, separator):
    write_csv(tmp_path / "t.csv", header=header, at=at, separator=separator)
    data = read(Csv("t.csv", label=at))
    assert data.train.x.shape[1:] == (1, 4, 6)
    assert data.train.x.dtype == torch.uint8
    assert data.train.y.dtype == torch.int64
    assert data.classes == ("0", "1", "2")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [22, 2, 6]
    assert whole(data) == EXPECTED


def test_label_by_name(tmp_path, read):
    write_csv(tmp_path / "t.csv", at=5)
    assert whole(read(Csv("t.csv", label="label"))) == EXPECTED


def test_a_header_of_numbers_is_told_by_its_label(tmp_path, read):
    write_csv(tmp_path / "t.csv", names=[str(number) for number in range(24)])
    assert whole(read(Csv("t.csv"))) == EXPECTED


def test_compressed_with_a_mark_quotes_and_windows_lines(tmp_path, read):
    write_csv(tmp_path / "t.csv")
    rows = (tmp_path / "t.csv").read_text().splitlines()
    quoted = "\r\n".join(",".join(f'"{cell}"' for cell in row.split(",")) for row in rows) + "\r\n\r\n"
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + quoted.encode()))
    assert whole(read(Csv("t.csv.gz"))) == EXPECTED


def test_a_second_file_is_the_test_part(tmp_path, read):
    write_csv(tmp_path / "t.csv")
    write_csv(tmp_path / "u.csv", pixels(9), header=False)
    data = read(Csv("t.csv", test="u.csv"), validation=0)
    assert len(data.train) == 30
    assert data.test.x.flatten(1).tolist() == pixels(9).tolist()


def test_classes_may_have_names(tmp_path, read):
    write_csv(tmp_path / "t.csv", y=[("cat", "dog", 'a "big, red" cow')[label] for label in labels()])
    text = (tmp_path / "t.csv").read_text().replace('a "big, red" cow', '"a ""big, red"" cow"')
    (tmp_path / "t.csv").write_text(text)
    data = read(Csv("t.csv"))
    assert data.classes == ('a "big, red" cow', "cat", "dog")
    assert torch.cat([data.train.y, data.validation.y, data.test.y]).bincount().tolist() == [10, 10, 10]


def test_classes_are_in_the_order_of_numbers(tmp_path, read):
    write_csv(tmp_path / "t.csv", y=[(2, 10, 1)[label] for label in labels()])
    assert read(Csv("t.csv")).classes == ("1", "2", "10")


def test_features_of_a_flat_input_stay_numbers(tmp_path, read):
    x = np.random.default_rng(0).normal(50, 1000, (30, 4)).round(3)
    write_csv(tmp_path / "t.csv", x)
    data = read(Csv("t.csv"), Shape((4,)), validation=0)
    assert data.train.x.dtype == torch.float32
    assert sorted(torch.cat([data.train.x, data.test.x])[:, 0].tolist()) == pytest.approx(sorted(x[:, 0]))
    assert torch.allclose(data.mean, data.train.x.mean(0), rtol=1e-4)


def test_flat_pixels_of_a_square_are_resized(tmp_path, read):
    write_csv(tmp_path / "t.csv", pixels(30, 25))
    data = read(Csv("t.csv"), Shape((3, 10, 10)))
    assert data.train.x.shape[1:] == (3, 10, 10)
    assert data.messages[:2] == ("images are resized from 5x5 to 10x10", "images are converted from grey to RGB")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("label\n1\n2\n", "has one column only: a label and numbers are needed"),
        ("label,a,b\n", "has no rows below its header"),
        ("label,a,b\n0,1,2\n\n1,1\n", ", line 4: 2 columns where the first line has 3"),
        ("label,a,b\n0,1,2\n1,1,2,3\n", ", line 3: 4 columns where the first line has 3"),
        ("label,a,b\n0,1,2\n1,1,x\n", ', line 3, column 2 (the first is 0): "x" is not a number'),
        ("label,a,b\n0,1,2\n1,,2\n", ", line 3, column 1 (the first is 0): it is empty"),
    ],
)
def test_faulty_tables(tmp_path, read, refused, text, message):
    (tmp_path / "t.csv").write_text(text)
    assert (
        refused(read, Csv("t.csv"), Shape((2,))).message
        == f"{tmp_path / 't.csv'}{'' if message[0] == ',' else ' '}{message}"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1,2\n0,1,3\n", "has one class only, 0: there is nothing to tell apart"),
        ("0.5,1,2\n1,1,3\n", "0.5 is not a whole number"),
        ("0,nan,2\n1,1,3\n", "has values that are no numbers (nan) or infinite"),
        ("".join(f"{number},1,2\n" for number in range(9)), "9 samples have 9 different ones"),
    ],
)
def test_faulty_contents(tmp_path, read, refused, text, message):
    (tmp_path / "t.csv").write_text(text)
    assert message in refused(read, Csv("t.csv"), Shape((2,))).message


def test_faulty_files(tmp_path, read, refused):
    assert "there is no file" in refused(read, Csv("t.csv")).message
    write_csv(tmp_path / "t.csv")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress((tmp_path / "t.csv").read_bytes())[:-40])
    assert "cannot be read as a table" in refused(read, Csv("t.csv.gz")).message
    (tmp_path / "t.png").write_bytes(b"\x89PNG\xff\xfe")
    assert "cannot be read as a table" in refused(read, Csv("t.png")).message
    assert "there is no file" in refused(read, Csv("t.csv", test="gone.csv")).message


def test_a_quote_that_is_not_closed(tmp_path, read, refused):
    """More of a file than the csv module takes for one cell."""
    rows = ["label,a,b", '0,"1', '2",2'] + [f"{i % 2},{i},{i}" for i in range(40_000)]
    rows[200] = '1,"2,3'
    (tmp_path / "d.csv").write_text("\n".join(rows))
    error = refused(read, Csv("d.csv"), Shape((2,)))
    assert error.message == f"{tmp_path / 'd.csv'}, line 201: this row cannot be read"
    assert "a quote that is not closed" in error.notes[0]


def test_lines_are_those_of_the_file_where_a_cell_has_several(tmp_path, read, refused):
    (tmp_path / "d.csv").write_text('label,a,b\n0,1,"2\n"\n1,2\n')
    assert "line 4: 2 columns where the first line has 3" in refused(read, Csv("d.csv"), Shape((2,))).message


def test_faulty_columns(tmp_path, read, refused):
    write_csv(tmp_path / "t.csv")
    error = refused(read, Csv("t.csv", label="class"))
    assert error.message == f'{tmp_path / "t.csv"} has no column "class"'
    assert error.notes == ("its first line is label, pixel0, pixel1, pixel2, pixel3, ...",)
    assert "none of number 25" in refused(read, Csv("t.csv", label=25)).message


def test_pixels_that_do_not_fit(tmp_path, read, refused):
    write_csv(tmp_path / "t.csv")
    error = refused(read, Csv("t.csv"), Shape((1, 28, 28)))
    assert error.message == 'csv("t.csv") has 24 pixels per image, and the input 1x28x28 takes 784'
    flat = refused(read, Csv("t.csv"), Shape((25,)))
    assert flat.message == 'csv("t.csv") has samples of 24, and the input is 25'
    assert flat.help == ("write input 24",)


def test_a_test_file_without_labels(tmp_path, read, refused):
    write_csv(tmp_path / "t.csv")
    (tmp_path / "u.csv").write_text("\n".join(",".join(map(str, row)) for row in pixels()))
    error = refused(read, Csv("t.csv", test="u.csv"))
    assert error.message == f"{tmp_path / 'u.csv'} has 24 columns, and {tmp_path / 't.csv'} has 25"


def test_a_label_that_only_the_test_part_has(tmp_path, read, refused):
    write_csv(tmp_path / "t.csv")
    write_csv(tmp_path / "u.csv", y=[7] * 30)
    error = refused(read, Csv("t.csv", test="u.csv"))
    assert error.message == 'the test part of csv("t.csv") has the label 7, which no training sample has'
    assert error.notes == ("the training part has 0, 1, 2",)


# ------------------------------------------------------------------------------------------------------------------ npz


def colour(count=30):
    return np.random.default_rng(1).integers(0, 256, (count, 3, 4, 6)).astype(np.uint8)


@pytest.mark.parametrize(
    ("x", "y"),
    [("x_train", "y_train"), ("X_train", "y_train"), ("train_images", "train_labels"), ("xtrain", "ytrain"),
     ("images_train", "targets_train")],
)  # fmt: skip
def test_npz(tmp_path, read, x, y):
    test = {x.replace("train", "test"): colour(6), y.replace("train", "test"): labels(6)}
    np.savez(tmp_path / "d.npz", **{x: colour(), y: labels()}, **test)
    data = read(Npz("d.npz"), Shape((3, 4, 6)), validation=0)
    assert np.array_equal(data.train.x, colour())
    assert np.array_equal(data.test.x, colour(6))
    assert data.train.x.dtype == torch.uint8
    assert data.test.y.tolist() == labels(6).tolist()
    assert data.messages == ()


@pytest.mark.parametrize(("x", "y"), [("x", "y"), ("images", "labels"), ("data", "targets")])
def test_npz_without_a_test_part(tmp_path, read, x, y):
    np.savez_compressed(tmp_path / "d.npz", **{x: colour(), y: labels()[:, None]})
    data = read(Npz("d.npz"), Shape((3, 4, 6)))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [22, 2, 6]


def test_npz_with_a_validation_part(tmp_path, read):
    arrays = {f"x_{part}": colour(6) for part in ("train", "val", "test")}
    np.savez(tmp_path / "d.npz", **arrays, **{f"y_{part}": labels(6) for part in ("train", "val", "test")})
    data = read(Npz("d.npz"), Shape((3, 4, 6)))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [6, 6, 6]


def images(tmp_path, read, x, shape):
    np.savez(tmp_path / "d.npz", x_train=x, y_train=labels(len(x)), x_test=x, y_test=labels(len(x)))
    return read(Npz("d.npz"), Shape(shape))


def test_channels_last(tmp_path, read):
    data = images(tmp_path, read, colour().transpose(0, 2, 3, 1), (3, 4, 6))
    assert np.array_equal(data.test.x, colour())
    assert data.messages[0] == "images have their channels last; they are moved to the front"


def test_the_input_decides_where_both_ends_could_be_channels(tmp_path, read):
    x = np.random.default_rng(0).integers(0, 256, (30, 3, 4, 3)).astype(np.uint8)
    assert np.array_equal(images(tmp_path, read, x, (3, 4, 3)).test.x, x)
    assert np.array_equal(images(tmp_path, read, x, (3, 3, 4)).test.x, x.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64, "shares"])
def test_ranges_of_pixels(tmp_path, read, dtype):
    x = colour() / 255.0 if dtype == "shares" else colour().astype(dtype)
    data = images(tmp_path, read, x, (3, 4, 6))
    assert np.array_equal(data.test.x, colour())
    assert data.test.x.dtype == torch.uint8


@pytest.mark.parametrize("x", [colour() / 255.0 - 0.5, colour() / 25.5, colour() * 4.0])
def test_values_that_are_no_pixels_stay_as_they_are(tmp_path, read, x):
    data = images(tmp_path, read, x, (3, 4, 6))
    assert data.test.x.dtype == torch.float32
    assert np.allclose(data.test.x, x)
    assert "are no pixels (0 to 1, or 0 to 255): they stay as they are" in data.messages[0]


@pytest.mark.parametrize("sizes", [(24,), (4, 6), (1, 4, 6), (4, 6, 1)])
def test_grey_images_with_or_without_an_axis_for_it(tmp_path, read, sizes):
    x = pixels().astype(np.uint8).reshape(30, *sizes)
    assert np.array_equal(images(tmp_path, read, x, (1, 4, 6)).test.x.flatten(1), pixels())


def test_images_of_another_size_and_colour(tmp_path, read):
    data = images(tmp_path, read, colour().transpose(0, 2, 3, 1), (1, 8, 8))
    assert data.test.x.shape == (30, 1, 8, 8)
    assert data.messages[1:3] == (
        "images are resized from 4x6 to 8x8 (height x width)",
        "images are converted from RGB to grey",
    )


@pytest.mark.parametrize("sizes", [(2, 40), (40, 2)])
def test_signals(tmp_path, read, sizes):
    x = np.random.default_rng(0).normal(size=(30, *sizes))
    data = images(tmp_path, read, x, (2, 40))
    assert data.test.x.dtype == torch.float32
    assert np.allclose(data.test.x, x if sizes == (2, 40) else x.transpose(0, 2, 1))
    assert data.mean.shape == (2,)


def test_volumes(tmp_path, read):
    x = np.random.default_rng(0).normal(size=(30, 5, 6, 7))
    assert images(tmp_path, read, x, (1, 5, 6, 7)).test.x.shape == (30, 1, 5, 6, 7)


def test_named_classes(tmp_path, read):
    np.savez(tmp_path / "d.npz", x=colour(), y=np.array(["dog", "cat"] * 15))
    assert read(Npz("d.npz"), Shape((3, 4, 6))).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": colour()}, "does not hold samples and labels"),
        ({"x_train": colour(), "y_test": labels()}, "does not hold samples and labels"),
        ({"x": colour(), "y": labels(29)}, 'the train part of npz("d.npz") has not one label for each sample'),
        ({"x": colour(), "y": np.eye(3)[labels()]}, "have the shape 30x3: one number per sample is needed"),
        ({"x": colour(), "y": labels() * 1j}, "neither numbers nor texts"),
        ({"x": colour().astype(str), "y": labels()}, "are not numbers"),
        ({"x": np.float32(3), "y": labels()}, "has not one label for each sample"),
        ({"x": labels(), "y": labels()}, "has no samples"),
        ({"x": colour(0), "y": labels(0)}, "has no samples"),
        ({"x": np.full((30, 24), np.inf), "y": labels()}, "no numbers (nan) or infinite"),
        ({"x": colour()[:, :2], "y": labels()}, "has samples of 2x4x6, and the input is 3x4x6"),
        ({"x": colour()[:, None], "y": labels()}, "has samples of 1x3x4x6, and the input is 3x4x6"),
        (
            {"x": np.array([1, "a", None] * 10, dtype=object), "y": labels()},
            "holds Python objects, which are not loaded",
        ),
    ],
)
def test_faulty_archives(tmp_path, read, refused, arrays, message):
    np.savez(tmp_path / "d.npz", **arrays)
    assert message in refused(read, Npz("d.npz"), Shape((3, 4, 6))).message


def test_faulty_archive_files(tmp_path, read, refused):
    shape = Shape((3, 4, 6))
    assert "there is no file" in refused(read, Npz("d.npz"), shape).message
    np.savez_compressed(tmp_path / "d.npz", x=colour(), y=labels())
    content = (tmp_path / "d.npz").read_bytes()
    for damaged in (b"", b"text", content[: len(content) // 2], content[:200] + bytes(50) + content[250:]):
        (tmp_path / "d.npz").write_bytes(damaged)
        assert "Python objects" not in refused(read, Npz("d.npz"), shape).message
        assert refused(read, Npz("d.npz"), shape).message.startswith(str(tmp_path / "d.npz"))
    (tmp_path / "d.npz").write_text("label,a\n0,1\n")
    assert "d.npz is no NumPy archive" in refused(read, Npz("d.npz"), shape).message
    np.save(tmp_path / "d.npy", colour())
    assert "holds one array without a name" in refused(read, Npz("d.npy"), shape).message


def test_images_for_a_flat_input(tmp_path, read, refused):
    np.savez(tmp_path / "d.npz", x=colour(), y=labels())
    error = refused(read, Npz("d.npz"), Shape((72,)))
    assert error.message == 'npz("d.npz") has samples of 3x4x6, and the input is 72'
    assert error.help == ("write input 3x4x6, and make flatten the first layer",)
