# SPDX-License-Identifier: Apache-2.0
"""Measures one section in the interpreter of one implementation: `worker.py SECTION ROOT MILLISECONDS`.

Prints a JSON object of values by row. Every implementation runs this file, with what it shares with the original only.
"""

from __future__ import annotations

import contextlib
import gc
import json
import mmap
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

from rows import LARGE, LEAKS, PREPARED_RULES, RUN_RULES, THREADS
from tree import RULES, SIZES, Tree, apply_times

import nono_py
from nono_py import (
    AccessMode,
    CapabilitySet,
    CapabilitySource,
    QueryContext,
    SandboxState,
    apply,
    is_supported,
    support_info,
)

BATCHES = 5
READ = AccessMode.READ
Values = dict[str, float]


def measure(milliseconds: float, operation: Callable[..., object], *arguments: object) -> float:
    """The median of some batches that take so long together, in microseconds for one operation."""
    clock = time.perf_counter_ns
    start = clock()
    operation(*arguments)
    once = max(clock() - start, 50)
    count = max(1, round(milliseconds * 1e6 / BATCHES / once))
    batches = []
    for _ in range(BATCHES):
        start = clock()
        for _ in range(count):
            operation(*arguments)
        batches.append((clock() - start) / count / 1000)
    return statistics.median(batches)


def granted(tree: Tree, size: int) -> CapabilitySet:
    caps = CapabilitySet()
    for number in range(size):
        caps.allow_path(str(tree.directory(number)), READ)
    return caps


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grant(tree: Tree, milliseconds: float) -> Values:
    values = {}
    for row, (method, path) in tree.grants().items():
        values[row] = measure(milliseconds, getattr(CapabilitySet(), method), str(path), READ)
    return values


def query(tree: Tree, milliseconds: float) -> Values:
    values = {"fs_capabilities/1": measure(milliseconds, granted(tree, 1).fs_capabilities)}
    for size in SIZES:
        caps = granted(tree, size)
        context = QueryContext(caps)
        for question, path in tree.questions(size).items():
            values[f"query_path/{question}/{size}"] = measure(milliseconds, context.query_path, str(path), READ)
            values[f"path_covered/{question}/{size}"] = measure(milliseconds, caps.path_covered, str(path))
        values[f"QueryContext/{size}"] = measure(milliseconds, QueryContext, caps)
        values[f"fs_capabilities/{size}"] = measure(milliseconds, caps.fs_capabilities)
    values["query_network"] = measure(milliseconds, context.query_network)
    values["repr"] = measure(milliseconds, repr, caps)
    return values


def state(tree: Tree, milliseconds: float) -> Values:
    caps = granted(tree, SIZES[-1])
    saved = SandboxState.from_caps(caps)
    text = saved.to_json()
    values = {
        "state/from_caps": measure(milliseconds, SandboxState.from_caps, caps),
        "state/to_json": measure(milliseconds, saved.to_json),
        "state/from_json": measure(milliseconds, SandboxState.from_json, text),
        "state/to_caps": measure(milliseconds, saved.to_caps),
    }
    same = CapabilitySet()
    for _ in range(SIZES[-1]):
        same.allow_path(str(tree.directory(0)), READ)
    for row, original in (("unique", saved), ("same", SandboxState.from_caps(same))):
        times = [measure_once(original.to_caps().deduplicate) for _ in range(3)]
        values[f"deduplicate/{row}"] = statistics.median(times)
    return values


