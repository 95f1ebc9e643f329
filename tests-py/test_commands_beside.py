# SPDX-License-Identifier: Apache-2.0
"""sandboxed_exec() beside that of nono_py 0.16.0: every call of compare/command_probe.py ends alike under both.

What differs is listed here, each with its entry in docs/differences.md, and must differ.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from commands import new_mark, system_caps
from containment.implementations import ROOT, original

import nono_py

pytestmark = pytest.mark.usefixtures("sandbox")

PROBE = ROOT / "tests-py" / "compare" / "command_probe.py"
DOCUMENT = ROOT / "docs" / "differences.md"

# What a call looks like, and the entry that explains how it ends.
DIFFERENCES = {
    "[b'true'] {}": "command-types",
    "['pwd'] {'cwd': b'/usr'}": "command-types",
    "['env'] {'env': {}}": "command-types",
    "['true'] {'timeout_secs': inf}": "long-timeouts",
    "['true'] {'timeout_secs': 1e+30}": "long-timeouts",
    "['dd', 'if=/dev/zero', 'of=granted/big', 'bs=1000', 'count=10', 'status=none'] {'max_file_size_bytes': 4096}": (
        "command-signals"
    ),
    "['cat', 'secret/file'] {'env': [('LC_ALL', 'C')]}": "names-in-words",
    "['sh', '-c', 'echo x > secret/new'] {}": "names-in-words",
}
if os.geteuid() == 0:
    # The directory of a test is root's alone.
    for _gid in (None, 54322):
        DIFFERENCES[f"['sh', '-c', 'id -u; id -g; id -G'] {{'uid': 54321, 'gid': {_gid}}}"] = "grants-of-the-caller"


# What shows only in what happens: the entry, a script, and what it prints under the original and under ours.
PRELUDE = """
import os, signal, subprocess, sys, threading, time
import nono_py
caps = nono_py.CapabilitySet()
for directory in ("/usr", "/etc", "/proc", "/lib", "/lib64", "/bin"):
    if os.path.exists(directory):
        caps.allow_path(directory, nono_py.AccessMode.READ)
caps.allow_file("/dev/null", nono_py.AccessMode.READ_WRITE)
def run(script, **options):
    return nono_py.sandboxed_exec(caps, ["sh", "-c", script], **options)
def running():
    return subprocess.run(["pgrep", "-xf", "sleep " + mark], stdout=subprocess.DEVNULL).returncode == 0
mark = sys.argv[1]
started = time.monotonic()
"""
CONTRASTS = {
    "background-processes": (
        "run('sleep 3 & echo done', timeout_secs=1); print(time.monotonic() - started < 2.5)",
        "False",
        "True",
    ),
    "nothing-survives": (
        "run('setsid sleep ' + mark + ' >/dev/null 2>&1 & sleep 5', timeout_secs=0.5); print(running())",
        "True",
        "False",
    ),
    "any-threads": (
        """
        event = threading.Event()
        threads = [threading.Thread(target=event.wait) for _ in range(40)]
        for thread in threads: thread.start()
        try:
            print(run("echo x").stdout)
        except RuntimeError as error:
            print(error)
        event.set()
        """,
        "Too many threads (41) for safe fork. Reduce thread count before calling sandboxed_exec.",
        "b'x\\n'",
    ),
    "interrupts": (
        """
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            run("sleep 3")
        except KeyboardInterrupt:
            print(time.monotonic() - started < 2.5)
        """,
        "False",
        "True",
    ),
    "own-session": ("print(int(run('cut -d\" \" -f6 /proc/$$/stat').stdout) == os.getsid(0))", "True", "False"),
    "command-signals": (
        # SIGPIPE and SIGXFSZ, and not what whoever started this ignores besides.
        "print(bool(int(run('grep SigIgn /proc/self/status').stdout.split()[1], 16) & (1 << 12 | 1 << 24)))",
        "True",
        "False",
    ),
    "same-sandbox": (
        """
        caps.block_network()
        script = "exec 3<>/dev/udp/127.0.0.1/9 && echo open"
        print(nono_py.sandboxed_exec(caps, ["bash", "-c", script]).stdout)
        """,
        "b'open\\n'",
        "b''",
    ),
    "block-lists": (
        """
        try:
            caps.block_command("true")
            print(run("exit 0"), nono_py.sandboxed_exec(caps, ["true"]))
        except (AttributeError, PermissionError) as error:
            print(type(error).__name__)
        """,
        "AttributeError",
        "PermissionError",
    ),
    "process-limits": (
        """
        result = run("for i in 1 2 3 4 5 6 7 8; do sleep 0.2 & done; wait; exit 0", max_processes=4)
        print(result.exit_code)
        """,
        "0",
        "2",
    ),
}


def endings(python: str | Path, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    done = subprocess.run([python, PROBE], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {call: without_wording(ending) for call, ending in lines}


def without_wording(ending: list[str]) -> list[str]:
    """Errors of type have a wording of their own."""
    return ending[:2] if ending[:2] == ["raised", "TypeError"] else ending


def test_every_call_ends_alike(tmp_path: Path) -> None:
    python = original("0.16.0")
    if python is None:
        pytest.skip("nono_py 0.16.0 cannot be installed")
    # The same path, as it is in what they print.
    theirs = endings(python, tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    ours = endings(sys.executable, tmp_path / "here")
    assert len(theirs) > 100
    differing = {call: (theirs[call], ours[call]) for call in theirs if theirs[call] != ours[call]}
    assert {call: both for call, both in differing.items() if call not in DIFFERENCES} == {}
    assert differing.keys() == DIFFERENCES.keys()


@pytest.mark.parametrize("entry", CONTRASTS)
def test_what_happens_differs(entry: str) -> None:
    python = original("0.16.0")
    if python is None:
        pytest.skip("nono_py 0.16.0 cannot be installed")
    code, theirs, ours = CONTRASTS[entry]
    script = PRELUDE + textwrap.dedent(code)
    if entry == "process-limits" and "cgroup" not in means_of_limits():
        pytest.skip("no control group can be made here")
    outputs = []
    for each in (python, sys.executable):
        mark = new_mark()
        done = subprocess.run([each, "-c", script, mark], capture_output=True, text=True, timeout=60)
        subprocess.run(["pkill", "-KILL", "-xf", f"sleep {mark}"], check=False)
        outputs.append(done.stdout.strip())
    assert outputs == [theirs, ours]


def means_of_limits() -> str:
    try:
        return str(nono_py.sandboxed_exec(system_caps(), ["true"], max_processes=100).processes_limited_by)
    except RuntimeError:
        return ""


def test_differences_are_documented() -> None:
    section = DOCUMENT.read_text(encoding="utf-8").split("## Running commands\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"^- `([a-z-]+)`: ", section, re.MULTILINE))
    assert documented == ({*DIFFERENCES.values(), "grants-of-the-caller"} - {"names-in-words"}) | CONTRASTS.keys()
