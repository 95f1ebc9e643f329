# SPDX-License-Identifier: Apache-2.0
"""Runs a script that nobody has read, as an agent does: with one project folder and no network.

The script runs in a child and the sandbox binds that child only, so this program keeps its own rights: it can look at
the result and clean up.
"""

import socket
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from nono_py import AccessMode, CapabilitySet, apply

# The first half is what was asked for, the second is not.
GENERATED = """
import socket, sys
from pathlib import Path

rows = [line.split(",") for line in Path("prices.csv").read_text().splitlines()]
Path("total.txt").write_text(str(sum(int(price) for _, price in rows)))
print("  script: total.txt written")

def steal():
    print("  script: I have", Path("../secret.txt").read_text())

def call_home():
    socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    print("  script: I am online")

for act in steal, call_home:
    try:
        act()
    except OSError as error:
        print(f"  script: {act.__name__}: {error.strerror}")
"""


def capabilities(project: Path) -> CapabilitySet:
    caps = CapabilitySet()
    caps.allow_path(project, AccessMode.READ_WRITE)
    # An interpreter reads its own installation and the libraries of the system. Nothing that is ours lives there.
    for place in (sys.prefix, sys.base_prefix, "/usr", "/bin", "/lib", "/lib64"):
        if Path(place).is_dir():
            caps.allow_path(place, AccessMode.READ)
    if Path("/etc/ld.so.cache").is_file():
        caps.allow_file("/etc/ld.so.cache", AccessMode.READ)
    caps.block_network()
    caps.deduplicate()
    return caps


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        secret = Path(folder, "secret.txt")
        secret.write_text("the launch code")
        project = Path(folder, "project")
        project.mkdir()
        (project / "prices.csv").write_text("apples,3\npears,4\n")
        (project / "generated.py").write_text(GENERATED)

        # If apply() raises, subprocess raises too and the script is never started.
        subprocess.run(
            [sys.executable, "generated.py", str(server.getsockname()[1])],
            cwd=project,
            preexec_fn=partial(apply, capabilities(project)),
            check=True,
        )

        print(f"The script did its job: the total is {(project / 'total.txt').read_text()}.")
        print(f"It got nothing else, and this program still can: {secret.read_text()!r} is readable here.")


if __name__ == "__main__":
    main()
