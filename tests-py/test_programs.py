# SPDX-License-Identifier: Apache-2.0
"""What a program needs to start: judged by starting it in a sandbox that grants nothing else."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from starting import build, needs_compiler, needs_landlock, script, starts, system

from nono_py import (
    AccessMode,
    CapabilitySet,
    explain_exec_failure,
    program_requirements,
)


@needs_landlock
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("true", []),
        ("ls", ["--version"]),
        ("sh", ["-c", "echo started"]),
        ("bash", ["-c", "echo started"]),
        ("git", ["--version"]),
        ("perl", ["-e", "print 1"]),
        ("gcc", ["--version"]),
        ("gdb", ["--version"]),
    ],
)
def test_programs_of_the_system(name: str, arguments: "list[str]") -> None:
    starts(system(name), *arguments)


IMPORTS = "import json, ssl, socket, ctypes, sqlite3, zlib, hashlib, subprocess, asyncio, sys; print(sys.prefix)"


@needs_landlock
def test_python_of_the_system() -> None:
    python = system("python3")
    assert subprocess.run([python, "-c", IMPORTS], check=False, capture_output=True).returncode == 0
    assert starts(python, "-c", IMPORTS) == f"{Path(python).resolve().parent.parent}\n"


@needs_landlock
def test_python_of_a_virtual_environment() -> None:
    assert sys.prefix != sys.base_prefix
    assert starts(sys.executable, "-c", IMPORTS) == f"{sys.prefix}\n"
    # What is installed there can be imported.
    assert starts(sys.executable, "-c", "import nono_py; print(nono_py.is_supported())") == "True\n"


@needs_landlock
def test_python_outside_of_a_virtual_environment() -> None:
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert starts(base, "-I", "-c", IMPORTS) == f"{sys.base_prefix}\n"


@needs_landlock
def test_scripts(tmp_path: Path) -> None:
    plain = script(tmp_path / "plain", "#!/bin/sh\necho $0\n")
    assert starts(plain) == f"{plain}\n"
    nested = script(tmp_path / "nested", f"#!{plain}\n")
    assert starts(nested) == f"{plain}\n"
    (tmp_path / "link").symlink_to("plain")
    assert starts(tmp_path / "link") == f"{tmp_path}/link\n"
    python = script(tmp_path / "python-script", f"#!{sys.executable}\nimport json, ssl; print('started')\n")
    assert starts(python) == "started\n"
    by_name = script(tmp_path / "by-name", "#!/usr/bin/env -S sh -e\necho started\n")
    assert starts(by_name, env={"PATH": "/usr/bin:/bin"}) == "started\n"


@needs_landlock
@needs_compiler
@pytest.mark.parametrize("tag", ["--enable-new-dtags", "--disable-new-dtags"])
@pytest.mark.parametrize("origin", ["$ORIGIN/../lib", "${ORIGIN}/../lib", "absolute"])
def test_libraries_of_its_own(tmp_path: Path, tag: str, origin: str) -> None:
    """RPATH and RUNPATH; a library that needs another one, which lies beside it."""
    libraries = tmp_path / "lib"
    rpath = str(libraries) if origin == "absolute" else origin
    build(libraries / "libinner.so", "int inner(void) { return 3; }", "-shared", "-fPIC")
    beside = ["-Wl,-rpath,$ORIGIN", f"-L{libraries}", "-linner"]
    outer = "int inner(void); int outer(void) { return inner(); }"
    build(libraries / "libouter.so.1", outer, "-shared", "-fPIC", "-Wl,-soname,libouter.so.1", *beside)
    (libraries / "libouter.so").symlink_to("libouter.so.1")
    program = build(
        tmp_path / "bin" / "program",
        '#include <stdio.h>\nint outer(void); int main(void) { printf("%d\\n", outer()); }',
        f"-Wl,{tag}",
        f"-Wl,-rpath,{rpath}",
        f"-L{libraries}",
        "-louter",
        "-Wl,-rpath-link," + str(libraries),
    )
    assert starts(program) == "3\n"
    (tmp_path / "link").symlink_to(program)
    assert starts(tmp_path / "link") == "3\n"
    (libraries / "libinner.so").unlink()
    with pytest.raises(FileNotFoundError) as caught:
        program_requirements(program)
    assert str(caught.value) == (
        f"Cannot start {program}: its library libinner.so is in none of the directories of the dynamic loader, "
        f"needed by {tmp_path}/bin/../lib/libouter.so.1"
        if origin != "absolute"
        else f"Cannot start {program}: its library libinner.so is in none of the directories of the dynamic loader, "
        f"needed by {libraries}/libouter.so.1"
    )


@needs_landlock
@needs_compiler
def test_static_programs(tmp_path: Path) -> None:
    source = "int main(void) { return 0; }"
    try:
        program = build(tmp_path / "static", source, "-static")
    except subprocess.CalledProcessError:
        pytest.skip("no static C library here")
    starts(program)
    assert [grant.resolved for grant in program_requirements(program)] == [str(program)]


@needs_landlock
def test_explanations_are_true(tmp_path: Path) -> None:
    """Granting what is asked for, one after the other, makes the program start."""
    program = system("git")
    caps = CapabilitySet()
    granted: list[str] = []
    code = (
        "import os, sys; from nono_py import *; caps = CapabilitySet()\n"
        "for path in sys.argv[2:]: caps.allow_file(path, AccessMode.READ)\n"
        "caps.allow_file('/dev/null', AccessMode.READ_WRITE); apply(caps)\n"
        "try: os.execv(sys.argv[1], [sys.argv[1], '--version'])\n"
        "except OSError as error: os._exit(200)\n"
    )
    for _ in range(20):
        run = subprocess.run(
            [sys.executable, "-c", code, program, *granted], capture_output=True, text=True, check=False
        )
        if run.returncode == 0:
            break
        why = explain_exec_failure(caps, program, errno.EACCES if run.returncode == 200 else 0)
        path = why.rsplit("; grant ", 1)[1]
        assert path not in granted
        granted.append(path)
        caps.allow_file(path, AccessMode.READ)
    else:
        pytest.fail(f"does not start with {granted}")
    assert len(granted) >= 3
