# SPDX-License-Identifier: Apache-2.0
"""What tests of running commands have in common. Children import it too: see program()."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import textwrap
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from nono_py import AccessMode, CapabilitySet

Value = TypeVar("Value")

# What makes this module importable in a child.
_IMPORTS = f"""
sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
from commands import *
from nono_py import sandboxed_exec, sandboxed_exec_async, spawn, spawn_async, prepare
"""


def program(*parts: str) -> str:
    """Code for run_child that has all of this module."""
    return _IMPORTS + "".join(textwrap.dedent(part) for part in parts)


SECONDS = 60  # a test that takes longer is stuck


def system_caps(*writable: str | os.PathLike[str]) -> CapabilitySet:
    """What programs of the system need, and some directories to write in."""
    caps = CapabilitySet()
    for directory in ("/usr", "/etc", "/proc", "/lib", "/lib64", "/bin"):
        with contextlib.suppress(FileNotFoundError):
            caps.allow_path(directory, AccessMode.READ)
    for path in writable:
        caps.allow_path(path, AccessMode.READ_WRITE)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    caps.allow_file("/dev/zero", AccessMode.READ)
    return caps


def new_mark() -> str:
    """Seconds that no other sleep on this machine sleeps, so that processes of a test can be told."""
    return f"{10**9 + int.from_bytes(os.urandom(4), 'big')}.5"


def daemons(mark: str) -> str:
    """A shell script whose six processes leave its session and its parents, and ignore what would end them."""
    return (
        "trap '' TERM HUP INT; for i in 1 2 3; do (setsid sh -c "
        f"'setsid sleep {mark} >/dev/null 2>&1 <&1 & sleep {mark}' >/dev/null 2>&1 <&1 &) ; done; "
    )


def processes(mark: str) -> list[int]:
    """Processes that have the mark among their arguments, zombies included as long as they have a name."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if mark.encode() in Path("/proc", entry, "cmdline").read_bytes().replace(b"\0", b" "):
                    found.append(int(entry))
    return found


def running(mark: str) -> int:
    """How many sleeps have the mark; a shell whose script names it is none."""
    count = 0
    for pid in processes(mark):
        with contextlib.suppress(OSError):
            count += Path("/proc", str(pid), "cmdline").read_bytes().startswith(b"sleep\0")
    return count


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children() -> list[int]:
    """All children of this process, ended or not, those that wait(2) does not see included."""
    found = []
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):
            found += [int(pid) for pid in Path("/proc/self/task", task, "children").read_text().split()]
    return found


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def run_async(main: Coroutine[Any, Any, Value]) -> Value:
    """Under asyncio's debug mode, and nothing is left behind."""
    gc.collect()
    before = descriptors()
    value = asyncio.run(main, debug=True)
    gc.collect()
    assert descriptors() == before
    assert children() == []
    return value
