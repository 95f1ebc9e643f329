# SPDX-License-Identifier: Apache-2.0
"""spawn_async(): a handle in the manner of asyncio.subprocess.Process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from commands import new_mark, running, system_caps
from commands import run_async as run

import nono_py
from nono_py import AsyncProcess, SpawnError

pytestmark = pytest.mark.usefixtures("sandbox")

PIPE, STDOUT, DEVNULL = -1, -2, -3


async def spawn(*command: Any, **options: Any) -> AsyncProcess:
    return await nono_py.spawn_async(system_caps(), command, **options)


def test_streams() -> None:
    async def main() -> None:
        async with await spawn("sh", "-c", "cat; echo e >&2", stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.returncode is None
            process.stdin.write(b"one\ntwo\n")
            await process.stdin.drain()
            assert await process.stdout.readline() == b"one\n"
            process.stdin.close()
            await process.stdin.wait_closed()
            assert await process.stdout.read() == b"two\n"
            assert await process.stderr.read() == b"e\n"
            assert await process.wait() == 0
        assert process.returncode == 0
        assert repr(process) == f"<AsyncProcess: returncode: 0 args: {list(process.args)!r}>"

    run(main())


@pytest.mark.parametrize("size", [0, 10, 4_000_000])
def test_communicate(size: int) -> None:
    data = os.urandom(size)

    async def main() -> None:
        process = await spawn("cat", stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert await process.communicate(data) == (data, b"")
        assert process.returncode == 0
        process = await spawn("true", stdin=PIPE, stdout=PIPE)
        assert await process.communicate(bytes(2_000_000)) == (b"", None)
        process = await spawn("sh", "-c", "exec >&- 2>&-; sleep 0.2; exit 5", stdout=PIPE, stderr=STDOUT)
        assert await process.communicate() == (b"", None)
        assert process.returncode == 5

    run(main())


def test_more_output_than_is_read() -> None:
    """A reader that does not come holds the command up, and what is in the pipe at its end is not lost."""

    async def main() -> None:
        process = await spawn("head", "-c", "3000000", "/dev/zero", stdout=PIPE)
        assert process.stdout is not None
        await asyncio.sleep(0.2)
        assert process.returncode is None
        first = await process.stdout.readexactly(2_950_000)
        await process.wait()
        assert len(first + await process.stdout.read()) == 3_000_000

    run(main())


@pytest.mark.parametrize("way", ["communicate", "read", "sandboxed_exec", "sandboxed_exec_async", "Process"])
def test_the_end_is_exact_though_another_process_holds_the_output(way: str, tmp_path: Path) -> None:
    """A process outside is handed standard output, and keeps it open: all that was written comes, and then the end."""
    path = str(tmp_path / "socket")
    hand_over = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        "socket.send_fds(s, [b'x'], [1]); s.recv(1); sys.stdout.write('y' * 50000)"
    )
    if not hasattr(socket, "send_fds") or not os.path.exists("/usr/bin/python3"):
        pytest.skip("takes a Python of the system")
    command = ["/usr/bin/python3", "-c", hand_over, path]
    caps = system_caps(tmp_path)
    kept: list[int] = []

    def receive() -> None:
        connection, _ = server.accept()
        with connection:
            kept.extend(socket.recv_fds(connection, 1, 1)[1])
            connection.send(b"x")

    async def main() -> bytes:
        if way == "sandboxed_exec_async":
            return (await nono_py.sandboxed_exec_async(caps, command)).stdout
        process = await nono_py.spawn_async(caps, command, stdout=PIPE)
        assert process.stdout is not None
        output = await process.stdout.read() if way == "read" else (await process.communicate())[0]
        return output or b""

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        thread = threading.Thread(target=receive)
        thread.start()
        if way == "sandboxed_exec":
            output = nono_py.sandboxed_exec(caps, command).stdout
        elif way == "Process":
            output = nono_py.spawn(caps, command, stdout=PIPE).communicate()[0] or b""
        else:
            output = asyncio.run(main())
        thread.join()
    assert output == b"y" * 50000
    assert len(kept) == 1
    os.close(kept[0])


def test_signals_and_waiting() -> None:
    async def main() -> None:
        for act, code in (("terminate", -signal.SIGTERM), ("kill", -signal.SIGKILL)):
            process = await spawn("sleep", "1000")
            waiting = [asyncio.ensure_future(process.wait()) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()  # which ends neither the command nor the others' wait
            getattr(process, act)()
            assert await waiting[1] == await waiting[2] == await process.wait() == code
            getattr(process, act)()
        process = await spawn("sh", "-c", "trap 'exit 7' USR1; echo ready; while :; do sleep 0.02; done", stdout=PIPE)
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGUSR1)
        assert await process.wait() == 7

    run(main())


def test_a_timeout_of_the_command() -> None:
    async def main() -> AsyncProcess:
        process = await spawn("sleep", "1000", timeout_secs=0.2)
        assert await process.wait() == -signal.SIGKILL
        return process

    assert run(main()).timed_out


def test_an_exception_ends_the_command() -> None:
    mark = new_mark()

    async def main() -> None:
        async with await spawn("sleep", mark, stdin=PIPE, stdout=PIPE):
            raise KeyError

    with pytest.raises(KeyError):
        run(main())
    assert running(mark) == 0


def test_losing_the_handle_ends_the_command() -> None:
    mark = new_mark()

    async def main() -> None:
        process = await spawn("sh", "-c", f"sleep {mark} & sleep {mark}", stdin=PIPE, stdout=PIPE)
        while running(mark) < 2:
            await asyncio.sleep(0.01)
        with pytest.warns(ResourceWarning, match=f"command {process.pid} is still running, and is ended"):
            del process
        assert running(mark) == 0
        # The loop does not stumble over what it watched.
        assert (await nono_py.sandboxed_exec_async(system_caps(), ["echo", "x"])).stdout == b"x\n"

    run(main())


def test_what_cannot_be_started() -> None:
    async def main() -> None:
        with pytest.raises(SpawnError, match="exec failed: Permission denied") as raised:
            await spawn("/etc/passwd", stdin=PIPE, stdout=PIPE)
        assert raised.value.stage == "exec"

    run(main())
