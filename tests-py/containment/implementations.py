# SPDX-License-Identifier: Apache-2.0
"""Runs cases under the Python of an implementation: this one, or an original from PyPI in an environment of its own."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "containment"
SHIM = ROOT / "build" / "tests-c" / "faults.so"
SECONDS_FOR_A_CASE = 25


class Verdict(NamedTuple):
    name: str
    # "open", "closed", "unprovable" or "broken".
    state: str
    # What stopped the act, or why there is no answer.
    reason: str
    # What the library says that the kernel leaves open.
    unenforced: list[str]


@functools.cache
def helper() -> Path | None:
    """helper.c, compiled; None without a compiler."""
    source, library = Path(__file__).with_name("helper.c"), BUILD / "helper.so"
    BUILD.mkdir(parents=True, exist_ok=True)
    command = [os.environ.get("CC", "cc"), "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
    # Others may load it meanwhile.
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        output = Path(folder) / "helper.so"
        try:
            subprocess.run([*command, str(source), "-o", str(output), "-lpthread"], check=True)
        except FileNotFoundError:
            return None
        output.rename(library)
    return library


@functools.cache
def shim() -> Path:
    """The library that makes the kernel look like one with an older Landlock."""
    subprocess.run(["make", "--silent", "-C", str(ROOT / "Tests" / "c"), str(SHIM)], check=True)
    return SHIM


@functools.cache
def original(version: str) -> Path | None:
    """The interpreter of an environment with nono-py of that version; None if PyPI does not give it."""
    environment = BUILD / version
    python, done = environment / "bin" / "python", environment / ".done"
    if not done.exists():
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
            subprocess.run([*install, "--retries=1", f"nono-py=={version}"], check=True, timeout=120)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None
        done.touch()
    return python


def judge(names: Sequence[str], *, python: Path | None = None, as_user: bool, abi: int | None = None) -> list[Verdict]:
    """Try holes, one after the other. Without `python` under this interpreter, whose library can be made to see an
    older kernel."""
    library = helper()
    command = [str(python or sys.executable), "-m", "containment.case", *(["--user"] if as_user else [])]
    command += ["--helper", str(library)] if library else []
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "tests-py"), "PYTHONDONTWRITEBYTECODE": "1"}
    if abi is not None:
        variables |= {"LD_PRELOAD": str(shim()), "NONO_TEST_LANDLOCK_ABI": str(abi)}
    done = subprocess.run(
        [*command, *names],
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=SECONDS_FOR_A_CASE * len(names),
        check=True,
    )
    return [Verdict(**json.loads(line)) for line in done.stdout.splitlines()]
