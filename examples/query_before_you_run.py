# SPDX-License-Identifier: Apache-2.0
"""Asks what a sandbox would allow, without applying it: to refuse a task early, or to tell the user what is missing.

The answers are those of the kernel. Links and `..` are followed, and a file that does not exist yet counts as a part
of the folder it would be created in.
"""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nono_py import AccessMode, CapabilitySet, QueryContext

if TYPE_CHECKING:  # the type of an answer, which is a plain dict
    from nono_py._nono_py import QueryResult

QUESTIONS = [
    (AccessMode.READ, "project/main.py"),
    (AccessMode.READ_WRITE, "project/build/new/file.o"),
    (AccessMode.READ, "manual/page.txt"),
    (AccessMode.WRITE, "manual/page.txt"),
    (AccessMode.READ, "secret.txt"),
    (AccessMode.READ, "project/../secret.txt"),
    (AccessMode.READ, "project/link-to-secret"),
]


def explain(answer: "QueryResult") -> str:
    if answer["status"] == "allowed":
        return f"allowed by {os.path.basename(answer['granted_path'])} [{answer['access']}]"
    if answer["reason"] == "insufficient_access":
        return f"denied: granted for {answer['granted']}, not for {answer['requested']}"
    return f"denied: {answer['reason']}"


def main() -> None:
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in ("project/main.py", "manual/page.txt", "secret.txt"):
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).touch()
        Path("project/link-to-secret").symlink_to("../secret.txt")

        caps = CapabilitySet()
        caps.allow_path("project", AccessMode.READ_WRITE)
        caps.allow_path("manual", AccessMode.READ)
        caps.block_network()

        context = QueryContext(caps)
        for mode, path in QUESTIONS:
            print(f"{mode!s:<10} {path:<25} {explain(context.query_path(path, mode))}")
        print(f"{'connect':<10} {'anywhere':<25} denied: {context.query_network()['reason']}")
        os.chdir(home)


if __name__ == "__main__":
    main()
