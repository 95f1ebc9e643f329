# SPDX-License-Identifier: Apache-2.0
"""One object may be used by several threads, and calls that wait for the file system stop nobody else."""

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import RunChild

from nono_py import (
    AccessMode,
    CapabilitySet,
    QueryContext,
    SandboxState,
    prepare,
    sandbox_status,
    sandboxed_exec,
    support_info,
    unenforced,
)

R, W = AccessMode.READ, AccessMode.WRITE
ROUNDS = 300


def in_threads(*actions: Callable[[], object]) -> None:
    failures: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        try:
            for _ in range(ROUNDS):
                action()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert failures == []


def test_one_set_in_two_threads(tree: Path) -> None:
    caps = CapabilitySet()
    in_threads(lambda: caps.allow_path("d", R), lambda: caps.allow_file("f.txt", W))
    capabilities = caps.fs_capabilities()
    assert len(capabilities) == 2 * ROUNDS
    assert sum(capability.is_file for capability in capabilities) == ROUNDS
    caps.deduplicate()
    assert len(caps.fs_capabilities()) == 2


def test_readers_and_writers(tree: Path) -> None:
    caps = CapabilitySet()

    def read() -> None:
        for capability in caps.fs_capabilities():
            assert capability.resolved == str(tree / "d")
            assert capability.access in (R, AccessMode.READ_WRITE)
        QueryContext(caps).query_path("d", R)
        SandboxState.from_caps(caps).to_caps()
        caps.summary()

    in_threads(lambda: caps.allow_path("d", R), caps.deduplicate, read, lambda: caps.path_covered("d/sub"))
    caps.deduplicate()
    assert len(caps.fs_capabilities()) == 1


def test_errors_belong_to_their_thread(tree: Path) -> None:
    caps = CapabilitySet()

    def fail(path: str) -> None:
        with pytest.raises(FileNotFoundError) as caught:
            caps.allow_path(path, R)
        assert str(caught.value) == f"Path does not exist: {path}"

    in_threads(lambda: fail("one"), lambda: fail("another"), lambda: fail("a third"))


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="with one processor the other thread runs anyway")
def test_others_go_on_meanwhile(run_child: RunChild) -> None:
    # With the interpreter's switch interval out of reach, the other thread runs only if the call lets it.
    code = """
    import threading
    deep = "/".join(["d"] * 200)
    os.makedirs(deep)
    caps = CapabilitySet()
    context = QueryContext(caps)
    turns = 0
    stop = False

    def count():
        global turns
        while not stop:
            turns += 1
            if turns % 100 == 0:
                context.query_path("/", R)

    sys.setswitchinterval(1000)
    thread = threading.Thread(target=count)
    thread.start()
    for method in caps.path_covered, lambda path: caps.allow_path(path, R), lambda path: context.query_path(path, R):
        before = turns
        for _ in range(2000):
            method(deep)
        print(turns > before)
    stop = True
    thread.join()
    """
    assert run_child(code).splitlines() == ["True"] * 3


def test_every_object_in_every_thread(tree: Path, sandbox: None) -> None:
    """What a free-threaded CPython runs at once: calls of every class on shared objects, and the making of new ones."""
    shared = CapabilitySet()
    shared.allow_path("d", R)
    context = QueryContext(shared)
    state = SandboxState.from_caps(shared)
    text = state.to_json()
    left_open = unenforced(shared)
    (only,) = shared.fs_capabilities()
    first = str(only.access), only.original, str(only.source)
    expected = context.query_path("d/f.txt", R), context.query_path("d", W), context.query_path("other", R)
    commands = CapabilitySet()
    commands.allow_program("true")
    prepared = prepare(commands)

    def ask() -> None:
        answers = context.query_path("d/f.txt", R), context.query_path("d", W), context.query_path("other", R)
        assert answers == expected
        assert context.query_network() == {"status": "allowed", "reason": "network_allowed"}

    def convert() -> None:
        assert state.to_json() == SandboxState.from_json(text).to_json() == text
        assert SandboxState.from_caps(shared).to_caps().path_covered("d")

    def look() -> None:
        for capability in shared.fs_capabilities():
            assert (str(capability.access), capability.original, str(capability.source)) == first
            assert hash(capability.access) == hash(AccessMode.READ)
        assert repr(shared).startswith("CapabilitySet(fs=")
        assert support_info().is_supported
        assert sandbox_status()["layers"] == 0
        assert unenforced(shared) == left_open

    def run() -> None:
        if random.random() < 0.1:
            assert prepared.run(["true"]).exit_code == 0
            assert sandboxed_exec(commands, ["true"]).exit_code == 0

    in_threads(ask, ask, convert, look, lambda: shared.allow_path("d", R), shared.deduplicate, run, run)
