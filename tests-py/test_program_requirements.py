# SPDX-License-Identifier: Apache-2.0
"""What is told about the requirements of programs, of broken ones too."""

import contextlib
import errno
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from starting import build, needs_compiler, script, system

from nono_py import (
    AccessMode,
    CapabilitySet,
    CapabilitySource,
    explain_exec_failure,
    program_requirements,
)


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