def measure_once(operation: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    operation()
    return (time.perf_counter_ns() - start) / 1000


def in_child(operation: Callable[[], object], threads: int = 1) -> float:
    """How long an operation takes in a child of so many threads, in microseconds."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        for _ in range(threads - 1):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        elapsed = measure_once(operation)
        os.write(writer, repr(elapsed).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return float(text)


def measure_apply(tree: Tree, milliseconds: float) -> Values:
    values = {}
    gc.freeze()

    def median(row: str, times: int, operation: Callable[[], object], threads: int = 1) -> None:
        values[row] = statistics.median(in_child(operation, threads) for _ in range(times))

    for rules in RULES:
        caps = granted(tree, rules)
        caps.block_network()
        median(f"apply/{rules}", apply_times(rules, milliseconds), lambda: apply(caps))  # noqa: B023
    caps = granted(tree, 10)
    caps.block_network()
    times = apply_times(100, milliseconds)
    median("apply/nothing", times, is_supported)
    for threads in THREADS[1:]:
        median(f"apply/threads/{threads}", times, lambda: apply(caps), threads)
    if hasattr(nono_py, "unenforced"):
        for threads in THREADS[2:]:
            median(f"apply/kept/{threads}", times, lambda: apply(caps, allow_capabilities=True), threads)
    return values


def run_commands(tree: Tree, times: float) -> Values:
    """Here the third argument is how often each command is run. 0.4.0 has no function for it: a child that applies."""
    command = ["/bin/true"]
    values: Values = {}

    def median(row: str, operation: Callable[[], object]) -> None:
        operation()
        values[row] = statistics.median(measure_once(operation) for _ in range(int(times)))

    def runner(caps: CapabilitySet, **options: float) -> Callable[[], object]:
        execute = getattr(nono_py, "sandboxed_exec", None)
        if execute is not None:
            return lambda: execute(caps, command, **options)
        timeout = options.get("timeout_secs")
        return lambda: subprocess.run(command, capture_output=True, preexec_fn=lambda: apply(caps), timeout=timeout)

    for rules in RUN_RULES:
        median(f"run/{rules}", runner(startable(tree, rules)))
    median("run/timeout", runner(startable(tree, 10), timeout_secs=30))
    if hasattr(nono_py, "prepare"):
        for rules in PREPARED_RULES:
            sandbox = nono_py.prepare(startable(tree, rules))
            sandbox.run(command)
            median(f"run/prepared/{rules}", lambda: sandbox.run(command))  # noqa: B023
    memory = mmap.mmap(-1, LARGE << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(15)  # MADV_NOHUGEPAGE: as many pages as there can be
    for page in range(0, LARGE << 20, 4096):
        memory[page] = 1
    median("run/large", runner(startable(tree, 10)))
    return values


def startable(tree: Tree, rules: int) -> CapabilitySet:
    """What a command needs to start, and the rest of the rules."""
    caps = granted(tree, rules - 1)
    caps.allow_path("/usr", READ)
    return caps


def stalled(operation: Callable[[], object]) -> float:
    """How much less another thread does during an operation than while this one sleeps as long, in percent."""
    done = 0
    is_over = False

    def count() -> None:
        nonlocal done
        while not is_over:
            done += 1

    other = threading.Thread(target=count)
    other.start()
    time.sleep(0.02)
    before, start = done, time.perf_counter()
    operation()
    during, elapsed = done - before, time.perf_counter() - start
    before, start = done, time.perf_counter()
    time.sleep(elapsed)
    free = (done - before) * elapsed / (time.perf_counter() - start)
    is_over = True
    other.join()
    return max(0.0, 100 * (1 - during / free))


def stalled_in_child(operation: Callable[[], object]) -> float:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, repr(stalled(operation)).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return float(text)


def memory(tree: Tree, milliseconds: float) -> Values:
    sets = 10
    text = sum(len(str(tree.directory(number))) for number in range(SIZES[-1])) / SIZES[-1]
    granted(tree, SIZES[-1])
    before = resident()
    kept = [granted(tree, SIZES[-1]) for _ in range(sets)]
    grown = resident() - before
    values = {"memory/grant": grown / (sets * SIZES[-1]) - text}
    values["stall/to_caps"] = stalled(SandboxState.from_caps(kept[0]).to_caps)
    values["stall/apply"] = stalled_in_child(lambda: apply(kept[0]))
    package = Path(sys.modules["nono_py"].__file__ or "").parent
    values["size/package"] = sum(library.stat().st_size for library in package.glob("*.so*")) / 1000
    if (package / "libnono.so").exists():
        values["size/library"] = (package / "libnono.so").stat().st_size / 1000
    return values


def leak(tree: Tree, cycles: float) -> Values:
    """Here the third argument is how often each object is made."""
    caps = granted(tree, 1)
    caps.block_network()
    context = QueryContext(caps)
    saved = SandboxState.from_caps(caps)
    text = saved.to_json()
    path = str(tree.directory(0))

    def allow() -> None:
        CapabilitySet().allow_path(path, READ)

    def fail() -> None:
        with contextlib.suppress(FileNotFoundError):
            caps.allow_path("/nonexistent", READ)

    operations: dict[str, Callable[[], Any]] = {
        "CapabilitySet": CapabilitySet,
        "allow_path": allow,
        "FsCapability": caps.fs_capabilities,
        "CapabilitySource": lambda: CapabilitySource.group("tools"),
        "QueryContext": lambda: QueryContext(caps),
        "query_path": lambda: context.query_path(path, READ),
        "query_network": context.query_network,
        "SandboxState.from_caps": lambda: SandboxState.from_caps(caps),
        "SandboxState.from_json": lambda: SandboxState.from_json(text),
        "to_json": saved.to_json,
        "to_caps": saved.to_caps,
        "SupportInfo": support_info,
        "error": fail,
    }
    values = {}
    for name in LEAKS:
        operation = operations[name]
        for _ in range(1000):
            operation()
        before = resident()
        for _ in range(int(cycles)):
            operation()
        values[f"leak/{name}"] = (resident() - before) / 1024
    return values


SECTIONS = {
    "grant": grant,
    "query": query,
    "state": state,
    "apply": measure_apply,
    "run": run_commands,
    "memory": memory,
    "leak": leak,
}

if __name__ == "__main__":
    print(json.dumps(SECTIONS[sys.argv[1]](Tree(Path(sys.argv[2])), float(sys.argv[3]))))
