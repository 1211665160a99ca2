"""Specs that are small and expand to something huge, or that are not specs at all, end with a clear error: soon, and
in little memory. Each is checked by a process of its own, with limits."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SECONDS = 40
"""Of processor time. On a machine with nothing else to do the slowest takes about a tenth of it."""

BYTES = 700_000_000
"""Of address space, of which Python with its modules takes the greater part of 100 MB."""


def model(body: str, before: str = "") -> str:
    return f"{before}model M {{\n  input 3x8x8\n{body}\n}}\n"


def nested(head: Callable[[int], str], depth: int, inside: str) -> str:
    return "".join(f"{head(n)} {{\n" for n in range(depth)) + inside + "\n}" * depth


def blocks(count: int, first: str, step: Callable[[int], str], params: str = "") -> str:
    """Blocks that each use the one before."""
    found = [f"block B0{params} {{\n  {first}\n}}\n"]
    return "".join(found + [f"block B{n}{params} {{\n  {step(n)}\n}}\n" for n in range(1, count)])


def lets(count: int, first: str, step: Callable[[int], str]) -> str:
    return "".join(f"let a{n} = {step(n) if n else first}\n" for n in range(count))


def twice(n: int) -> str:
    return f"B{n - 1}, B{n - 1}"


def twice_apart(n: int) -> str:
    return f"B{n - 1}(a), B{n - 1}(a + {2**n})"


def in_braces(n: int) -> str:
    return f"if true {{ repeat 1 {{ add {{\n | B{n - 1}\n | \n }} }} }}"


SPECS = {
    # repetition
    "a billion passes": (model("repeat 1_000_000_000 {\n relu\n}"), "E213"),
    "a billion passes, nested": (model(nested(lambda n: "repeat 1000", 3, "relu")), "E213"),
    "loops without layers": (model(nested(lambda n: "repeat 200_000", 3, "")), "E213"),
    "loops that compute": (model(nested(lambda n: f"for i{n} in range(1000)", 3, "let a = [0] * 9000")), "E213"),
    "a fault in every pass": (model(nested(lambda n: f"for a{n} in range(9)", 12, "rleu")), "E201"),
    "long names in loops": (model('for i in range(9000) {\n "a{i}{sum(range(5000))}": relu\n}'), "E213"),
    "predictions in loops": (model("for i in range(9000) {\n relu -> [sum(range(9000)), 8, 8]\n}"), "E213"),
    "many presets": (
        model("repeat 1000 { relu }").replace("model M", "model M(a=1)")
        + "".join(f"model P{n} = M({n})\n" for n in range(2000)),
        "E213",
    ),
    # blocks
    "doubling": (model("B59", blocks(60, "relu", twice)), "E213"),
    "doubling of nothing": (model("B59", blocks(60, "", twice)), "E213"),
    "doubling, all different": (model("B39(0)", blocks(40, "if a == 1 { relu }", twice_apart, "(a)")), "E213"),
    "doubling of an unknown shape": (model("conv(0, 3), B39", blocks(40, "relu", twice)), "E204"),
    "doubling of a fault": (model("B39", blocks(40, "conv(0, 3)", twice)), "E204"),
    "a long chain of blocks": (model("B299", blocks(300, "relu", lambda n: f"B{n - 1}")), "E213"),
    "a long chain through braces": (model("B98", blocks(99, "relu", in_braces)), "E213"),
    "itself": (model("A", "block A {\n  A\n}\n"), "E212"),
    "each other": (model("A", "block A {\n  B\n}\nblock B {\n  A\n}\n"), "E212"),
    "itself as a value": (model("A(A)", "block A(unit) {\n  unit(unit)\n}\n"), "E212"),
    "itself by default": (model("A", "block A(unit=A) {\n  unit\n}\n"), "E212"),
    "itself inside a call": (model("A(A)", "block A(unit) {\n  unit(A(unit))\n}\n"), "E212"),
    # values
    "a number that grows": (model("relu", lets(99, "999999999999999999", lambda n: f"a{n - 1} * a{n - 1}")), "E208"),
    "a fraction that grows": (model("relu", lets(99, "1 / 3", lambda n: f"a{n - 1} * a{n - 1} / 7")), "E208"),
    "a list that grows": (model("relu", lets(99, "[1, 1]", lambda n: f"[a{n - 1}, a{n - 1}]")), "E208"),
    "a list that deepens": (model("relu", lets(3000, "[1]", lambda n: f"[a{n - 1}]")), "E208"),
    "a call that grows": (model("relu", lets(99, "relu", lambda n: f"f(a{n - 1}, a{n - 1})")), "E208"),
    "a huge range": (model("relu", "let a = range(999999999999999999)\n"), "E208"),
    "a huge list": (model("relu", "let a = [0] * 999999999999999999\n"), "E208"),
    "lists in lists": (model("relu", "let a = [[0] * 999 for j in range(200)]\n"), "E208"),
    "a huge input": (model("relu").replace("8x8", "8x999999999999"), "E208"),
    "a huge size": (model("conv(999999999999999999, 3)"), "E204"),
    "a number without end": (model(f"conv({'9' * 100_000}, 3)"), "E101"),
    "a text without end": (model("conv(a, 3)", f'let a = "{"a" * 400_000}"\n'), "E208"),
    # nesting
    "brackets": (model(f"assert {'(' * 5000}1{')' * 5000} > 0"), "E101"),
    "lists": (model("relu", f"let a = {'[' * 5000}{']' * 5000}\n"), "E101"),
    "braces": (model(nested(lambda n: "", 5000, "relu")), "E101"),
    "branches": (model("add {\n|\n|\n" * 3000 + "}\n" * 3000), "E101"),
    "conditions": (model(nested(lambda n: "if true", 3000, "relu")), "E101"),
    "else if": (model("if false { }" + " else if false { }" * 3000), "E101"),
    "a long sum": (model(f"assert 0 < {' + '.join(['1'] * 20_000)}"), "E101"),
    "a long list": (model("relu", f"let a = [{', '.join(['1'] * 50_000)}]\n"), "E208"),
    # many faults
    "many faults": (model("\n".join(f"conv({n}, 0)" for n in range(20_000))), "E204"),
    "many unknown layers": (model("\n".join(f"leyer{n}" for n in range(5000))), "E201"),
    "many unknown characters": ("$" * 400_000, "E105"),
    # files
    "outside of the project": (model("relu", 'use "../../../../../../etc/passwd"\n'), "E403"),
    "an absolute path": (model("relu", 'use "/etc/passwd"\n'), "E403"),
    "a device": (model("relu", 'use "/dev/zero"\n'), "E403"),
    "a folder": (model("relu", 'use "."\n'), "E403"),
    "no path": (model("relu", 'use ""\n'), "E403"),
    "a path with a null": (model("relu", 'use "a\0b.cnn"\n'), "E403"),
    "the file itself": (model("relu", 'use "main.cnn"\n'), "E403"),
}


def run(path: Path) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    command = [sys.executable, "-m", "cnnspec", "check", path.name]
    return subprocess.run(
        command, cwd=path.parent, capture_output=True, text=True, errors="replace", preexec_fn=limit, check=False
    )


def assert_refused(path: Path, message: str, status: int = 1) -> None:
    done = run(path)
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said[-2000:]
    assert done.returncode == status, said[-2000:]
    assert message in said, said[:2000]
    assert len(said) < 50_000


@pytest.mark.parametrize("name", SPECS)
def test_hostile_spec(name: str, tmp_path: Path) -> None:
    text, code = SPECS[name]
    path = tmp_path / "main.cnn"
    path.write_text(text)
    assert_refused(path, f"[{code}]")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"relu\n" * 10_000_000, "bytes: it is no spec"),
        (bytes(range(256)) * 100, "is not text in UTF-8: line 2"),
        ("model M {\n}\n".encode("utf-16"), "is not text in UTF-8: line 1"),
        (b"model M {\n  input 3x8x8\n  relu # \xff\xfe\n}\n", "is not text in UTF-8: line 3"),
        (b"model M {\n  input 3x8x8 # \xed\xa0\x80\n}\n", "is not text in UTF-8: line 2"),
    ],
    ids=["50 MB", "binary", "UTF-16", "a wrong byte", "half of a character"],
)
def test_hostile_bytes(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "main.cnn"
    path.write_bytes(data)
    assert_refused(path, message, status=2)


def test_files_that_use_each_other(tmp_path: Path) -> None:
    for name, other in (("main", "b"), ("b", "c"), ("c", "main")):
        (tmp_path / f"{name}.cnn").write_text(model("relu", f'use "{other}.cnn"\n'))
    assert_refused(tmp_path / "main.cnn", "[E403]")


def test_a_long_chain_of_files(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"f{number}.cnn").write_text(f'use "f{number + 1}.cnn"\n')
    (tmp_path / "main.cnn").write_text(model("relu", 'use "f0.cnn"\n'))
    assert_refused(tmp_path / "main.cnn", "[E213]")


def test_a_used_file_that_is_no_spec(tmp_path: Path) -> None:
    (tmp_path / "main.cnn").write_text(model("relu", 'use "big.cnn"\n'))
    (tmp_path / "big.cnn").write_bytes(b"a" * 10_000_000)
    assert_refused(tmp_path / "main.cnn", "[E403]")


def test_a_link_that_leads_outside(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "secret.cnn").write_text("let a = 1\n")
    (folder / "link.cnn").symlink_to(tmp_path / "secret.cnn")
    (folder / "main.cnn").write_text(model("relu", 'use "link.cnn"\n'))
    assert_refused(folder / "main.cnn", "[E403]")
