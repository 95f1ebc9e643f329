# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests. What cannot be undone happens in a child: see run_child."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Protocol, Union

import pytest

from nono_py import CapabilitySet, is_supported

if sys.platform == "darwin":
    # These are about what Linux does: its calls, /proc, the errno for what a sandbox refuses.
    collect_ignore = [
        "test_apply.py",
        "test_containment.py",
        "test_demo.py",
        "test_examples.py",
        "test_memory.py",
        "test_options.py",
        "test_query_kernel.py",
        "test_readme.py",
        "test_threads.py",
        "test_working.py",
    ]

StrPath = Union[str, "os.PathLike[str]"]

# What every child starts with. `attempt` tells how an action ended, without a traceback to read.
PRELUDE = """
import errno, os, subprocess, sys
from nono_py import *
R, W, RW = AccessMode.READ, AccessMode.WRITE, AccessMode.READ_WRITE
args = sys.argv[1:]

def attempt(action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "ok"

def read(path):
    with open(path, "rb") as file:
        return file.read()

def write(path):
    with open(path, "wb") as file:
        file.write(b"written")

def become_nobody():
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
"""


class RunChild(Protocol):
    def __call__(self, code: str, *args: StrPath) -> str: ...


@pytest.fixture
def run_child(tmp_path: Path) -> RunChild:
    """Runs code in a new interpreter, in tmp_path, and returns what it printed; fails if it did not exit with 0."""

    def run(code: str, *args: StrPath) -> str:
        command = [sys.executable, "-c", PRELUDE + textwrap.dedent(code), *[os.fspath(argument) for argument in args]]
        child = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert child.returncode == 0, child.stderr
        return child.stdout.strip()

    return run


@pytest.fixture
def sandbox() -> None:
    """Skips a test that needs a kernel with Landlock."""
    if not is_supported():
        pytest.skip("this system cannot sandbox")


@pytest.fixture
def caps() -> CapabilitySet:
    return CapabilitySet()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to grant parts of, which is also the working directory."""
    root = tmp_path.resolve() / "tree"
    (root / "d" / "sub").mkdir(parents=True)
    (root / "other").mkdir()
    (root / "d" / "f.txt").write_text("text")
    (root / "f.txt").write_text("text")
    (root / "ld").symlink_to("d")
    (root / "lf").symlink_to("f.txt")
    (root / "lld").symlink_to(root / "ld")
    (root / "dangling").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "fifo")
    monkeypatch.chdir(root)
    return root
