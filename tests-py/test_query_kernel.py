# SPDX-License-Identifier: Apache-2.0
"""Asks QueryContext and the kernel the same questions: random paths, under random grants.

For each set of grants a process of its own applies the set; see kernel_probe.py. A probe is a path and a mode:

    READ         open a file for reading; list a directory
    WRITE        open a file for appending, or make it; make a file in a directory
    READ_WRITE   open a file for both, or make it; list a directory and make a file in it

Each probe is tried outside of the sandbox and in it. If it works outside, then in the sandbox it must work if
QueryContext allows it, and fail with EACCES if not. If it fails outside as well (ENOTDIR behind a file, ELOOP in a
loop, ENAMETOOLONG), then there is nothing that a sandbox could allow or deny. It must fail in the same way in the
sandbox, or with EACCES if QueryContext denies it.

A missing path is ENOENT to the kernel, which looks names up before it asks for rights, whereas QueryContext tells what
could be made and read there. So QueryContext is asked first, while the path is missing; then what is missing is made,
from outside, but for the last name if that is to be made by the probe; the answer must still be the same, and the
kernel must agree with it. Nothing has to be known of the place but that files made in a granted directory are covered
by its grants.

Afterwards everything that a probe, or the way to it, has added to the tree is removed from outside.
"""

import errno
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import kernel_probe
import pytest

SEED = int(os.environ.get("NONO_TEST_SEED", "1"))
SETS = 20
PROBES = 25

MODES = ("READ", "WRITE", "READ_WRITE")
# From the top of the tree down to the working directory: no path below leads further up than to the top.
DEPTH = ("a", "b", "c", "e")
DIRECTORIES = ("d", "d/sub", "d/sub/deep", "other", "d sub")
FILES = ("f.txt", "d/f.txt", "d/sub/f.txt", "other/f.txt")
LINKS = {
    **{"ld": "d", "lsub": "d/sub/", "lf": "d/f.txt", "up": "..", "d/up": "../other", "d/self": "."},
    **{"dangling": "nowhere", "d/dangling": "../other/nowhere", "loop": "loop"},
}
COMPONENTS = ("d", "d", "sub", "sub", "deep", "other", "ld", "lsub", "up", "self", "..", "..", ".", "")
LAST = ("f.txt", "f.txt", "lf", "new", "dangling", "loop", "sub", "deep", "", ".", "..", "x" * 256)
GRANTED = (*DIRECTORIES, *FILES, "ld", "lsub", "lf", "d/up", "d/../other", "ld/sub/..", ".", "..")

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The top of the tree. The working directory is further down."""
    root = tmp_path.joinpath(*DEPTH)
    for name in DIRECTORIES:
        (root / name).mkdir(parents=True)
    for name in FILES:
        (root / name).write_text("text")
    for name, target in LINKS.items():
        (root / name).symlink_to(target)
    monkeypatch.chdir(root)
    return tmp_path


def random_path(source: random.Random) -> str:
    components = source.choices((*COMPONENTS, "nope"), k=source.randint(0, len(DEPTH) - 1))
    path = "/".join([*components, source.choice(LAST)])
    if path and not path.startswith("/") and source.random() < 0.5:
        return path
    return f"{source.choice(('.', './', os.getcwd(), f'/{os.getcwd()}/'))}/{path}"


def entries(top: Path) -> set[str]:
    return {os.path.join(path, name) for path, *lists in os.walk(top) for names in lists for name in names}


@contextmanager
def way_to(path: str, mode: str, top: Path) -> Iterator[None]:
    """Makes what a path lacks. The last name is made only for READ, as an empty file, unless it must be a directory."""
    assert os.path.realpath(path).startswith(str(top.resolve()))
    before = entries(top)
    must_be_directory = os.path.basename(path) in ("", ".", "..")
    directory = path if must_be_directory else os.path.dirname(path) or "."
    for missing in (os.path.realpath(directory), directory):
        with suppress(OSError):
            os.makedirs(missing, exist_ok=True)
    if mode == "READ" and not must_be_directory and not os.path.isdir(path):
        with suppress(OSError), open(path, "ab"):
            pass
    try:
        yield
    finally:
        for added in sorted(entries(top) - before, reverse=True):
            (os.rmdir if os.path.isdir(added) else os.unlink)(added)


class Sandboxed:
    """A process that has applied some grants."""

    def __init__(self, grants: list[tuple[str, str]]) -> None:
        command = (sys.executable, kernel_probe.__file__)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.send(grants)

    def send(self, value: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value) + "\n")
        self.process.stdin.flush()

    def ask(self, path: str, mode: str, attempt: bool) -> dict[str, Any]:
        self.send({"path": path, "mode": mode, "attempt": attempt})
        assert self.process.stdout is not None
        reply: dict[str, Any] = json.loads(self.process.stdout.readline())
        return reply

    def close(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0


def disagreement(sandboxed: Sandboxed, path: str, mode: str, top: Path) -> str:
    """What is wrong about the answers to one probe; nothing, if they agree."""
    first = sandboxed.ask(path, mode, attempt=False)["answer"]
    with way_to(path, mode, top):
        outside = kernel_probe.attempt(path, mode)
    with way_to(path, mode, top):
        reply = sandboxed.ask(path, mode, attempt=True)
    if reply["answer"] != first:
        return f"QueryContext says {first}, and {reply['answer']} once the path exists"
    allowed = first["status"] == "allowed"
    expected = (outside,) if allowed else (errno.EACCES, outside) if outside else (errno.EACCES,)
    if reply["errno"] in expected:
        return ""
    names = [errno.errorcode.get(number, "it works") for number in (outside, reply["errno"])]
    return f"QueryContext says {first}; outside: {names[0]}; in the sandbox: {names[1]}"


def test_the_query_and_the_kernel_agree(top: Path) -> None:
    source = random.Random(SEED)
    found = []
    statuses = set()
    for _ in range(SETS):
        grants = [(source.choice(GRANTED), source.choice(MODES)) for _ in range(source.randint(0, 5))]
        sandboxed = Sandboxed(grants)
        for _ in range(PROBES):
            path, mode = random_path(source), source.choice(MODES)
            statuses.add(sandboxed.ask(path, mode, attempt=False)["answer"]["reason"])
            problem = disagreement(sandboxed, path, mode, top)
            if problem:
                found.append(f"grants {grants}, {mode} of {path!r}: {problem}")
        sandboxed.close()
    assert not found, "\n".join((f"NONO_TEST_SEED={SEED}", *found))
    assert statuses == {"granted_path", "insufficient_access", "path_not_granted"}
