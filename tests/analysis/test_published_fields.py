"""All rows of the published table, expressed as specs (`published_fields.cnn`) and inception_v3 of the zoo.

What has no row here is in none: networks with global pooling stop before it, as they do there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from cnnspec.analysis.footprint import find
from cnnspec.network import load, read_source
from cnnspec.report.field_table import field_behind

HERE = Path(__file__).parent
ZOO = {"inception_v3": "zoo:inception_v3"}
ZOO_NAMES = {"MaxPool_3a_3x3": "3", "MaxPool_5a_3x3": "6"}
SIZES = {"at 224": 224, "at 321": 321}


def rows():
    lines = (HERE / "published_fields.tsv").read_text(encoding="utf-8").splitlines()
    titles, *rest = (line.split("\t") for line in lines if not line.startswith("#"))
    return [dict(zip(titles, each, strict=True)) for each in rest]


ROWS = rows()
NETWORKS = dict.fromkeys(row["networks"] for row in ROWS)


@cache
def network(name, size):
    name = name.partition(" ")[0].replace("-", "_")
    if name in ZOO:
        return load(read_source(ZOO[name]), input=f"3x{size}x{size}", set={"aux_logits": "false"})
    return load(read_source(HERE / "published_fields.cnn"), model=name, set={"size": size})


@pytest.mark.parametrize("size", SIZES.values())
@pytest.mark.parametrize("name", NETWORKS)
def test_published_fields(name, size):
    of_size = next(title for title, each in SIZES.items() if each == size)
    built = network(name, size)
    for row in (row for row in ROWS if row["networks"] == name):
        path = ZOO_NAMES.get(row["end point"], row["end point"]) if name in ZOO else row["end point"]
        field = field_behind(built, path, find(built, path))
        assert field.size == (int(row["size"]),) * 2, row
        assert field.stride == (int(row["stride"]),) * 2, row
        assert field.offset == (-int(row[of_size]),) * 2, row
        assert row["padding"] in ("-", row[of_size])
        assert field.apart == 0, row


@pytest.mark.parametrize(
    ("name", "path", "size"),
    [("zoo:alexnet", "features", 195), ("zoo:vgg16", "features", 212), ("zoo:vgg11", "features", 150)],
)
def test_the_zoo_sees_as_much(name, path, size):
    built = load(read_source(name))
    assert field_behind(built, path, find(built, path)).size == (size, size)


def test_all_rows_are_there():
    per_resolution = sum(len(row["networks"].split()) for row in ROWS)
    assert (len(NETWORKS), per_resolution) == (13, 187)
