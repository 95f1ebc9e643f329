# SPDX-License-Identifier: Apache-2.0
"""What is measured, and what it may cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree import LONG, RULES, SHORT, SIZES

OURS = "ours"
ORIGINALS = ("0.4.0", "0.16.0")
FLOOR = "floor"
SUBJECTS = (OURS, *ORIGINALS, FLOOR)


@dataclass(frozen=True)
class Budget:
    """Ours may be at most `limit` times another subject's value, or `limit` itself if that is empty."""

    limit: float
    of: str = ""


@dataclass(frozen=True)
class Row:
    """`derived` is made of the values of other rows in the same round: (first - second) / divisor or first / second."""

    key: str
    title: str
    unit: str
    budgets: tuple[Budget, ...] = ()
    ratio_of: tuple[str, str] = ("", "")
    difference_of: tuple[str, str, float] = ("", "", 1.0)


@dataclass(frozen=True)
class Section:
    """Rows that one run of a worker measures together."""

    name: str
    title: str
    rows: tuple[Row, ...]


def floor(limit: float) -> tuple[Budget, ...]:
    return (Budget(limit, FLOOR),)


def originals(limit: float) -> tuple[Budget, ...]:
    return tuple(Budget(limit, name) for name in ORIGINALS)


def import_rows() -> Iterator[Row]:
    as_small = (Budget(1.0, "0.4.0"), Budget(0.01, "0.16.0"))
    yield Row("import/wall", "import, a new interpreter less a bare one", "ms", as_small)
    yield Row("import/cpu", "the same, processor time", "ms", as_small)
    yield Row("import/inside", "import, as the interpreter sees it", "ms")
    yield Row("import/rss", "resident memory", "KiB", (Budget(1.0, "0.4.0"),))
    yield Row("import/calls", "system calls", "", (Budget(1.0, "0.4.0"),))


def grant_rows() -> Iterator[Row]:
    titles = {
        "allow_path/one": "allow_path, 1 component",
        "allow_path/short": "allow_path, a short path",
        "allow_path/long": f"allow_path, {LONG} components",
        "allow_file/short": "allow_file, a short path",
        "allow_file/long": f"allow_file, {LONG} components",
        "allow_path/short-link": "allow_path, a link",
        "allow_path/long-link": f"allow_path, {LONG} components, the first ones a link",
    }
    for key, title in titles.items():
        yield Row(key, title, "us", floor(1.5))


def query_rows() -> Iterator[Row]:
    titles = {
        "first": "the first grant",
        "last": "the last grant",
        "miss": "no grant",
        "existing": f"{SHORT} components, no grant",
        "missing": f"{SHORT} components and {LONG - SHORT} missing ones below",
    }
    smallest, largest = SIZES[0], SIZES[-1]
    for method in ("query_path", "path_covered"):
        for question, title in titles.items():
            for size in SIZES if question != "existing" else SIZES[:1]:
                yield Row(f"{method}/{question}/{size}", f"{method}, {title}, {size} grants", "us", floor(1.5))
            if question == "existing":
                continue
            both = (f"{method}/{question}/{largest}", f"{method}/{question}/{smallest}")
            yield Row(
                f"{method}/{question}/flat", f"{method}, {title}: {largest} / {smallest}", "x", (Budget(1.2),), both
            )
        if method == "query_path":
            yield Row("query_path/c", f"query_path, the last grant, {largest} grants, from C", "us", floor(1.5))
        both = (f"{method}/missing/{smallest}", f"{method}/existing/{smallest}")
        yield Row(f"{method}/missing/existing", f"{method}: missing / existing part", "x", (Budget(1.0),), both)
    for size in SIZES:
        yield Row(f"QueryContext/{size}", f"QueryContext(caps), {size} grants", "us", originals(1.0))
    both = (f"QueryContext/{largest}", f"QueryContext/{smallest}")
    yield Row("QueryContext/flat", f"QueryContext(caps): {largest} / {smallest}", "x", (Budget(1.2),), both)
    for size in (1, *SIZES):
        yield Row(f"fs_capabilities/{size}", f"fs_capabilities(), {size} grants", "us", originals(1.0))
    yield Row("query_network", "query_network()", "us", originals(1.0))
    yield Row("repr", f"repr(caps), {largest} grants", "us", originals(1.0))


def state_rows() -> Iterator[Row]:
    size = SIZES[-1]
    for method in ("from_caps", "to_json", "from_json", "to_caps"):
        yield Row(f"state/{method}", f"SandboxState.{method}, {size} grants", "us", originals(1.0))
    yield Row("deduplicate/unique", f"deduplicate(), {size} different grants", "us", originals(0.5))
    yield Row("deduplicate/same", f"deduplicate(), {size} equal grants", "us", originals(0.5))


