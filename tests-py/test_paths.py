# SPDX-License-Identifier: Apache-2.0
"""Which paths can be granted, what they resolve to, and how the others are refused."""

import errno
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Optional

import pytest
from conftest import RunChild

from nono_py import AccessMode, CapabilitySet, FsCapability

R = AccessMode.READ


def grant(path: "str | bytes | os.PathLike[str]", file: bool = False) -> FsCapability:
    caps = CapabilitySet()
    (caps.allow_file if file else caps.allow_path)(path, R)
    (capability,) = caps.fs_capabilities()
    assert capability.is_file is file
    return capability


def check_error(
    error: BaseException, kind: "type[BaseException]", text: str, number: Optional[int], base: "type[BaseException]"
) -> None:
    assert type(error) is kind
    assert isinstance(error, base)
    assert str(error) == text
    assert error.args == (text,)
    assert getattr(error, "errno", None) == number


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        (".", "."),
        ("..", ".."),
        ("./d", "d"),
        ("d", "d"),
        ("d/", "d"),
        ("d/.", "d"),
        ("d/../d", "d"),
        ("d//sub", "d/sub"),
        ("d/sub/..", "d"),
        ("//", "/"),
        ("/", "/"),
        ("///usr//", "/usr"),
        ("ld", "d"),
        ("ld/", "d"),
        ("lld", "d"),
        ("ld/sub", "d/sub"),
        ("ld/..", "."),
    ],
)
def test_directories(tree: Path, text: str, resolved: str) -> None:
    capability = grant(text)
    assert capability.original == text
    assert capability.resolved == os.path.realpath(tree / resolved)


@pytest.mark.parametrize(
    ("text", "resolved"),
    [("f.txt", "f.txt"), ("./f.txt", "f.txt"), ("lf", "f.txt"), ("d/../f.txt", "f.txt"), ("fifo", "fifo")],
)
def test_files(tree: Path, text: str, resolved: str) -> None:
    capability = grant(text, file=True)
    assert capability.original == text
    assert capability.resolved == str(tree / resolved)


