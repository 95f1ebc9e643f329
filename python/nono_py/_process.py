# SPDX-License-Identifier: Apache-2.0
"""Process: a command that runs in a sandbox, in the manner of subprocess.Popen."""

from __future__ import annotations

import contextlib
import io
import os
import selectors
import signal
import subprocess
import time
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import cast

from nono_py import _nono_py
from nono_py._options import Text
from nono_py._pipes import PIECE, Feed, readable, take
from nono_py._results import TIMED_OUT, Status

LONGEST_WAIT = 1 << 31  # seconds


class Process:
    """A command that runs in a sandbox, with all that it starts. spawn() makes one.

    args, pid, stdin, stdout, stderr, returncode, poll(), wait(), communicate(), send_signal(), terminate(), kill() and
    `with` are those of subprocess.Popen; streams are binary. When the command ends, everything that it started ends
    with it. Losing the object ends the command too.
    """

    def __init__(self, handle: _nono_py.ProcessHandle, args: Sequence[Text]) -> None:
        self.args = args
        self.returncode: int | None = None
        self._handle: _nono_py.ProcessHandle | None = handle
        self._owner = os.getpid()
        self._status = Status(handle.wait(0))
        self.pid = self._status.pid
        self.stdin = _writer(take(handle, 0))
        self.stdout = _reader(take(handle, 1))
        self.stderr = _reader(take(handle, 2))
        self._feed: Feed | None = None
        self._pieces: dict[int, list[bytes]] = {1: [], 2: []}
        self._is_talking = False

    def __repr__(self) -> str:
        return f"<Process: returncode: {self.returncode} args: {self.args!r}>"

    def __del__(self) -> None:
        # It is not ended by a forked child.
        if getattr(self, "_handle", None) is not None and self._owner == os.getpid() and self.poll() is None:
            warnings.warn(f"command {self.pid} is still running, and is ended", ResourceWarning, 2, self)

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the pipes and wait. After an exception the command is ended first."""
        if kind is not None:
            self.kill()
        try:
            for stream in (self.stdout, self.stderr):
                if stream is not None:
                    stream.close()
            if self.stdin is not None:
                self._close_stdin(self.stdin)
        finally:
            self.wait()

    def fileno(self) -> int:
        """A descriptor that polls as readable when the command has ended. Not to be read or closed.

        -1 once poll(), wait() or communicate() has told the end: it is closed then.
        """
        return -1 if self._handle is None else self._handle.fileno()

    @property
    def status(self) -> Status:
        """All that is known of the command: why it ended, which limits were in force, what was left open."""
        return self._status

    def _update(self, timeout_ns: int) -> None:
        """Wait so long, and note the end."""
        handle = self._handle
        if handle is None:
            return
        status = Status(handle.wait(timeout_ns))
        # Another thread may have noted the end.
        if not self._status.has_ended:
            self._status = status
        if status.has_ended:
            self.returncode = status.exit_code
            self._handle = None  # and with it its descriptors

    def poll(self) -> int | None:
        """The return code if the command has ended with all that it started, and None otherwise."""
        self._update(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raise subprocess.TimeoutExpired, and end nothing, if it does not come in time."""
        deadline = None if timeout is None else time.monotonic() + timeout
        self._update(0)
        while self.returncode is None:
            left = self._left(deadline, timeout)
            self._update(-1 if left is None else int(left * 1e9))
        return self.returncode

    def _left(self, deadline: float | None, timeout: float | None) -> float | None:
        """Seconds until the deadline; raises when it is past."""
        left = None if deadline is None else deadline - time.monotonic()
        if left is None or left > LONGEST_WAIT:
            return None
        if left <= 0:
            output, error = (b"".join(self._pieces[number]) or None for number in (1, 2))
            raise subprocess.TimeoutExpired(cast("Sequence[str]", self.args), cast("float", timeout), output, error)
        return left

    @property
    def timed_out(self) -> bool:
        """Whether it was ended because its timeout_secs were over."""
        return self._status.has_ended and self._status.cause == TIMED_OUT

    def send_signal(self, number: int) -> None:
        """Send a signal to the command itself; nothing happens if it has ended."""
        if self._handle is not None:
            self._handle.signal(number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the command and everything that it started."""
        if self._handle is not None:
            self._handle.kill()

    def communicate(
        self, input: bytes | None = None, timeout: float | None = None
    ) -> tuple[bytes | None, bytes | None]:
        """Feed standard input, read both outputs to their end, wait; return what was read.

        Raises subprocess.TimeoutExpired if that does not come in time. Nothing is lost then: call it again.
        """
        if self._is_talking and input:
            raise ValueError("Cannot send input after starting communication")
        deadline = None if timeout is None else time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            if self._handle is not None:
                self._register(selector, self._handle.fileno(), input or b"")
            while self.poll() is None:
                for key, _ in selector.select(self._left(deadline, timeout)):
                    self._serve(selector, key.data)
        if self.stdin is not None:
            self._close_stdin(self.stdin)
        return self._finish(1, self.stdout), self._finish(2, self.stderr)

    def _register(self, selector: selectors.BaseSelector, handle: int, input: bytes) -> None:
        selector.register(handle, selectors.EVENT_READ, -1)
        if self.stdin is not None and not self.stdin.closed:
            if not self._is_talking:
                with contextlib.suppress(BrokenPipeError):
                    self.stdin.flush()
                self._feed = Feed(self.stdin.fileno(), input)
            selector.register(self.stdin, selectors.EVENT_WRITE, 0)
        self._is_talking = True
        for number, stream in ((1, self.stdout), (2, self.stderr)):
            if stream is not None and not stream.closed:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, number)

    def _serve(self, selector: selectors.BaseSelector, number: int) -> None:
        if number == 0 and self.stdin is not None:
            if self._feed is None or self._feed.write():
                selector.unregister(self.stdin)
                self._close_stdin(self.stdin)
        elif number > 0:
            stream = cast("io.BufferedReader", self.stdout if number == 1 else self.stderr)
            piece = stream.read(PIECE)
            if piece:
                self._pieces[number].append(piece)
            elif piece is not None:
                selector.unregister(stream)

    @staticmethod
    def _close_stdin(stdin: io.BufferedWriter) -> None:
        with contextlib.suppress(BrokenPipeError):
            stdin.close()

    def _finish(self, number: int, stream: io.BufferedReader | None) -> bytes | None:
        """All that came. What is in the pipe now is the rest, though a process outside may hold its other end."""
        if stream is None:
            return None
        if not stream.closed:
            # What is buffered comes out first; peek() may move more of the pipe there.
            size = len(stream.peek()) + readable(stream.fileno())
            self._pieces[number].append(stream.read(size) or b"")
            stream.close()
        return b"".join(self._pieces[number])


def _writer(descriptor: int | None) -> io.BufferedWriter | None:
    return None if descriptor is None else open(descriptor, "wb")


def _reader(descriptor: int | None) -> io.BufferedReader | None:
    return None if descriptor is None else open(descriptor, "rb")


Process.__module__ = "nono_py"
