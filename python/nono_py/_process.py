# SPDX-License-Identifier: Apache-2.0
"""Process: a command that runs in a sandbox, in the manner of subprocess.Popen."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import IO, cast

from nono_py import _nono_py
from nono_py._results import TIMED_OUT, SpawnError, Status

PIECE = 65536


class Process:
    """A command that runs in a sandbox, with all that it starts. spawn() makes one.

    args, pid, stdin, stdout, stderr, returncode, poll(), wait(), communicate(), send_signal(), terminate(), kill() and
    `with` are those of subprocess.Popen; streams are binary. When the command ends, everything that it started ends
    with it. Losing the object ends the command too.
    """

    def __init__(self, handle: _nono_py.ProcessHandle, args: Sequence[object] | str | bytes) -> None:
        self.args = args
        self.returncode: int | None = None
        self._handle = handle
        self._status = Status(handle.wait(0))
        self.pid = self._status.pid
        self.stdin = cast("IO[bytes] | None", self._open(0, "wb"))
        self.stdout = cast("IO[bytes] | None", self._open(1, "rb"))
        self.stderr = cast("IO[bytes] | None", self._open(2, "rb"))
        self._fed = memoryview(b"")
        self._pieces: dict[int, list[bytes]] = {1: [], 2: []}
        self._is_talking = False

    def _open(self, stream: int, mode: str) -> object:
        descriptor = self._handle.take(stream)
        return None if descriptor < 0 else open(descriptor, mode)

    def __repr__(self) -> str:
        return f"<Process: returncode: {self.returncode} args: {self.args!r}>"

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the pipes and wait. After an exception the command is ended first."""
        if kind is not None:
            self.kill()
        try:
            for stream in (self.stdout, self.stderr, self.stdin):
                if stream is not None:
                    stream.close()
        finally:
            self.wait()

    def fileno(self) -> int:
        """A descriptor that polls as readable when the command has ended. Not to be read or closed."""
        return self._handle.fileno()

    @property
    def status(self) -> Status:
        """All that is known of the command: why it ended, which limits were in force, what was left open."""
        return self._status

    def _settle(self) -> int | None:
        if self._status.has_ended and self.returncode is None:
            self.returncode = self._status.exit_code
        return self.returncode

    def poll(self) -> int | None:
        """The return code if the command has ended with all that it started, and None otherwise."""
        if not self._status.has_ended:
            self._status = Status(self._handle.wait(0))
        return self._settle()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raise subprocess.TimeoutExpired, and end nothing, if it does not come in time."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            left = -1
            if deadline is not None:
                left = max(0, int((deadline - time.monotonic()) * 1e9))
                if left == 0:
                    raise subprocess.TimeoutExpired(cast("Sequence[str]", self.args), cast("float", timeout))
            self._status = Status(self._handle.wait(left))
        return cast("int", self.returncode)

    @property
    def timed_out(self) -> bool:
        """Whether it was ended because its timeout_secs were over."""
        return self._status.has_ended and self._status.cause == TIMED_OUT

    def send_signal(self, number: int) -> None:
        """Send a signal to the command itself; nothing happens if it has ended."""
        if self.poll() is None:
            try:
                self._handle.signal(number)
            except SpawnError:
                # It ended in between.
                pass

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the command and everything that it started."""
        if self.poll() is None:
            self._handle.kill()

    def communicate(
        self, input: bytes | None = None, timeout: float | None = None
    ) -> tuple[bytes | None, bytes | None]:
        """Feed standard input, read both outputs to their end, wait; return what was read.

        Raises subprocess.TimeoutExpired if that does not come in time. Nothing is lost then: call it again.
        """
        if self._is_talking and input:
            raise ValueError("Cannot send input after starting communication")
        if not self._is_talking:
            self._fed = memoryview(input or b"")
        self._is_talking = True
        deadline = None if timeout is None else time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            self._register(selector)
            while not self._status.has_ended:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise subprocess.TimeoutExpired(cast("Sequence[str]", self.args), cast("float", timeout))
                for key, _ in selector.select(left):
                    self._serve(selector, key.data)
                self.poll()
        for number, stream in ((1, self.stdout), (2, self.stderr)):
            self._drain(number, stream)
        return self._output(1, self.stdout), self._output(2, self.stderr)

    def _register(self, selector: selectors.BaseSelector) -> None:
        selector.register(self._handle.fileno(), selectors.EVENT_READ, -1)
        if self.stdin is not None and not self.stdin.closed:
            self.stdin.flush()
            if self._fed:
                os.set_blocking(self.stdin.fileno(), False)
                selector.register(self.stdin, selectors.EVENT_WRITE, 0)
            else:
                self.stdin.close()
        for number, stream in ((1, self.stdout), (2, self.stderr)):
            if stream is not None and not stream.closed:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, number)

    def _serve(self, selector: selectors.BaseSelector, number: int) -> None:
        if number == 0 and self.stdin is not None:
            try:
                self._fed = self._fed[os.write(self.stdin.fileno(), self._fed[:PIECE]) :]
            except BrokenPipeError:
                self._fed = self._fed[:0]
            except BlockingIOError:
                return
            if not self._fed:
                selector.unregister(self.stdin)
                self.stdin.close()
        elif number > 0:
            stream = cast("IO[bytes]", self.stdout if number == 1 else self.stderr)
            piece = stream.read(PIECE)
            if piece:
                self._pieces[number].append(piece)
            elif piece is not None:
                selector.unregister(stream)

    def _drain(self, number: int, stream: IO[bytes] | None) -> None:
        """What is there, and no more: somebody outside may have been handed the other end."""
        if stream is None or stream.closed:
            return
        piece = stream.read(1 << 20)
        if piece:
            self._pieces[number].append(piece)
        stream.close()

    def _output(self, number: int, stream: IO[bytes] | None) -> bytes | None:
        return None if stream is None else b"".join(self._pieces[number])


Process.__module__ = "nono_py"
