# SPDX-License-Identifier: Apache-2.0
"""Where a program acts, and what can be seen afterwards.

Every act is judged by its effect - did the secret come out, is there a file, did the listener see a connection - and
never by what the program reports: an error can be misread or made up, an effect cannot.
"""

import os
import secrets
import shutil
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple, Optional

HERE = Path(__file__).resolve().parent


class Act(NamedTuple):
    title: str
    effect: str
    no_effect: str
    is_job: bool = False  # what the program is for: it must go on working


ACTS = [
    Act("does its job in the project", "report written", "no report", is_job=True),
    Act("reads a secret", "secret came out", "nothing came out"),
    Act("has cat read another one", "secret came out", "nothing came out"),
    Act("writes outside the project", "file appeared", "no file"),
    Act("runs a tool not granted", "tool ran", "tool did not run"),
    Act("connects to a server", "connection seen", "no connection"),
]


class Stage:
    """A project with everything that is none of its business around it.

    Each run gets a new one, with new secrets, so that no trace of an earlier run can be taken for one of this run.
    """

    def __init__(self, folder: Path) -> None:
        self.secret, self.other_secret = secrets.token_hex(16), secrets.token_hex(16)
        self.stray = folder / "stray.txt"
        self.project = folder / "project"
        self.project.mkdir(parents=True)
        (self.project / "notes.txt").write_text("one two three four five\n")
        self.script = Path(shutil.copy(HERE / "untrusted.py", self.project))
        (folder / "secret.txt").write_text(self.secret)
        (folder / "other.txt").write_text(self.other_secret)
        self.tool = folder / "tool"
        # The mark is left in the project, where writing is allowed: only running the tool is in question.
        self.tool.write_text("#!/bin/sh\necho I ran >tool-ran.txt\n")
        self.tool.chmod(0o755)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.arguments = [
            *map(str, (folder / "secret.txt", folder / "other.txt", self.stray, self.tool)),
            str(self.server.getsockname()[1]),
        ]

    def run(self, command: list[str], variables: Optional[dict[str, str]] = None) -> tuple[list[bool], str]:
        """Runs a program on this stage, once. Returns which of ACTS had their effect, and its stderr."""
        with self.server:
            done = subprocess.run(
                [*command, *self.arguments],
                cwd=self.project,
                env={**os.environ, **(variables or {})},
                capture_output=True,
                timeout=30,
            )
            connected = self._was_connected_to()
        taken = done.stdout + b"".join(path.read_bytes() for path in self.project.iterdir() if path.is_file())
        report = self.project / "report.txt"
        return [
            report.exists() and report.read_text() == "5 words\n",
            self.secret.encode() in taken,
            self.other_secret.encode() in taken,
            self.stray.exists(),
            (self.project / "tool-ran.txt").exists(),
            connected,
        ], done.stderr.decode(errors="replace").strip()

    def _was_connected_to(self) -> bool:
        """The kernel queues connections, so there is no need to accept while the program runs."""
        self.server.setblocking(False)
        try:
            self.server.accept()[0].close()
        except BlockingIOError:
            return False
        return True
