from __future__ import annotations

import pytest
from click.testing import CliRunner

from cnnspec.cli import COMMANDS, main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_every_shell(shell: str) -> None:
    printed = CliRunner().invoke(main, ["completion", shell])
    assert printed.exit_code == 0, printed.output
    assert f"_CNNSPEC_COMPLETE={shell}_complete" in printed.output


def test_another_shell_is_wrong_usage() -> None:
    assert CliRunner().invoke(main, ["completion", "cmd"]).exit_code == 2


def complete(*words: str) -> list[str]:
    environment = {
        "_CNNSPEC_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    printed = CliRunner().invoke(main, [], env=environment, prog_name="cnnspec")
    return [line.partition(",")[2] for line in printed.output.splitlines()]


def test_commands_and_names_are_completed() -> None:
    assert set(complete("cnnspec", "")) == set(COMMANDS)
    assert complete("cnnspec", "layers", "batchn") == ["batchnorm"]
    assert "--model" in complete("cnnspec", "summary", "--m")
