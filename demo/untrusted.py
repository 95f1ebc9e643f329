# SPDX-License-Identifier: Apache-2.0
"""Code that nobody has read: does everything that it can, and then its job in the project.

usage, in the project: untrusted.py SECRET OTHER_SECRET STRAY_FILE TOOL PORT
It reports to nobody how it went; the demo looks at what has happened. The job comes last, so that a job done also tells
that everything else was tried.
"""

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

secret, other_secret, stray_file, tool, port = sys.argv[1:]


def read_a_secret() -> None:
    print(Path(secret).read_text())


def have_cat_read_a_secret() -> None:
    subprocess.run(["cat", other_secret], check=False)


def write_outside() -> None:
    Path(stray_file).write_text("I was here\n")


def run_a_tool() -> None:
    subprocess.run([tool], check=False)


def connect() -> None:
    socket.create_connection(("127.0.0.1", int(port)), timeout=5).close()


def do_the_job() -> None:
    words = Path("notes.txt").read_text().split()
    Path("report.txt").write_text(f"{len(words)} words\n")


for act in (read_a_secret, have_cat_read_a_secret, write_outside, run_a_tool, connect, do_the_job):
    with contextlib.suppress(OSError):  # one that fails does not keep it from trying the next
        act()
