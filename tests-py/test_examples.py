# SPDX-License-Identifier: Apache-2.0
"""Every example runs, says what it promises, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import nono_py

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
LIBRARY = Path(nono_py.__file__).with_name("libnono.so")

# The lines without which an example would not show what it is there for.
PYTHON = {
    "confine_workers.py": [
        "long.txt: 1000 words",
        "password.txt: PermissionError in the worker",
        "password.txt: 4 words, counted by the main process, which is not bound",
    ],
    "contain_a_script.py": [
        "  script: steal: Permission denied",
        "The script did its job: the total is 7.",
        "It got nothing else, and this program still can: 'the launch code' is readable here.",
    ],
    "ctypes_only.py": ["cat notes.txt: the text of notes.txt", "cat secret.txt: Permission denied"],
    "handle_errors.py": [
        "    Path does not exist: missing",
        "    Failed to canonicalize path file.txt/sub: Not a directory (os error 20)",
        "    Expected a directory but got a file: file.txt",
        "    Expected a file but got a directory: folder",
        "    Invalid JSON: key must be a string at line 1 column 2",
        "    Configuration parse error: invalid access mode in sandbox state: everything",
        "    -> RuntimeError: there is no sandbox; run nothing untrusted",
        "Nothing was changed: CapabilitySet(fs=0, network=allowed)",
    ],
    "query_before_you_run.py": [
        "read+write project/build/new/file.o  allowed by project [read+write]",
        "write      manual/page.txt           denied: granted for read, not for write",
        "read       project/link-to-secret    denied: path_not_granted",
        "connect    anywhere                  denied: network_blocked",
    ],
    "run_a_command.py": [
        "exit code: 3",
        "it wrote: sorted 3 names",
        "it could not: cat: ../secret.txt: Permission denied",
        "something is left of it: False",
        "sorted.txt: Ada Edsger Grace",
    ],
    "run_commands_async.py": [
        "quick ended with 0",
        "slow says on stdout: done",
        "endless says on stdout: begun",
        "endless was called off",
        "300 commands, 43 of them with exit code 0",
    ],
    "save_and_restore.py": [
        "parent: the worker gets 1 folder and no network",
        "worker: inbox/letter.txt: Dear worker, ...",
        "worker: diary.txt: Permission denied",
    ],
}
C = {
    "contain.c": [
        "program: no secret",
        "program: no stray file",
        "the program did its job and did not leave its project",
    ],
    "query.c": [
        "read   /usr/bin             allowed by /usr [read]",
        "read   /usr/../etc/passwd   denied: not granted",
    ],
    "run.c": ["kept"],
}

# What shows something that must not have come out.
FORBIDDEN = {
    "contain.c": "the launch code",
    "contain_a_script.py": "I have the launch code",
    "ctypes_only.py": "the text of secret.txt",
    "run_a_command.py": "the launch code",
    "save_and_restore.py": "Dear diary",
}


def check_run(command: list[str], name: str, expected: list[str], tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [line for line in expected if line not in done.stdout.splitlines()] == [], done.stdout
    assert FORBIDDEN.get(name, "\0") not in done.stdout
    assert list(scratch.iterdir()) == []


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == PYTHON.keys()
    assert {path.name for path in (EXAMPLES / "c").glob("*.c")} == C.keys()


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("name", PYTHON)
def test_python(name: str, tmp_path: Path) -> None:
    check_run([sys.executable, str(EXAMPLES / name)], name, PYTHON[name], tmp_path)


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C examples, built by their own Makefile."""
    output = tmp_path_factory.mktemp("examples")
    subprocess.run(["make", "-s", "-C", EXAMPLES / "c", f"LIBDIR={LIBRARY.parent}", f"OUT={output}"], check=True)
    return output


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("name", C)
def test_c(name: str, binaries: Path, tmp_path: Path) -> None:
    check_run([str(binaries / Path(name).stem)], name, C[name], tmp_path)
