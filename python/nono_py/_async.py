# SPDX-License-Identifier: Apache-2.0
"""The same for asyncio: commands that an event loop watches, without a thread for each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, SupportsIndex

from nono_py import _nono_py
from nono_py._async_process import AsyncProcess, Watch, WatchedPipe
from nono_py._options import (
    SUBPROCESS_DEVNULL,
    Environment,
    Input,
    Limits,
    Options,
    SpawnOptions,
    Stream,
    Text,
    output_limit,
    start_spawned,
)
from nono_py._pipes import Capture, Feed, take
from nono_py._results import ExecResult, exec_result
from nono_py._running import Listener, PreparedSandbox, check_mode, handle_of

if TYPE_CHECKING:
    from typing_extensions import Unpack


async def spawn_async(
    caps: _nono_py.CapabilitySet | PreparedSandbox,
    command: Iterable[Text],
    *,
    stdin: Stream = SUBPROCESS_DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    **options: Unpack[SpawnOptions],
) -> AsyncProcess:
    """Start a command as spawn() does and return its AsyncProcess."""
    process = AsyncProcess(*start_spawned(handle_of(caps), command, (stdin, stdout, stderr), options))
    await process._connect()
    return process


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
    **limits: Unpack[Limits],
) -> ExecResult:
    """Run a command as sandboxed_exec() does, while the event loop goes on.

    Cancelling it ends the command, and all that it started, before CancelledError comes out. on_output is called in the
    event loop.
    """
    options = Options(cwd=cwd, env=env, inherit_env=inherit_env, timeout_secs=timeout_secs, **limits)
    check_mode(enforcement_mode)
    most = output_limit(max_output_bytes)
    sandbox = handle_of(caps)
    handle, fed = options.start_captured(sandbox, command, stdin)
    captures = (Capture(1, most, on_output), Capture(2, most, on_output))
    run = _Run(handle, captures, fed)
    try:
        await run.finish()
    finally:
        await run.end()
    out, error = captures
    output = bytes(out.kept), out.cut, bytes(error.kept), error.cut
    return exec_result(run.watch.status, output, sandbox.caps, options)


class _Run:
    """A command on its way to an ExecResult."""

    def __init__(self, handle: _nono_py.ProcessHandle, captures: tuple[Capture, Capture], fed: bytes) -> None:
        self._loop = asyncio.get_running_loop()
        self._refusal: BaseException | None = None
        self._stdin = take(handle, 0)
        pipes = []
        for number, capture in enumerate(captures, start=1):
            descriptor = take(handle, number)
            if descriptor is not None:
                pipes.append(WatchedPipe(descriptor, self._guarded(capture)))
        self.watch = Watch(handle, pipes)
        if self._stdin is not None:
            self._loop.add_writer(self._stdin, self._write, Feed(self._stdin, fed))

    def _guarded(self, capture: Capture) -> Callable[[bytes], None]:
        def receive(piece: bytes) -> None:
            try:
                if self._refusal is None:
                    capture.receive(piece)
            except BaseException as error:
                self._refusal = error
                self.watch.kill()

        return receive

    def _write(self, feed: Feed) -> None:
        if feed.write():
            self._close_stdin()

    def _close_stdin(self) -> None:
        if self._stdin is not None:
            self._loop.remove_writer(self._stdin)
            os.close(self._stdin)
            self._stdin = None

    async def finish(self) -> None:
        await self.watch.wait()
        if self._refusal is not None:
            raise self._refusal

    async def end(self) -> None:
        """Has everything killed and waits for it, though the task is being cancelled."""
        self._close_stdin()
        self.watch.kill()
        await self.watch.wait()


for _public in (sandboxed_exec_async, spawn_async):
    _public.__module__ = "nono_py"
