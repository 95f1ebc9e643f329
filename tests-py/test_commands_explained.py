# SPDX-License-Identifier: Apache-2.0
"""Why a command failed: which grant it lacked, and what its output says about it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from nono_py import AccessMode, CapabilitySet, SpawnError, sandboxed_exec, sandboxed_exec_async, spawn

pytestmark = pytest.mark.usefixtures("sandbox")


def only_the_program() -> CapabilitySet:
    caps = CapabilitySet()
    caps.allow_file("/usr/bin/env", AccessMode.READ)
    return caps


def test_a_program_without_its_loader() -> None:
    result = sandboxed_exec(only_the_program(), ["/usr/bin/env"])
    assert result.exit_code == 127
    assert result.explanation is not None
    assert "is not granted for reading" in result.explanation
    # What the sentence names is what helps: with all of it granted the program starts.
    caps = only_the_program()
    for _ in range(20):
        explanation = sandboxed_exec(caps, ["/usr/bin/env"]).explanation
        if explanation is None:
            break
        caps.allow_file(explanation.rpartition("grant ")[2], AccessMode.READ)
    assert sandboxed_exec(caps, ["/usr/bin/env"], env=[("A", "1")]).stdout == b"A=1\n"


def test_asyncio_and_spawn_explain_too() -> None:
    result = asyncio.run(sandboxed_exec_async(only_the_program(), ["/usr/bin/env"]))
    assert result.explanation is not None
    with pytest.raises(SpawnError) as caught:
        spawn(only_the_program(), ["/usr/bin/env"])
    assert caught.value.stage == "exec"
    assert caught.value.explanation == result.explanation


def test_nothing_to_explain(tmp_path: Path) -> None:
    caps = CapabilitySet()
    caps.allow_path("/usr", AccessMode.READ)
    assert sandboxed_exec(caps, ["/usr/bin/env"]).explanation is None
    assert sandboxed_exec(caps, ["sh", "-c", "exit 127"]).explanation is None
    # The directory failed, and not the program.
    (tmp_path / "file").touch()
    result = sandboxed_exec(caps, ["/usr/bin/env"], cwd=tmp_path / "file")
    assert (result.exit_code, result.explanation) == (126, None)
    with pytest.raises(SpawnError) as caught:
        spawn(caps, ["/usr/bin/env"], cwd=tmp_path / "file")
    assert (caught.value.stage, caught.value.explanation) == ("chdir", None)


def test_relative_names_in_the_output_are_those_of_its_directory(tmp_path: Path) -> None:
    caps = CapabilitySet()
    caps.allow_path("/usr", AccessMode.READ)
    result = sandboxed_exec(caps, ["sh", "-c", "echo text >new; exit 1"], cwd=tmp_path)
    paths = [entry.get("path") for entry in result.session_diagnostics()["diagnostics"]]
    assert os.fspath(tmp_path.resolve() / "new") in paths
    assert not (tmp_path / "new").exists()
