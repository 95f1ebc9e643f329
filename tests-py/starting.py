# SPDX-License-Identifier: Apache-2.0
"""Starts programs in sandboxes, and makes programs to start."""

import errno
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nono_py import (
    is_supported,
)

CONTAINED = """
import os, sys
from nono_py import AccessMode, CapabilitySet, apply
mode, program, arguments = sys.argv[1], sys.argv[2], sys.argv[2:]
caps = CapabilitySet()
caps.allow_file("/dev/null", AccessMode.READ_WRITE)
if mode == "granted":
    caps.allow_program(program)
apply(caps)
try:
    os.execv(program, arguments)
except OSError as error:
    os._exit(200 + error.errno)
"""

needs_landlock = pytest.mark.skipif(not is_supported(), reason="no Landlock here")
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")


def contained(mode: str, *command: "str | Path", **options: Any) -> "subprocess.CompletedProcess[str]":
    arguments = [sys.executable, "-c", CONTAINED, mode, *map(str, command)]
    return subprocess.run(
        arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60, **options
    )


def starts(*command: "str | Path", **options: Any) -> str:
    """Check that it starts with its requirements and not without; return what it prints."""
    without = contained("nothing", *command, **options)
    assert without.returncode == 200 + errno.EACCES, without
    with_them = contained("granted", *command, **options)
    assert with_them.returncode == 0, with_them
    return with_them.stdout


def system(name: str) -> str:
    path = shutil.which(name, path="/usr/bin:/bin")
    if path is None:
        pytest.skip(f"there is no {name}")
    return path


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def build(target: Path, source: str, *flags: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["cc", "-x", "c", "-", "-o", str(target), *flags]
    subprocess.run(command, input=source, text=True, check=True, capture_output=True)
    return target
