# SPDX-License-Identifier: Apache-2.0
"""What an import costs a new interpreter: all it takes, less what an interpreter takes that imports nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import subjects

BARE = "pass"
IMPORT = "import nono_py"
# From within: the import alone.
INSIDE = """
import time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])
resident()
before, start = resident(), time.perf_counter_ns()
import nono_py
elapsed = time.perf_counter_ns() - start
print(elapsed / 1e6, (resident() - before) * 4)
"""


def spawn(python: Path, code: str) -> tuple[float, float]:
    """Wall and processor time of an interpreter, in milliseconds."""
    start = time.perf_counter_ns()
    child = os.posix_spawn(python, (str(python), "-I", "-c", code), os.environ)
    _, status, usage = os.wait4(child, 0)
    elapsed = (time.perf_counter_ns() - start) / 1e6
    if status != 0:
        raise RuntimeError(f"{python}: status {status}")
    return elapsed, (usage.ru_utime + usage.ru_stime) * 1e3


def count_calls(python: Path, code: str) -> int:
    with tempfile.NamedTemporaryFile("r") as trace:
        subprocess.run(("strace", "-f", "-o", trace.name, python, "-I", "-c", code), check=True)
        return len(trace.readlines())


def measure(name: str, count: int) -> dict[str, float]:
    """The least of so many interpreters with and without the import, in turns: what disturbs one only adds time."""
    python = subjects.PYTHONS[name]
    bare, loaded = [], []
    for _ in range(count):
        bare.append(spawn(python, BARE))
        loaded.append(spawn(python, IMPORT))
    inside = [
        [float(word) for word in subjects.run((python, "-I", "-c", INSIDE)).split()] for _ in range(max(3, count // 3))
    ]
    values = {
        "import/wall": min(wall for wall, _ in loaded) - min(wall for wall, _ in bare),
        "import/cpu": min(cpu for _, cpu in loaded) - min(cpu for _, cpu in bare),
        "import/inside": min(elapsed for elapsed, _ in inside),
        "import/rss": min(resident for _, resident in inside),
    }
    if shutil.which("strace") is not None:
        values["import/calls"] = count_calls(python, IMPORT) - count_calls(python, BARE)
    return values
