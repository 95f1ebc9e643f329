# SPDX-License-Identifier: Apache-2.0
"""Where an act takes place: a project to work in, a secret beside it, and processes outside to be harmed.

The stage is a process of its own, which stays outside. The act runs in a child of it that is sandboxed at the moment
that the act chooses, or not at all.
"""

from __future__ import annotations

import ctypes
import errno
import os
import pickle
import secrets
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import nono_py

if TYPE_CHECKING:
    from containment.registry import Policy
    from nono_py import CapabilitySet

# What an act calls when it is ready to be sandboxed, with a set of its own, one to be made, or that of the policy.
Enter = Callable[..., None]
Act = Callable[[Enter], object]

SYSTEM = ("/usr", "/bin", "/lib", "/lib64", sys.base_prefix, sys.prefix)
SECONDS_FOR_AN_ACT = 10.0
# What the reason begins with then.
REFUSED = "refused: "
# How long to look for something that is not to come, such as a datagram: loopback delivers at once.
MOMENT = 0.1


class Unprovable(Exception):
    """The act cannot be tried here; the text says why."""


class Refused(Exception):
    """The sandbox was not put in force: the library raised."""


class End(NamedTuple):
    """How an act ended: what it brought, and in a word what stopped it."""

    loot: bytes
    stopped_by: str
    has_entered: bool
    is_broken: bool = False


def read(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        return file.read()


class Stage:
    def __init__(self, folder: Path, policy: Policy, contained: bool, library: Path | None) -> None:
        self.secret = secrets.token_hex(16).encode()
        self.folder, self.policy, self.contained = folder, policy, contained
        self.project, self.outside = folder / "project", folder / "outside"
        self.project.mkdir()
        self.outside.mkdir()
        self.secret_file = self.outside / "secret"
        self.secret_file.write_bytes(self.secret)
        self.secret_file.chmod(0o600)
        self.ends: list[End] = []
        self._library = library

    def capabilities(self, *paths: Path) -> CapabilitySet:
        """Return the set of the policy. `paths` are granted for reading and writing, instead of the project."""
        caps = nono_py.CapabilitySet()
        for name in (*SYSTEM, *self.policy.read):
            if os.path.isdir(name) and os.access(name, os.R_OK | os.X_OK):
                caps.allow_path(name, nono_py.AccessMode.READ)
        for path in paths or (self.project,):
            allow = caps.allow_path if path.is_dir() else caps.allow_file
            allow(str(path), nono_py.AccessMode.READ_WRITE)
        if not self.policy.network:
            caps.block_network()
        # The originals have nothing of the kind.
        if not self.policy.unix_sockets and hasattr(caps, "block_unix_sockets"):
            caps.block_unix_sockets()
        return caps

    @property
    def helper(self) -> ctypes.CDLL:
        """What cannot be done in Python: helper.c."""
        if self._library is None:
            raise Unprovable("there is no C compiler")
        return ctypes.CDLL(str(self._library), use_errno=True)

    def run(self, act: Act) -> bytes:
        """Run an act in a child, and return what it brought; nothing if it was stopped."""
        receiver, sender = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(receiver)
            self._perform(act, sender)
        os.close(sender)
        end = self._wait(child, receiver)
        os.close(receiver)
        self.ends.append(end)
        return end.loot

    def reads_secret(self, act: Act) -> bool:
        return self.run(act) == self.secret

    def _perform(self, act: Act, sender: int) -> NoReturn:
        has_entered = False

        def enter(caps: CapabilitySet | Callable[[], CapabilitySet] | None = None) -> None:
            nonlocal has_entered
            has_entered = True
            if self.contained:
                try:
                    nono_py.apply(caps() if callable(caps) else caps or self.capabilities())
                except (RuntimeError, ValueError) as error:
                    raise Refused(f"{REFUSED}{error}") from error

        def report(loot: bytes, stopped_by: str, is_broken: bool = False) -> None:
            os.write(sender, pickle.dumps(tuple(End(loot, stopped_by, has_entered, is_broken))))

        try:
            loot = act(enter)
            report(loot if isinstance(loot, bytes) else b"", "")
        except Refused as refusal:
            report(b"", str(refusal))
        except Unprovable as reason:
            report(b"", f"unprovable: {reason}")
        except OSError as error:
            report(b"", errno.errorcode.get(error.errno or 0, str(error)))
        except BaseException:
            report(b"", traceback.format_exc(), is_broken=True)
        os._exit(0)

    def _wait(self, child: int, receiver: int) -> End:
        """Return how the act ended, within bounds."""
        report = b""
        deadline = time.monotonic() + SECONDS_FOR_AN_ACT
        while select.select([receiver], [], [], max(0, deadline - time.monotonic()))[0]:
            chunk = os.read(receiver, 65536)
            report += chunk
            if not chunk:
                break
        else:
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if report:
            end = End(*pickle.loads(report))
            if end.stopped_by.startswith("unprovable: "):
                raise Unprovable(end.stopped_by.partition(": ")[2])
            return end
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return End(b"", signal.Signals(number).name if number else f"exit status {status}", True)

    @contextmanager
    def bystander(self, action: Callable[[], object]) -> Iterator[int]:
        """Run an action in another process outside, which then waits to be ended; yields its number."""
        child = os.fork()
        if child == 0:
            try:
                action()
                signal.pause()
            finally:
                os._exit(0)
        try:
            yield child
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
