"""What is shipped: a wheel that works by itself, without torch where torch is not needed, under pinned versions."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnnspec import __version__

ROOT = Path(__file__).resolve().parents[1]
DIGITS = str(ROOT / "examples" / "digits.cnn")


def run(*arguments: str, path: Path | None = None, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A Python process, with a folder that stands first on its path."""
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {}) | {"NO_COLOR": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)


def build(target: str, folder: Path) -> Path:
    done = run("-m", "hatchling", "build", "--target", target, "--directory", str(folder))
    assert done.returncode == 0, done.stderr
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    wheel = build("wheel", tmp_path_factory.mktemp("wheel"))
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_the_wheel_holds_what_is_needed(installed: Path) -> None:
    package = installed / "cnnspec"
    for folder in ("grammar", "examples/zoo"):
        names = {path.name for path in (ROOT / folder).iterdir()}
        assert names == {path.name for path in (package / folder).iterdir()}
        assert all((package / folder / name).read_bytes() == (ROOT / folder / name).read_bytes() for name in names)
    assert (package / "py.typed").exists()
    assert (package / "cli" / "new.cnn").exists()
    assert {path.name for path in installed.iterdir()} == {"cnnspec", f"cnnspec-{__version__}.dist-info"}


def test_the_wheel_checks_a_spec(installed: Path, tmp_path: Path) -> None:
    where = run("-c", "import cnnspec; print(cnnspec.__file__)", path=installed, folder=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(installed)
    checked = run("-m", "cnnspec", "check", DIGITS, path=installed, folder=tmp_path)
    assert checked.returncode == 0, checked.stderr
    faulty = run("-m", "cnnspec", "check", str(ROOT / "docs/faulty/lenet.cnn"), path=installed, folder=tmp_path)
    assert faulty.returncode == 1
    assert "E301" in faulty.stdout + faulty.stderr
    explained = run("-m", "cnnspec", "explain", "size-mismatch", path=installed, folder=tmp_path)
    assert explained.stdout.startswith("# E301: size-mismatch\n")


def test_the_wheel_holds_the_zoo(installed: Path, tmp_path: Path) -> None:
    checked = run("-m", "cnnspec", "check", "zoo:resnet50", path=installed, folder=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == "zoo:resnet50: resnet50 is right: 3x224x224 -> 1000, 25,557,032 parameters\n"
    where = run("-c", "from cnnspec import zoo; print(zoo.folder())", path=installed, folder=tmp_path)
    assert Path(where.stdout.strip()) == installed / "cnnspec" / "examples" / "zoo"
    for command in ("summary", "emit"):
        done = run("-m", "cnnspec", command, "zoo:squeezenet1_1", path=installed, folder=tmp_path)
        assert done.returncode == 0, done.stderr


def test_the_source_archive_holds_what_the_tests_need(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path)) as archive:
        names = archive.getnames()
    inside = {name.partition("/")[2] for name in names}
    assert {"grammar/cnn.lark", "cnnspec/py.typed", "examples/digits.cnn", "Makefile", "constraints.txt"} <= inside
    assert {"docs/faulty/lenet.cnn", "tests/test_package.py", "LICENSE", "README.md"} <= inside


# -------------------------------------------------------------------------------------------------- without torch

BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
from cnnspec.cli import main
main(sys.argv[2:], prog_name="cnnspec")
"""
EXTRA = "torch,torchvision,numpy,sklearn,matplotlib,safetensors,PIL,tqdm"


@pytest.mark.parametrize(
    "command",
    [
        ["check", DIGITS],
        ["summary", DIGITS],
        ["emit", DIGITS],
        ["fmt", "--check", DIGITS],
        ["check", "--diff", DIGITS],
        ["check", "--format", "sarif", DIGITS],
        ["explain", "E301"],
        ["layers"],
        ["zoo"],
        ["summary", "zoo:densenet121"],
        ["new", "-"],
        ["--help"],
        ["train", "--help"],
    ],
    ids=lambda command: " ".join(command).replace(DIGITS, "FILE"),
)
def test_commands_that_do_without_torch(command: list[str]) -> None:
    done = run("-c", BLOCKED, EXTRA, *command)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "command", [["train", DIGITS], ["eval", "runs/1"], ["predict", "runs/1", "digit.png"]], ids=lambda c: c[0]
)
@pytest.mark.parametrize("missing", ["torch", EXTRA], ids=["torch", "extra"])
def test_commands_that_need_torch_say_which_line_installs_it(command: list[str], missing: str) -> None:
    done = run("-c", BLOCKED, missing, *command)
    assert done.returncode == 1
    assert "torch" in done.stderr
    assert 'pip install "cnnspec[torch]"' in done.stderr
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------------------------ pinned versions


def needed(name: str, extras: frozenset[str]) -> set[str]:
    """Names of everything that a distribution asks for on this machine, directly or indirectly."""
    found: set[str] = set()
    todo, done = [(name, extras)], set()
    while todo:
        asked = todo.pop()
        if asked in done:
            continue
        done.add(asked)
        for requirement in requirements(*asked):
            found.add(canonicalize_name(requirement.name))
            todo.append((requirement.name, frozenset(requirement.extras)))
    return found


def requirements(name: str, extras: frozenset[str]) -> list[Requirement]:
    try:
        every = [Requirement(text) for text in requires(name) or []]
    except PackageNotFoundError:
        return []
    return [r for r in every if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in (extras or {""}))]


def test_every_dependency_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(line.count("==") == 1 and " " not in line for line in pins)
    pinned = {line.partition("==")[0] for line in pins}
    assert pinned == {canonicalize_name(name) for name in pinned}
    assert needed("cnnspec", frozenset({"torch", "dev"})) - pinned == set()
