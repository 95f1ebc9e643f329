# SPDX-License-Identifier: Apache-2.0
"""What a program needs to start: judged by starting it in a sandbox that grants nothing else."""

import contextlib
import errno
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nono_py import (
    AccessMode,
    CapabilitySet,
    CapabilitySource,
    explain_exec_failure,
    is_supported,
    program_requirements,
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


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


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


def build(target: Path, source: str, *flags: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["cc", "-x", "c", "-", "-o", str(target), *flags]
    subprocess.run(command, input=source, text=True, check=True, capture_output=True)
    return target


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


def test_agrees_with_the_loader() -> None:
    """The libraries are those that the loader itself tells."""
    for name in ("ls", "git", "python3", "bash"):
        path = system(name)
        loader = next(g for g in program_requirements(path) if Path(g.resolved).name.startswith("ld-"))
        listing = subprocess.run([loader.original, "--list", path], capture_output=True, text=True, check=True).stdout
        wanted = {
            os.path.realpath(line.split("=> ")[1].split(" (")[0]) for line in listing.splitlines() if "=>" in line
        }
        assert wanted
        assert wanted <= {grant.resolved for grant in program_requirements(path)}


def test_grants() -> None:
    grants = program_requirements(system("ls"))
    assert grants[0].resolved == os.path.realpath(system("ls"))
    assert all(grant.access == AccessMode.READ and grant.is_file for grant in grants)
    assert all(repr(grant.source) == repr(CapabilitySource.system()) for grant in grants)
    caps = CapabilitySet()
    caps.allow_program("ls", search_path="/nonexistent:/usr/bin:/bin")
    assert [grant.resolved for grant in caps.fs_capabilities()] == [grant.resolved for grant in grants]
    assert not caps.is_network_blocked


def test_arguments(tmp_path: Path) -> None:
    allow: Any = CapabilitySet().allow_program
    requirements: Any = program_requirements
    for call in (allow, requirements):
        for arguments, keywords in [
            ((), {}),
            ((1,), {}),
            (("/bin/true", "/bin"), {}),
            (("/bin/true",), {"search_path": 1}),
            (("/bin/true",), {"program": "/bin/true"}),
            (("/bin/true",), {"path": "/bin"}),
        ]:
            with pytest.raises(TypeError):
                call(*arguments, **keywords)
        with pytest.raises(ValueError, match="embedded null byte"):
            call("/bin/true\0")
        with pytest.raises(FileNotFoundError, match=r"^Cannot start nosuch: it is not in the search path$") as missing:
            call("nosuch")
        assert missing.value.errno == errno.ENOENT
        with pytest.raises(OSError, match="neither a 64-bit ELF program nor a script") as unusable:
            call("/etc/passwd")
        assert unusable.value.errno == errno.ENOEXEC
        with pytest.raises(PermissionError, match=r"^Cannot start /etc: it is not a regular file$"):
            call("/etc")
        call(program=b"/bin/true", search_path=b"/bin")
        call(Path("/bin/true"), search_path=None)
    odd = script(tmp_path / os.fsdecode(b"\xff"), "#!/bin/sh\n")
    assert program_requirements(odd)[0].resolved == str(odd)


def test_explanations(tmp_path: Path) -> None:
    path = script(tmp_path / "script", "#!/bin/sh\n")
    caps = CapabilitySet()
    assert explain_exec_failure(caps, path, errno.EACCES) == (
        f"cannot execute {path}: it is not granted for reading; grant {path}"
    )
    caps.allow_path(tmp_path, AccessMode.READ)
    shell = os.path.realpath("/bin/sh")
    assert explain_exec_failure(caps, path, errno.EACCES) == (
        f"cannot execute {path}: its interpreter /bin/sh is not granted for reading; grant {shell}"
    )
    caps.allow_file(shell, AccessMode.READ)
    loader = next(g for g in program_requirements(path) if Path(g.resolved).name.startswith("ld-"))
    assert explain_exec_failure(caps, path, errno.EACCES) == (
        f"cannot execute {path}: its loader {loader.original} is not granted for reading; grant {loader.resolved}"
    )
    # Writing is not enough.
    other = CapabilitySet()
    other.allow_path(tmp_path, AccessMode.WRITE)
    assert "it is not granted for reading" in explain_exec_failure(other, path, errno.EACCES)
    explain: Any = explain_exec_failure
    for arguments in [(), (caps,), (caps, path), (caps, path, "1"), (None, path, 1), (caps, path, 1, "/bin")]:
        with pytest.raises(TypeError):
            explain(*arguments)
    for number in (-1, 2**31):
        with pytest.raises((ValueError, OverflowError)):
            explain(caps, path, number)


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


def test_malformed_programs(tmp_path: Path) -> None:
    """Cut off and changed at random, a program is an error or not, and nothing worse."""
    whole = Path(system("ls")).read_bytes()
    generator = random.Random(4)
    path = tmp_path / "program"
    for _ in range(1500):
        changed = bytearray(whole[: generator.choice([70, 200, 900, 5000, len(whole)])])
        for _ in range(generator.randint(1, 10)):
            changed[generator.randrange(min(len(changed), 1000))] = generator.choice(
                [0, 1, 127, 255, generator.randrange(256)]
            )
        path.write_bytes(changed)
        with contextlib.suppress(OSError):
            program_requirements(path)


@needs_compiler
def test_what_is_made_to_keep_busy(tmp_path: Path) -> None:
    """Hundreds of directories for hundreds of libraries."""
    libraries = tmp_path / "lib"
    names = [f"libn{number}.so" for number in range(200)]
    for name in names:
        if name == names[0]:
            build(libraries / name, "int x;", "-shared", "-fPIC")
        else:
            shutil.copy(libraries / names[0], libraries / name)
    directories = [f"/{number}" for number in range(600)] + [str(libraries)]
    program = build(
        tmp_path / "program",
        "int main(void) { return 0; }",
        f"-Wl,-rpath,{':'.join(directories)}",
        "-Wl,--no-as-needed",
        f"-L{libraries}",
        *[f"-l:{name}" for name in names],
    )
    with pytest.raises(OSError, match="it needs more files than any program does"):
        program_requirements(program)


@needs_compiler
@pytest.mark.parametrize("loader", ["ld-musl-x86_64.so.1", "ld-linux-x86-64.so.2"])
def test_the_loader_decides_where_to_look(tmp_path: Path, loader: str) -> None:
    """musl takes a RUNPATH for the libraries of libraries too, and is libc itself; glibc does neither."""
    libraries = tmp_path / "lib"
    (tmp_path / loader).touch()
    build(libraries / "libc.musl.so.1", "int c;", "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libc.musl.so.1")
    build(libraries / "libinner.so", "int inner;", "-shared", "-fPIC", "-nostdlib")
    needs = ["-Wl,--no-as-needed", f"-L{libraries}", "-linner", "-l:libc.musl.so.1"]
    build(libraries / "libouter.so", "int outer;", "-shared", "-fPIC", "-nostdlib", *needs)
    program = build(
        tmp_path / "program",
        "void _start(void) {}",
        "-nostdlib",
        "-pie",
        f"-Wl,--dynamic-linker={tmp_path / loader},--enable-new-dtags,-rpath,{libraries},-rpath-link,{libraries}",
        "-Wl,--no-as-needed",
        f"-L{libraries}",
        "-louter",
    )
    (libraries / "libc.musl.so.1").unlink()
    if "musl" in loader:
        found = {Path(grant.resolved).name for grant in program_requirements(program)}
        assert {"program", loader, "libouter.so", "libinner.so"} <= found
        assert "ld.so.cache" not in found
    else:
        with pytest.raises(
            FileNotFoundError, match=r"its library lib(inner|c\.musl)\.so.*, needed by .*/libouter\.so$"
        ):
            program_requirements(program)
