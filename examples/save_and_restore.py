# SPDX-License-Identifier: Apache-2.0
"""One process decides what another one may do: the decision travels as text, in an environment variable.

Started without that variable this program decides; started with it, by itself, it is the worker. The worker applies
what it is told before it does anything else.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from nono_py import AccessMode, CapabilitySet, SandboxState, apply

VARIABLE = "WORKER_SANDBOX"


def decide() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "inbox").mkdir()
        Path(folder, "inbox", "letter.txt").write_text("Dear worker, ...")
        Path(folder, "diary.txt").write_text("Dear diary, ...")

        caps = CapabilitySet()
        caps.allow_path(Path(folder, "inbox"), AccessMode.READ)
        caps.block_network()
        state = SandboxState.from_caps(caps)
        print(f"parent: the worker gets {len(caps.fs_capabilities())} folder and no network")

        environment = {**os.environ, VARIABLE: state.to_json()}
        subprocess.run([sys.executable, os.path.abspath(__file__)], cwd=folder, env=environment, check=True)


def work(text: str) -> None:
    # Every path is resolved again here. One that has since become a link to somewhere else is an error, not a grant.
    apply(SandboxState.from_json(text).to_caps())

    for path in ("inbox/letter.txt", "diary.txt"):
        try:
            with open(path, "rb") as file:
                print(f"worker: {path}: {file.read().decode()}")
        except PermissionError as error:
            print(f"worker: {path}: {error.strerror}")


if __name__ == "__main__":
    if VARIABLE in os.environ:
        work(os.environ[VARIABLE])
    else:
        decide()
