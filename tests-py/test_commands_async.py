# SPDX-License-Identifier: Apache-2.0
"""sandboxed_exec_async(): the loop goes on, no thread is made, and cancelling ends a command."""

from __future__ import annotations

import asyncio
import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import daemons, new_mark, program, running, system_caps
from commands import run_async as run
from conftest import RunChild

import nono_py
from nono_py import ExecResult

pytestmark = pytest.mark.usefixtures("sandbox")

PIPE, STDOUT, DEVNULL = -1, -2, -3


async def execute(*command: Any, **options: Any) -> ExecResult:
    return await nono_py.sandboxed_exec_async(system_caps(), command, **options)


async def shell(script: str, **options: Any) -> ExecResult:
    return await execute("sh", "-c", script, **options)


def test_a_result() -> None:
    result = run(shell("cat; echo err >&2; exit 3", stdin=b"in"))
    assert (result.stdout, result.stderr, result.exit_code) == (b"in", b"err\n", 3)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (["sh", "-c", "kill -9 $$"], {}),
        (["/etc/passwd"], {}),
        (["pwd"], {"cwd": "/etc/passwd"}),
        (["true"], {"max_open_files": 2**40}),
        (["sh", "-c", "echo part; sleep 1000"], {"timeout_secs": 0.2}),
        (["true"], {"timeout_secs": float("inf")}),
        (["env"], {"env": [("B", "1"), ("A", "2")]}),
        (["head", "-c", "100000", "/dev/zero"], {"max_output_bytes": 7}),
        (["sh", "-c", "umask; ulimit -n"], {"umask": 0o77, "max_open_files": 30}),
        (["cat"], {"stdin": os.urandom(300_000)}),
        (["true"], {"stdin": bytes(3_000_000)}),
    ],
)
def test_results_are_those_of_sandboxed_exec(command: list[str], options: dict[str, Any]) -> None:
    def told(result: ExecResult) -> tuple[object, ...]:
        failure = result.failure and (str(result.failure), result.failure.stage, result.failure.errno)
        cut = (result.stdout_cut, result.stderr_cut)
        return result.stdout, result.stderr, result.exit_code, cut, result.timed_out, failure

    assert told(run(execute(*command, **options))) == told(nono_py.sandboxed_exec(system_caps(), command, **options))