def test_everything_but_a_directory_is_a_file(tree: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket")
        for path in ("fifo", "socket", "/dev/null", "f.txt"):
            assert grant(path, file=True).is_file
            with pytest.raises(ValueError, match=r"^Expected a directory but got a file: ") as caught:
                grant(path)
            assert str(caught.value) == f"Expected a directory but got a file: {path}"


@pytest.mark.parametrize("path", ["d", "d/", "ld", ".", "/"])
def test_a_directory_is_no_file(tree: Path, path: str) -> None:
    with pytest.raises(ValueError, match=r"^Expected a file") as caught:
        grant(path, file=True)
    check_error(caught.value, ValueError, f"Expected a file but got a directory: {path}", None, ValueError)


@pytest.mark.parametrize("file", [False, True])
@pytest.mark.parametrize(
    "path",
    ["", "nowhere", "./nowhere", "nowhere/", "d/nowhere/x", "dangling", "dangling/x", "~", "~/", "~root", " d", "d "],
)
def test_a_path_that_does_not_exist(tree: Path, path: str, file: bool) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        grant(path, file)
    check_error(caught.value, FileNotFoundError, f"Path does not exist: {path}", errno.ENOENT, OSError)


@pytest.mark.parametrize("file", [False, True])
@pytest.mark.parametrize(
    ("path", "kind", "number", "reason"),
    [
        ("f.txt/", NotADirectoryError, errno.ENOTDIR, "Not a directory (os error 20)"),
        ("lf/", NotADirectoryError, errno.ENOTDIR, "Not a directory (os error 20)"),
        ("f.txt/.", NotADirectoryError, errno.ENOTDIR, "Not a directory (os error 20)"),
        ("f.txt/x", NotADirectoryError, errno.ENOTDIR, "Not a directory (os error 20)"),
        ("loop", OSError, errno.ELOOP, "Too many levels of symbolic links (os error 40)"),
        ("loop/x", OSError, errno.ELOOP, "Too many levels of symbolic links (os error 40)"),
        ("x" * 256, OSError, errno.ENAMETOOLONG, "File name too long (os error 36)"),
        ("x" * 5000, OSError, errno.ENAMETOOLONG, "File name too long (os error 36)"),
        ("a\0b", OSError, None, "file name contained an unexpected NUL byte"),
        ("\0", OSError, None, "file name contained an unexpected NUL byte"),
    ],
)
def test_a_path_that_cannot_be_resolved(
    tree: Path, path: str, kind: "type[OSError]", number: Optional[int], reason: str, file: bool
) -> None:
    with pytest.raises(OSError, match=r"^Failed to canonicalize path ") as caught:
        grant(path, file)
    check_error(caught.value, kind, f"Failed to canonicalize path {path}: {reason}", number, OSError)


def test_a_long_path_of_missing_parts_does_not_exist(tree: Path) -> None:
    path = "/".join(["part"] * 819)
    with pytest.raises(FileNotFoundError) as caught:
        grant(path)
    assert str(caught.value) == f"Path does not exist: {path}"


def test_a_failed_grant_changes_nothing(tree: Path) -> None:
    caps = CapabilitySet()
    caps.allow_path("d", R)
    for path in ("", "nowhere", "f.txt", "loop", "a\0b"):
        with pytest.raises((OSError, ValueError)):
            caps.allow_path(path, R)
    assert [capability.original for capability in caps.fs_capabilities()] == ["d"]


def test_the_parent_of_a_file_must_be_searchable(tree: Path, run_child: RunChild) -> None:
    code = """
    become_nobody()
    caps = CapabilitySet()
    caps.allow_path("closed", R)
    for method in caps.allow_path, caps.allow_file:
        try:
            method("closed/inside", R)
        except PermissionError as error:
            print(error.errno == errno.EACCES, error)
    """
    parent = tree.parent
    (parent / "closed" / "inside").mkdir(parents=True)
    for path in (parent, *parent.parents):
        if not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
        if path.name.startswith("pytest-of"):
            break
    (parent / "closed").chmod(0)
    try:
        output = run_child(code)
    finally:
        (parent / "closed").chmod(0o700)
    line = "True Failed to canonicalize path closed/inside: Permission denied (os error 13)"
    assert output.splitlines() == [line, line]


def test_a_deleted_working_directory(run_child: RunChild) -> None:
    code = """
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")
    caps = CapabilitySet()
    for path in ".", "x", "":
        try:
            caps.allow_path(path, R)
        except FileNotFoundError as error:
            print(error)
    caps.allow_path("/", R)
    print(caps)
    """
    assert run_child(code).splitlines() == [
        "Path does not exist: .",
        "Path does not exist: x",
        "Path does not exist: ",
        "CapabilitySet(fs=1, network=allowed)",
    ]


def test_a_relative_path_is_resolved_when_it_is_granted(tree: Path) -> None:
    caps = CapabilitySet()
    caps.allow_path("d", R)
    os.chdir("other")
    assert caps.fs_capabilities()[0].resolved == str(tree / "d")


def test_the_magic_links_of_proc() -> None:
    assert grant("/proc/self").resolved == f"/proc/{os.getpid()}"
    read_end, write_end = os.pipe()
    try:
        with pytest.raises(FileNotFoundError):
            grant(f"/proc/self/fd/{read_end}", file=True)
    finally:
        os.close(read_end)
        os.close(write_end)


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems demand UTF-8")
@pytest.mark.parametrize("kind", [os.fsencode, os.fsdecode, Path])
def test_a_name_that_is_no_text(tree: Path, kind: "Callable[[str], str | bytes | Path]") -> None:
    name = os.fsdecode(b"caf\xe9")
    os.mkdir(name)
    capability = grant(kind(name))
    assert capability.original == name
    assert capability.resolved == f"{tree}/{name}"
    assert os.path.isdir(capability.resolved)
    # What people read holds no surrogates: every print could fail on them.
    assert repr(capability) == f"FsCapability(path='{tree}/caf\ufffd', access=read, is_file=false)"
    assert str(capability) == f"{tree}/caf\ufffd (read)"


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems demand UTF-8")
def test_an_error_about_a_name_that_is_no_text(tree: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        grant(b"caf\xe9")
    assert str(caught.value) == "Path does not exist: caf\ufffd"


def test_names_that_look_alike_differ(tree: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    os.mkdir(composed)
    os.mkdir(decomposed)
    caps = CapabilitySet()
    caps.allow_path(composed, R)
    assert caps.path_covered(composed)
    assert not caps.path_covered(decomposed)


def test_control_characters_and_quotes(tree: Path) -> None:
    name = "a'b\"c\\\n\x01\x7f"
    os.mkdir(name)
    assert grant(name).resolved == f"{tree}/{name}"
    assert repr(grant(name)) == f"FsCapability(path='{tree}/{name}', access=read, is_file=false)"
