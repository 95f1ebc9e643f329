# SPDX-License-Identifier: Apache-2.0
"""Runs a tool call of an agent: one folder, no network, a deadline, and nothing left behind.

This program is not bound by any of that, and can run as many commands as it likes.
"""

import tempfile
from pathlib import Path

from nono_py import AccessMode, CapabilitySet, sandboxed_exec

# What was asked for is the first line.
TOOL_CALL = """
sort names.txt > sorted.txt && echo "sorted $(wc -l < sorted.txt) names"
cat ../secret.txt
(setsid sleep 1000 &) # to be there tomorrow
exit 3
"""


def system_caps() -> CapabilitySet:
    """What the programs of the system need."""
    caps = CapabilitySet()
    for directory in ("/usr", "/bin", "/lib", "/lib64", "/etc"):
        if Path(directory).exists():
            caps.allow_path(directory, AccessMode.READ)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    return caps


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        secret, project = Path(name, "secret.txt"), Path(name, "project")
        secret.write_text("the launch code\n")
        project.mkdir()
        (project / "names.txt").write_text("Grace\nAda\nEdsger\n")

        caps = system_caps()
        caps.allow_path(project, AccessMode.READ_WRITE)
        caps.block_network()
        result = sandboxed_exec(
            caps,
            ["sh", "-c", TOOL_CALL],
            cwd=str(project),
            env=[("PATH", "/usr/bin:/bin"), ("LC_ALL", "C")],
            timeout_secs=30,
            max_memory_bytes=256 << 20,
            max_output_bytes=10_000,
        )
        print("exit code:", result.exit_code)
        print("it wrote:", result.stdout.decode(), end="")
        print("it could not:", result.stderr.decode(), end="")
        print("its memory was limited by a", result.memory_limited_by)
        print("something is left of it:", result.leaves_survivors)
        print("sorted.txt:", " ".join((project / "sorted.txt").read_text().split()))


if __name__ == "__main__":
    main()