@pytest.mark.parametrize(
    ("command", "options", "error", "text"),
    [
        ([], {}, ValueError, "command must not be empty"),
        (["nosuchprog"], {}, RuntimeError, "Program not found in PATH: nosuchprog"),
        (["true"], {"timeout_secs": -1}, ValueError, "timeout_secs must be non-negative, got -1"),
        (["true"], {"env": [("LD_X", "")]}, ValueError, "environment variable 'LD_X' is not allowed in sandboxed_exec"),
        (["true"], {"enforcement_mode": 1}, TypeError, "'int' object is not an instance of 'str'"),
        (["true"], {"uid": 0}, ValueError, "uid must be non-zero (0 is root; dropping to it is a no-op)"),
    ],
)
def test_refusals(command: list[str], options: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        run(execute(*command, **options))
    assert str(raised.value) == text


def test_a_blocked_command() -> None:
    caps = system_caps()
    caps.block_command("true")
    with pytest.raises(PermissionError, match="Command 'true' is blocked"):
        run(nono_py.sandboxed_exec_async(caps, ["true"]))
    with pytest.raises(PermissionError, match="Command 'true' is blocked"):
        run(nono_py.spawn_async(caps, ["true"]))


def test_nothing_survives() -> None:
    mark = new_mark()
    started = time.monotonic()
    assert run(shell(daemons(mark) + "sleep 0.3; echo done")).stdout == b"done\n"
    assert running(mark) == 0
    assert run(shell(daemons(mark) + f"sleep {mark}", timeout_secs=0.5)).exit_code == 124
    assert running(mark) == 0
    assert time.monotonic() - started < 30


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Room for five descriptors of each of hundreds of commands: the usual limit is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2500 and hard != resource.RLIM_INFINITY:
        pytest.skip("this process may not have as many descriptors")
    if soft < 2500 and soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (2500, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
def test_hundreds_at_once_without_a_thread() -> None:
    threads = []

    async def main() -> list[ExecResult]:
        sandbox = nono_py.prepare(system_caps())

        async def one(number: int) -> ExecResult:
            command = ["sh", "-c", f"sleep 0.5; echo {number}"]
            result = await nono_py.sandboxed_exec_async(sandbox, command, stdin=b"x")
            threads.append(threading.active_count())
            return result

        return await asyncio.gather(*map(one, range(300)))

    results = run(main())
    assert [int(result.stdout) for result in results] == list(range(300))
    # Threads that are not Python's show in /proc.
    assert set(threads) == {1}
    assert len(os.listdir("/proc/self/task")) == 1


def test_the_loop_goes_on(tmp_path: Path) -> None:
    """The command ends only because something else in the loop does its part."""

    async def main() -> ExecResult:
        async def touch() -> None:
            await asyncio.sleep(0.1)
            (tmp_path / "file").touch()

        command = ["sh", "-c", f"while ! test -e {tmp_path}/file; do sleep 0.02; done"]
        result, _ = await asyncio.gather(execute(*command, timeout_secs=50), touch())
        return result

    assert run(main()).exit_code == 0


def test_output_streams_as_it_comes() -> None:
    pieces: list[tuple[str, bytes]] = []

    async def main() -> None:
        seen = asyncio.Event()

        def listen(name: str, piece: bytes) -> None:
            pieces.append((name, piece))
            seen.set()

        task = asyncio.ensure_future(shell("echo one; read line; echo $line >&2", on_output=listen, stdin=reader))
        await asyncio.wait_for(seen.wait(), 50)
        os.write(writer, b"two\n")
        await task

    reader, writer = os.pipe()
    try:
        run(main())
    finally:
        os.close(reader)
        os.close(writer)
    assert pieces == [("stdout", b"one\n"), ("stderr", b"two\n")]


@pytest.mark.parametrize("error", [LookupError, StopIteration, KeyboardInterrupt])
def test_a_listener_that_raises_ends_the_command(error: type[BaseException]) -> None:
    mark = new_mark()

    def refuse(*_: object) -> None:
        raise error

    async def main() -> str:
        try:
            await shell(f"echo x; sleep {mark}", on_output=refuse)
        except BaseException as raised:
            return f"{type(raised.__cause__ or raised).__name__} {running(mark)}"
        return "nothing raised"

    assert run(main()) == f"{error.__name__} 0"


def test_cancelling_ends_the_command_before_it_comes_out() -> None:
    mark = new_mark()

    async def main() -> int:
        task = asyncio.ensure_future(shell(daemons(mark) + f"sleep {mark}"))
        while running(mark) < 7:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return running(mark)

    assert run(main()) == 0


def test_a_timeout_of_asyncio_ends_the_command() -> None:
    mark = new_mark()

    async def main() -> int:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(shell(f"sleep {mark} & sleep {mark}"), 0.3)
        return running(mark)

    assert run(main()) == 0


def test_a_loop_that_ends_ends_commands() -> None:
    mark = new_mark()

    async def main() -> None:
        asyncio.ensure_future(shell(f"sleep {mark}"))  # noqa: RUF006 (lost on purpose)
        await asyncio.sleep(0.2)

    run(main())
    assert running(mark) == 0


def test_a_thousand_calls_leave_nothing(run_child: RunChild) -> None:
    code = """
    import asyncio, gc
    async def one(sandbox, number):
        kind = number % 4
        if kind == 0:
            await sandboxed_exec_async(sandbox, ["cat"], stdin=b"x")
        elif kind == 1:
            await sandboxed_exec_async(sandbox, ["sh", "-c", "sleep 1000 & echo x"], max_output_bytes=1)
        elif kind == 2:
            task = asyncio.ensure_future(sandboxed_exec_async(sandbox, ["sleep", "1000"]))
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.wait([task])
        else:
            async with await spawn_async(sandbox, ["cat"], stdin=-1, stdout=-1) as process:
                await process.communicate(b"x")
    async def main(count):
        sandbox = prepare(system_caps())
        for start in range(0, count, 100):
            await asyncio.gather(*[one(sandbox, number) for number in range(start, start + 100)])
    def resident():
        gc.collect()
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096
    asyncio.run(main(200))
    before = descriptors()
    asyncio.run(main(1000))
    first = resident()
    asyncio.run(main(1000))
    print(descriptors() - before, children(), len(os.listdir("/proc/self/task")))
    print(resident() - first < 4 << 20 or resident() - first)
    """
    assert run_child(program(code)).splitlines() == ["0 [] 1", "True"]