THREADS = (1, 2, 4, 50)


def difference(key: str, title: str, more: str, less: str, divisor: float, budgets: tuple[Budget, ...] = ()) -> Row:
    return Row(key, title, "us", budgets, difference_of=(more, less, divisor))


def apply_rows() -> Iterator[Row]:
    for rules in RULES:
        title = f"apply, {rules} rule{'s' if rules != 1 else ''}"
        yield Row(f"apply/{rules}", title, "us", floor(1.15))
        yield Row(f"apply/c/{rules}", f"{title}, from C", "us", floor(1.15))
    yield Row("apply/nothing", "is_supported(), for comparison", "us")
    for threads in THREADS[1:]:
        yield Row(f"apply/threads/{threads}", f"apply, 10 rules, {threads} threads", "us")
    few, many = (f"apply/threads/{threads}" for threads in THREADS[2:])
    for threads, row in zip(THREADS[2:], (few, many)):
        title = f"each more thread, of {threads}"
        yield difference(f"apply/thread/{threads}", title, row, "apply/10", threads - 1.0, (Budget(30.0),))
    yield difference("apply/thread/first", "the first other thread", "apply/threads/2", "apply/10", 1.0)
    yield difference("apply/thread/next", "each more thread, from 4 to 50", many, few, 46.0)
    yield Row("apply/kept/4", "apply that keeps capabilities, 4 threads", "us")
    yield Row("apply/kept/50", "apply that keeps capabilities, 50 threads", "us")
    title = "each more thread that keeps capabilities, from 4 to 50"
    yield difference("apply/thread/kept", title, "apply/kept/50", "apply/kept/4", 46.0)


# Mebibytes that the caller has touched, and rules, where commands are run.
LARGE = 512
RUN_RULES = (10, 1000)
PREPARED_RULES = (1, 10, 1000, 10000)


def run_rows() -> Iterator[Row]:
    for rules in RUN_RULES:
        yield Row(f"run/{rules}", f"run /bin/true, {rules} rules", "us", floor(1.3))
    yield Row("run/c", "run /bin/true, 10 rules, from C", "us", floor(1.3))
    yield Row("run/c/one", "the same, all of it on one processor", "us", floor(1.3))
    yield Row("run/timeout", "run /bin/true, 10 rules and a timeout", "us", floor(1.3))
    yield Row("run/large", f"the same with 10 rules, the caller has {LARGE} MiB", "us", floor(1.3))
    for rules in PREPARED_RULES:
        yield Row(f"run/prepared/{rules}", f"in a prepared sandbox, {rules} rules", "us", floor(1.3))
    few, many = (f"run/prepared/{PREPARED_RULES[end]}" for end in (0, -1))
    title = f"in a prepared sandbox: {PREPARED_RULES[-1]} / {PREPARED_RULES[0]} rules"
    yield Row("run/prepared/flat", title, "x", (Budget(1.2),), (many, few))


def memory_rows() -> Iterator[Row]:
    yield Row("memory/grant", "a grant, less the text of its path", "B", (Budget(200.0),))
    for row, title in (("to_caps", "SandboxState.to_caps()"), ("apply", "apply()")):
        yield Row(f"stall/{row}", f"another thread stands still during {title}, 10000 grants", "%", (Budget(50.0),))
    yield Row("size/library", "libnono.so", "KB", (Budget(400.0),))
    yield Row("size/package", "all libraries of the package", "KB")


def leak_rows() -> Iterator[Row]:
    for key in LEAKS:
        yield Row(f"leak/{key}", f"{key}, growth", "KiB", (Budget(64.0),))


# What is made and dropped over and over; see worker.py.
LEAKS = (
    "CapabilitySet",
    "allow_path",
    "FsCapability",
    "CapabilitySource",
    "QueryContext",
    "query_path",
    "query_network",
    "SandboxState.from_caps",
    "SandboxState.from_json",
    "to_json",
    "to_caps",
    "SupportInfo",
    "error",
)

SECTIONS = (
    Section("import", "Import", tuple(import_rows())),
    Section("grant", "Granting", tuple(grant_rows())),
    Section("query", "Asking", tuple(query_rows())),
    Section("state", "Saved states", tuple(state_rows())),
    Section("apply", "Applying", tuple(apply_rows())),
    Section("run", "Running a command", tuple(run_rows())),
    Section("memory", "Memory and threads", tuple(memory_rows())),
    Section("leak", "A million times made and dropped", tuple(leak_rows())),
)
