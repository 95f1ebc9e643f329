# SPDX-License-Identifier: Apache-2.0
"""AsyncProcess: a command that an event loop watches, in the manner of asyncio.subprocess.Process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import warnings
import weakref
from collections.abc import Callable, Sequence

from nono_py import _nono_py
from nono_py._options import Text
from nono_py._pipes import PIECE, readable, take
from nono_py._results import TIMED_OUT, Status


class WatchedPipe(asyncio.ReadTransport):
    """Our end of an output of a command: hands on what comes."""

    def __init__(self, descriptor: int, receive: Callable[[bytes], object]) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._receive = receive
        self._is_paused = True
        self.at_end: Callable[[], object] = lambda: None
        os.set_blocking(descriptor, False)
        self.resume_reading()

    def __del__(self) -> None:
        # A loop that watches it has a reference.
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _read(self, size: int = PIECE) -> int:
        try:
            piece = os.read(self._descriptor, size)
        except BlockingIOError:
            return 0
        if piece:
            self._receive(piece)
        else:
            self.close()
        return len(piece)

    def finish(self) -> None:
        """Hand on what is in the pipe, and close it: the command has ended, and nothing else belongs to it."""
        left = 0 if self._descriptor < 0 else readable(self._descriptor)
        while left > 0:
            size = self._read(min(left, PIECE))
            left = left - size if size > 0 else 0
        self.close()

    def is_reading(self) -> bool:
        return not self._is_paused and self._descriptor >= 0

    def pause_reading(self) -> None:
        if self.is_reading():
            self._loop.remove_reader(self._descriptor)
        self._is_paused = True

    def resume_reading(self) -> None:
        if self._is_paused and self._descriptor >= 0:
            self._loop.add_reader(self._descriptor, self._read)
        self._is_paused = False

    def is_closing(self) -> bool:
        return self._descriptor < 0

    def close(self) -> None:
        if self._descriptor >= 0:
            self.pause_reading()
            os.close(self._descriptor)
            self._descriptor = -1
            self.at_end()


class Watch:
    """A command in an event loop, which notices its end. Losing the object ends the command."""

    def __init__(self, handle: _nono_py.ProcessHandle, pipes: Sequence[WatchedPipe]) -> None:
        self._handle: _nono_py.ProcessHandle | None = handle
        self.status = Status(handle.wait(0))
        self._pipes = pipes
        self._owner = os.getpid()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(handle.fileno(), _notice, weakref.ref(self))

    def __del__(self) -> None:
        # In a forked child the loop's selector is the parent's.
        if self.is_ours() and not self._loop.is_closed():
            if self._handle is not None:
                self._loop.remove_reader(self._handle.fileno())
            for pipe in self._pipes:
                pipe.close()

    def is_ours(self) -> bool:
        """Whether this process started the command, and is no forked child of that one."""
        return self._owner == os.getpid()

    def notice(self) -> None:
        if self._handle is None:
            return
        self.status = Status(self._handle.wait(0))
        if self.status.has_ended:
            self._loop.remove_reader(self._handle.fileno())
            self._handle = None  # and with it its descriptors
            for pipe in self._pipes:
                pipe.finish()
            self._ended.set_result(None)

    def signal(self, number: int) -> None:
        if self._handle is not None:
            self._handle.signal(number)

    def kill(self) -> None:
        if self._handle is not None:
            self._handle.kill()

    async def wait(self) -> None:
        """Cancelling it ends nothing."""
        await asyncio.shield(self._ended)


def _notice(reference: weakref.ref[Watch]) -> None:
    watch = reference()
    if watch is not None:
        watch.notice()


class AsyncProcess:
    """A command that runs in a sandbox, in the manner of asyncio.subprocess.Process. spawn_async() makes one.

    stdin is an asyncio.StreamWriter, stdout and stderr are asyncio.StreamReader, for those that are pipes. When the
    command ends, everything that it started ends with it. Losing the object ends the command too.
    """

    def __init__(self, handle: _nono_py.ProcessHandle, args: Sequence[Text]) -> None:
        self.args = args
        self.stdin: asyncio.StreamWriter | None = None
        self._stdin_descriptor = take(handle, 0)
        self.stdout, stdout = _reader(take(handle, 1))
        self.stderr, stderr = _reader(take(handle, 2))
        self._pipes = [pipe for pipe in (stdout, stderr) if pipe is not None]
        self._watch = Watch(handle, self._pipes)
        self.pid = self._watch.status.pid

    async def _connect(self) -> None:
        if self._stdin_descriptor is None:
            return
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=loop), loop=loop),
            os.fdopen(self._stdin_descriptor, "wb", 0),
        )
        self.stdin = asyncio.StreamWriter(transport, protocol, None, loop)

    def __repr__(self) -> str:
        return f"<AsyncProcess: returncode: {self.returncode} args: {self.args!r}>"

    def __del__(self) -> None:
        watch = getattr(self, "_watch", None)
        if watch is not None and watch.is_ours() and not watch.status.has_ended:
            warnings.warn(f"command {self.pid} is still running, and is ended", ResourceWarning, 2, self)

    @property
    def returncode(self) -> int | None:
        """The return code if the event loop has noticed the end, and None otherwise."""
        status = self._watch.status
        return status.exit_code if status.has_ended else None

    @property
    def status(self) -> Status:
        """All that is known of the command: why it ended, which limits were in force, what was left open."""
        return self._watch.status

    @property
    def timed_out(self) -> bool:
        """Whether it was ended because its timeout_secs were over."""
        return self.status.has_ended and self.status.cause == TIMED_OUT

    async def wait(self) -> int:
        """Wait for the end and return the return code. Cancelling the wait ends nothing."""
        await self._watch.wait()
        return self.status.exit_code

    def send_signal(self, number: int) -> None:
        """Send a signal to the command itself; nothing happens if it has ended."""
        self._watch.signal(number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the command and everything that it started."""
        self._watch.kill()

    async def communicate(self, input: bytes | None = None) -> tuple[bytes | None, bytes | None]:
        """Feed standard input, read both outputs to their end, wait; return what was read.

        Cancelling it ends nothing, and loses what was read.
        """
        feeding = asyncio.ensure_future(self._feed(input or b""))
        try:
            output, error = await asyncio.gather(_read(self.stdout), _read(self.stderr))
            await self.wait()
        finally:
            feeding.cancel()
        return output, error

    async def _feed(self, input: bytes) -> None:
        if self.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.stdin.write(input)
                await self.stdin.drain()
            self.stdin.close()

    async def __aenter__(self) -> AsyncProcess:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the pipes and wait. After an exception the command is ended first."""
        if error[0] is not None:
            self.kill()
        if self.stdin is not None:
            self.stdin.close()
        for pipe in self._pipes:
            pipe.close()
        await self.wait()


def _reader(descriptor: int | None) -> tuple[asyncio.StreamReader | None, WatchedPipe | None]:
    if descriptor is None:
        return None, None
    reader = asyncio.StreamReader(loop=asyncio.get_running_loop())
    pipe = WatchedPipe(descriptor, reader.feed_data)
    pipe.at_end = reader.feed_eof
    reader.set_transport(pipe)
    return reader, pipe


async def _read(reader: asyncio.StreamReader | None) -> bytes | None:
    return None if reader is None else await reader.read()


AsyncProcess.__module__ = "nono_py"
