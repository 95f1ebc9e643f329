# SPDX-License-Identifier: Apache-2.0
"""The directory that programs name paths in, and how programs change it."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

DIRECTORIES = ("d", "d/sub", "d/sub/deep", "other", "a b", "caf\u00e9", "cafe\u0301")
FILES = ("f.txt", "d/f.txt", "d/sub/g.txt", "other/g.txt", 'quo"te\n')
LINKS = {
    "ld": "d",
    "lf": "f.txt",
    "lsub": "d/sub",
    "chain": "./ld/",
    "up": "..",
    "d/inner": "../other",
    "d/self": ".",
    "dangling": "nowhere",
    "loop": "loop",
    "ping": "pong",
    "pong": "ping",
    "lbytes": os.fsdecode(b"byt\xe9s"),
}
NOT_TEXT = os.fsdecode(b"byt\xe9s")


def build(root: Path) -> None:
    """Makes the tree anew."""
    if root.exists():
        shutil.rmtree(root)
    for name in (*DIRECTORIES, NOT_TEXT):
        (root / name).mkdir(parents=True)
    for name in (*FILES, f"{NOT_TEXT}/f.txt"):
        (root / name).write_text("text")
    for name, target in LINKS.items():
        (root / name).symlink_to(target)
    (root / "absolute").symlink_to(root / "ld")
    os.mkfifo(root / "fifo")


def remove(name: str) -> None:
    """Removes whatever is there, even if that is nothing."""
    try:
        is_directory = stat.S_ISDIR(os.lstat(name).st_mode)
    except OSError:
        return
    if is_directory:
        shutil.rmtree(name)
    else:
        os.unlink(name)


def relink(name: str, target: str) -> None:
    remove(name)
    os.symlink(target, name)


def make_file(name: str) -> None:
    remove(name)
    Path(name).write_text("new")


def make_directory(name: str) -> None:
    remove(name)
    os.mkdir(name)


CHANGES: dict[str, Callable[..., None]] = {
    "remove": remove,
    "relink": relink,
    "make_file": make_file,
    "make_directory": make_directory,
}
