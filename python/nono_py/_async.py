# SPDX-License-Identifier: Apache-2.0
"""The same for asyncio: commands that an event loop watches, without a thread for each."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex, cast

from nono_py import _nono_py
from nono_py._options import PIPE, SUBPROCESS_DEVNULL, Environment, Options, Stream, Text, output_limit, stream
from nono_py._results import TIMED_OUT, ExecResult, SpawnError, Status, exec_result
from nono_py._running import Input, Listener, PreparedSandbox, check_mode, handle_of, input_stream

PIECE = 65536


class AsyncProcess:
    """A command that runs in a sandbox, in the manner of asyncio.subprocess.Process. spawn_async() makes one.

    stdin is an asyncio.StreamWriter, stdout and stderr are asyncio.StreamReader, for those that are pipes.
    """

    def __init__(self, handle: _nono_py.ProcessHandle, args: Sequence[object]) -> None:
        self.args = args
        self.returncode: int | None = None
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._handle = handle
        self._status = Status(handle.wait(0))
        self.pid = self._status.pid
        self._transports: list[asyncio.BaseTransport] = []
        self._ended = asyncio.get_running_loop().create_future()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        descriptor = self._handle.take(0)
        if descriptor >= 0:
            writer, protocol = await loop.connect_write_pipe(
                asyncio.streams.FlowControlMixin, os.fdopen(descriptor, "wb", 0)
            )
            self._transports.append(writer)
            self.stdin = asyncio.StreamWriter(writer, protocol, None, loop)
        self.stdout = await self._reader(1)
        self.stderr = await self._reader(2)
        loop.add_reader(self._handle.fileno(), self._notice_end)

    async def _reader(self, number: int) -> asyncio.StreamReader | None:
        descriptor = self._handle.take(number)
        if descriptor < 0:
            return None
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader, loop=loop), os.fdopen(descriptor, "rb", 0)
        )
        self._transports.append(transport)
        return reader

    def _notice_end(self) -> None:
        self._status = Status(self._handle.wait(0))
        if self._status.has_ended:
            asyncio.get_running_loop().remove_reader(self._handle.fileno())
            self.returncode = self._status.exit_code
            if not self._ended.done():
                self._ended.set_result(None)

    @property
    def status(self) -> Status:
        return self._status

    @property
    def timed_out(self) -> bool:
        return self._status.has_ended and self._status.cause == TIMED_OUT

    async def wait(self) -> int:
        """Wait for the end and return the return code. Cancelling the wait ends nothing."""
        await asyncio.shield(self._ended)
        return cast("int", self.returncode)

    def send_signal(self, number: int) -> None:
        """Send a signal to the command itself; nothing happens if it has ended."""
        if self.returncode is None:
            try:
                self._handle.signal(number)
            except SpawnError:
                # It ended in between.
                pass

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the command and everything that it started."""
        if self.returncode is None:
            self._handle.kill()

    async def communicate(self, input: bytes | None = None) -> tuple[bytes | None, bytes | None]:
        """Feed standard input, read both outputs to their end, wait; return what was read."""
        feeding = asyncio.ensure_future(self._feed(input or b""))
        reading = [asyncio.ensure_future(_read(reader)) for reader in (self.stdout, self.stderr)]
        try:
            await self.wait()
            # What the command wrote is in the pipes by now. A process outside that was handed one may keep it open.
            await asyncio.wait([feeding, *reading], timeout=0.1)
        finally:
            await self._close()
        return await reading[0], await reading[1]

    async def _feed(self, input: bytes) -> None:
        if self.stdin is None:
            return
        try:
            self.stdin.write(input)
            await self.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.stdin.close()

    async def _close(self) -> None:
        for transport in self._transports:
            transport.close()
        await asyncio.sleep(0)

    async def __aenter__(self) -> AsyncProcess:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the pipes and wait. After an exception the command is ended first."""
        if error[0] is not None:
            self.kill()
        await self._close()
        await self.wait()


async def _read(reader: asyncio.StreamReader | None) -> bytes | None:
    return None if reader is None else await reader.read()


async def spawn_async(
    caps: _nono_py.CapabilitySet | PreparedSandbox,
    command: Iterable[Text],
    *,
    stdin: Stream = SUBPROCESS_DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    **options: Any,
) -> AsyncProcess:
    """Start a command as spawn() does and return its AsyncProcess."""
    streams = (stream(stdin, 0), stream(stdout, 1), stream(stderr, 2, is_error=True))
    arguments = list(command) if not isinstance(command, (str, bytes)) else command
    handle = Options(**options).start(handle_of(caps), arguments, streams, waits=True)
    process = AsyncProcess(handle, arguments)
    await process._connect()
    return process


class _Capture:
    """One output of a command: what is kept, what is cut, who listens."""

    def __init__(self, handle: _nono_py.ProcessHandle, number: int, most: int, listener: Listener | None) -> None:
        self.descriptor = handle.take(number)
        os.set_blocking(self.descriptor, False)
        self.name = "stdout" if number == 1 else "stderr"
        self.kept = bytearray()
        self.cut = 0
        self._most = most
        self._listener = listener

    def read(self, size: int = PIECE) -> int:
        """Reads once; 0 at the end of the pipe, -1 if there is nothing now."""
        try:
            piece = os.read(self.descriptor, size)
        except BlockingIOError:
            return -1
        kept = piece[: self._most - len(self.kept)]
        self.kept += kept
        self.cut += len(piece) - len(kept)
        if piece and self._listener is not None:
            self._listener(self.name, piece)
        return len(piece)


class _Run:
    """A command on its way to an ExecResult."""

    def __init__(self, handle: _nono_py.ProcessHandle, fed: bytes, most: int, listener: Listener | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._handle = handle
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._captures = [_Capture(handle, 1, most, listener), _Capture(handle, 2, most, listener)]
        self._fed = memoryview(fed)
        self._stdin = handle.take(0)
        self.status = Status(handle.wait(0))
        self._loop.add_reader(handle.fileno(), self._guarded, self._notice_end)
        for capture in self._captures:
            self._loop.add_reader(capture.descriptor, self._guarded, self._drain, capture)
        if self._stdin >= 0:
            os.set_blocking(self._stdin, False)
            self._loop.add_writer(self._stdin, self._guarded, self._feed)

    def _guarded(self, step: Any, *arguments: Any) -> None:
        try:
            step(*arguments)
        except BaseException as error:
            if not self._done.done():
                self._done.set_exception(error)

    def _notice_end(self) -> None:
        self.status = Status(self._handle.wait(0))
        if self.status.has_ended and not self._done.done():
            self._done.set_result(None)

    def _drain(self, capture: _Capture) -> None:
        if capture.read() == 0:
            self._loop.remove_reader(capture.descriptor)

    def _feed(self) -> None:
        try:
            self._fed = self._fed[os.write(self._stdin, self._fed[:PIECE]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._fed = self._fed[:0]
        if not self._fed:
            self._close_stdin()

    def _close_stdin(self) -> None:
        if self._stdin >= 0:
            self._loop.remove_writer(self._stdin)
            os.close(self._stdin)
            self._stdin = -1

    async def finish(self) -> tuple[bytes, int, bytes, int]:
        try:
            await self._done
            for capture in self._captures:
                self._drain_rest(capture)
        finally:
            self._loop.remove_reader(self._handle.fileno())
            self._close_stdin()
            for capture in self._captures:
                self._loop.remove_reader(capture.descriptor)
                os.close(capture.descriptor)
        out, error = self._captures
        return bytes(out.kept), out.cut, bytes(error.kept), error.cut

    @staticmethod
    def _drain_rest(capture: _Capture) -> None:
        """What is there, and no more: somebody outside may have been handed the other end."""
        left = 1 << 20
        while left > 0:
            size = capture.read(min(PIECE, left))
            if size <= 0:
                return
            left -= size


async def sandboxed_exec_async(
    caps: _nono_py.CapabilitySet | PreparedSandbox,
    command: Iterable[Text],
    cwd: Text | None = None,
    timeout_secs: float | None = None,
    env: Environment | None = None,
    inherit_env: bool = False,
    *,
    enforcement_mode: str = "auto",
    stdin: Input = None,
    max_output_bytes: SupportsIndex | None = None,
    on_output: Listener | None = None,
    **limits: Any,
) -> ExecResult:
    """Run a command as sandboxed_exec() does, while the event loop goes on. Cancelling it ends the command."""
    options = Options(cwd=cwd, env=env, inherit_env=inherit_env, timeout_secs=timeout_secs, **limits)
    check_mode(enforcement_mode)
    fed, stdin_stream = input_stream(stdin)
    sandbox = handle_of(caps)
    most = output_limit(max_output_bytes)
    handle = options.start(sandbox, command, (stdin_stream, (PIPE, -1), (PIPE, -1)), waits=False)
    run = _Run(handle, fed, most, on_output)
    try:
        output = await run.finish()
    except BaseException:
        await _end(handle)
        raise
    return exec_result(run.status, output, sandbox.caps)


async def _end(handle: _nono_py.ProcessHandle) -> None:
    """Has everything killed and waits for it, though the task is being cancelled."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    handle.kill()
    loop.add_reader(handle.fileno(), lambda: ended.done() or ended.set_result(None))
    try:
        while not Status(handle.wait(0)).has_ended:
            await ended
    finally:
        loop.remove_reader(handle.fileno())


for _public in (AsyncProcess, sandboxed_exec_async, spawn_async):
    _public.__module__ = "nono_py"
