"""Blocks and lets of other files."""

from __future__ import annotations

from pathlib import Path

from cnnspec.network import check, read_source
from cnnspec.source import Source

PARTS = Path(__file__).parent.parent / "cases" / "check" / "parts"


def spec(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        path = tmp_path / (name.replace("__", "/") + ".cnn")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path / "main.cnn"


def faults(path: Path) -> list[tuple[str, str, int]]:
    return [(d.code, Path(d.span.source.name).name, d.span.line) for d in check(read_source(path)).errors]


def test_a_circle_is_told_where_it_closes() -> None:
    (found,) = check(read_source(PARTS / "circle.cnn")).errors
    assert found.code == "E403"
    assert Path(found.span.source.name).name == "circle_too.cnn"
    assert found.why == "circle.cnn -> circle_too.cnn -> circle.cnn"


def test_a_file_that_uses_itself(tmp_path: Path) -> None:
    assert faults(spec(tmp_path, main='use "main.cnn"\n')) == [("E403", "main.cnn", 1)]


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "outside.cnn").write_text("let a = 1\n")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "link.cnn").symlink_to(tmp_path / "outside.cnn")
    main = tmp_path / "project" / "main.cnn"
    main.write_text('use "link.cnn"\nmodel M {\n  input a\n  relu\n}\n')
    assert ("E403", "main.cnn", 1) in faults(main)


def test_faults_in_a_used_file_stand_there(tmp_path: Path) -> None:
    main = spec(
        tmp_path,
        main='use "lib__blocks.cnn"\nmodel M {\n  input 3x8x8\n  A\n}\n'.replace("__", "/"),
        lib__blocks="block A {\n  conv(8, 30)\n}\n",
    )
    assert faults(main) == [("E303", "blocks.cnn", 2)]


def test_what_is_brought_twice_is_one_thing(tmp_path: Path) -> None:
    main = spec(
        tmp_path,
        main='use "a.cnn"\nuse "b.cnn"\nuse "a.cnn"\nmodel M {\n  input 3x8x8\n  A, B, C\n}\n',
        a='use "c.cnn"\nblock A {\n  C\n}\n',
        b='use "c.cnn"\nblock B {\n  C\n}\n',
        c="block C {\n  relu\n}\n",
    )
    assert faults(main) == [("E201", "main.cnn", 6)]  # only what the used file defines itself comes along
    main.write_text(main.read_text().replace(", C", ""))
    assert not faults(main)


def test_one_name_for_two_things(tmp_path: Path) -> None:
    main = spec(tmp_path, main='use "a.cnn"\nblock A {\n  relu\n}\n', a="block A {\n  tanh\n}\n")
    assert faults(main) == [("E207", "main.cnn", 2)]


def test_blocks_keep_the_names_of_their_file(tmp_path: Path) -> None:
    """Equal names of two files are two things, also where they are handed over as values."""
    main = spec(
        tmp_path,
        main='use "a.cnn"\nblock Own {\n  conv(2, 1)\n}\nmodel M {\n  input 1x4x4\n  Wrap(Own), Other\n}\n',
        a="block Own {\n  conv(3, 1)\n}\nblock Wrap(unit=Own) {\n  unit\n}\nblock Other {\n  Wrap\n}\n",
    )
    assert faults(main) == [("E207", "main.cnn", 2)]
    (tmp_path / "a.cnn").write_text((tmp_path / "a.cnn").read_text().replace("Own", "Inner"))
    (network,) = check(read_source(main)).networks
    assert [str(node.output) for node in network.layers] == ["2x4x4", "3x4x4"]


def test_a_path_that_no_file_has(tmp_path: Path) -> None:
    for name in ("a\0.cnn", "a\ud800.cnn"):
        (fault,) = check(Source(str(tmp_path / "main.cnn"), f'use "{name}"\n')).errors
        assert fault.code == "E403"
