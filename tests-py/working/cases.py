# SPDX-License-Identifier: Apache-2.0
"""What a case is, and what cases share.

A case is a function that gets a directory of its own, restricts itself to what the thing needs, does the thing, and
asserts its effect. It runs as every user it is for.
"""

import os
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Union

import nono_py
from nono_py import AccessMode, CapabilitySet

StrPath = Union[str, "os.PathLike[str]"]

ROOT = "root"
ORDINARY = "ordinary"

NULL = Path("/dev/null")


def existing(*paths: StrPath) -> list[Path]:
    """The directories that exist, each once and none below another."""
    found = {Path(path).resolve() for path in paths if os.path.exists(path)}
    return sorted(path for path in found if not any(parent in found for parent in path.parents))


# What it takes to run a program of the system, and what a child Python and imports take.
PROGRAMS = existing("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
PYTHON = existing(
    sys.prefix,
    sys.base_prefix,
    sysconfig.get_paths()["stdlib"],
    *site.getsitepackages(),
    Path(nono_py.__file__).parent,
    Path(__file__).parent.parent,
)


@dataclass(frozen=True)
class Case:
    run: Callable[[Path], None]
    users: tuple[str, ...] = (ROOT, ORDINARY)
    programs: tuple[str, ...] = ()  # that must be on PATH
    modules: tuple[str, ...] = ()  # that must be installed


def case(
    *, users: tuple[str, ...] = (ROOT, ORDINARY), programs: tuple[str, ...] = (), modules: tuple[str, ...] = ()
) -> Callable[[Callable[[Path], None]], Case]:
    return lambda run: Case(run, users, programs, modules)


def cases(module: dict[str, object]) -> Iterator[tuple[str, Case]]:
    for name, value in module.items():
        if isinstance(value, Case):
            yield name, value


def restrict(*write: StrPath, read: Sequence[StrPath] = (), network: bool = False, **options: bool) -> None:
    """Puts a sandbox in force: `write` may be read and written, `read` be read, and the network used if it says so."""
    caps = CapabilitySet()
    for paths, mode in (write, AccessMode.READ_WRITE), (read, AccessMode.READ):
        for path in paths:
            (caps.allow_path if os.path.isdir(path) else caps.allow_file)(path, mode)
    if not network:
        caps.block_network()
    nono_py.apply(caps, **options)


@contextmanager
def refused(error: type[OSError] = PermissionError) -> Iterator[None]:
    """Fails unless the kernel refuses what is done here."""
    try:
        yield
    except error:
        return
    raise AssertionError("was not refused")
