# SPDX-License-Identifier: Apache-2.0
"""Programs with threads: those that ran before the sandbox was put in force, and those that start afterwards."""

import asyncio
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nono_py import sandbox_status
from working.cases import NULL, PROGRAMS, PYTHON, case, refused, restrict


@case()
def executors_from_before_and_after(place: Path) -> None:
    (place / "secret").write_text("secret")
    (place / "own").mkdir()
    old = ThreadPoolExecutor(4)
    list(old.map(time.sleep, [0.01] * 4))
    restrict(place / "own")
    for executor in old, ThreadPoolExecutor(4):
        files = [place / "own" / str(i) for i in range(20)]
        assert sum(executor.map(lambda file: file.write_text("text"), files)) == 80

        def read_secret() -> None:
            with refused():
                (place / "secret").read_text()

        for future in [executor.submit(read_secret) for _ in range(8)]:
            future.result(5)


@case()
def waiting_threads_are_not_disturbed(place: Path) -> None:
    # Python repeats what a signal interrupted (PEP 475), and no Python handler runs for ours.
    reader, writer = os.pipe()
    lock = threading.Lock()
    lock.acquire()
    results: dict[str, object] = {}
    started = time.monotonic()
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    epoll = select.epoll()
    epoll.register(reader, select.EPOLLIN)
    actions: dict[str, Callable[[], object]] = {
        "sleep": lambda: time.sleep(0.3),
        "select": lambda: select.select([reader], [], [], 0.3),
        "poll": lambda: poll.poll(300),
        "epoll": lambda: epoll.poll(0.3),
        "lock": lambda: lock.acquire(timeout=0.3),
        "event": lambda: threading.Event().wait(0.3),
        "process": lambda: subprocess.run(["/bin/sleep", "0.3"]).returncode,
        "sigwait": lambda: signal.sigtimedwait([signal.SIGUSR2], 0.3),
    }

    def run(name: str) -> None:
        results[name] = (actions[name](), time.monotonic() - started)

    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    threads = [threading.Thread(target=run, args=(name,)) for name in actions]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    restrict(place)
    assert time.monotonic() - started < 0.3, "too slow a machine for this test"
    for thread in threads:
        thread.join(5)
    values = {name: result[0] for name, result in results.items()}  # type: ignore[index]
    expected: dict[str, object] = {
        "sleep": None,
        "select": ([], [], []),
        "poll": [],
        "epoll": [],
        "lock": False,
        "event": False,
    }
    assert values == {**expected, "process": 0, "sigwait": None}, values
    assert all(0.29 < result[1] < 1.5 for result in results.values()), results  # type: ignore[index]
    os.close(writer)


@case()
def a_blocking_read_goes_on(place: Path) -> None:
    reader, writer = os.pipe()
    with ThreadPoolExecutor(1) as old:
        future = old.submit(os.read, reader, 10)
        time.sleep(0.02)
        restrict(place)
        time.sleep(0.02)
        assert not future.done()
        os.write(writer, b"text")
        assert future.result(5) == b"text"


@case()
def threads_that_start_processes_meanwhile(place: Path) -> None:
    stop = threading.Event()

    def keep_starting() -> int:
        started = 0
        while not stop.is_set():
            assert subprocess.run(["/bin/echo", "x"], capture_output=True).stdout == b"x\n"
            started += 1
        return started

    with ThreadPoolExecutor(3) as old:
        futures = [old.submit(keep_starting) for _ in range(3)]
        time.sleep(0.02)
        restrict(place, read=PROGRAMS)
        time.sleep(0.02)
        stop.set()
        assert all(future.result(10) > 0 for future in futures)


@case()
def signals_that_keep_coming(place: Path) -> None:
    # As under a profiler: a timer whose signals meet any thread at any time, and a Python handler for them.
    ticks: list[int] = []
    signal.signal(signal.SIGPROF, lambda number, frame: ticks.append(number))
    stop = threading.Event()
    threads = [threading.Thread(target=lambda: [sum(range(1000)) for _ in iter(stop.is_set, True)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    restrict(place)
    before, deadline = len(ticks), time.monotonic() + 10
    while len(ticks) < before + 5 and time.monotonic() < deadline:
        sum(range(1000))
    stop.set()
    for thread in threads:
        thread.join(5)
    signal.setitimer(signal.ITIMER_PROF, 0)
    assert len(ticks) >= before + 5


@case()
def forking_with_threads(place: Path) -> None:
    with ThreadPoolExecutor(4) as old:
        list(old.map(time.sleep, [0.01] * 4))
        restrict(place, NULL, read=PROGRAMS)
        for _ in range(10):
            child = os.fork()
            if child == 0:
                (place / "file").write_text("text")
                os._exit(3)
            assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 3
        # From threads of before and of after.
        runs = [old.submit(subprocess.run, ["/bin/echo", "x"], capture_output=True) for _ in range(8)]
        assert [run.result(5).stdout for run in runs] == [b"x\n"] * 8


@case()
def children_of_old_threads(place: Path) -> None:
    # A thread can always end its own children. Before Landlock ABI 8 threads from before the sandbox have a domain
    # each, and cannot signal the children of each other, nor connect to their abstract sockets; nono.h says so.
    with ThreadPoolExecutor(1) as old:
        old.submit(int).result()
        restrict(place, NULL, read=PROGRAMS)
        child = old.submit(subprocess.Popen, ["/bin/sleep", "60"]).result(5)
        if sandbox_status()["landlock_abi"] < 8:
            with refused():
                child.terminate()
        old.submit(child.terminate).result(5)
        assert child.wait(5) == -signal.SIGTERM


@case()
def signals_to_children_of_old_threads_if_they_are_left_open(place: Path) -> None:
    with ThreadPoolExecutor(1) as old:
        old.submit(int).result()
        restrict(place, NULL, read=PROGRAMS, allow_signals=True)
        child = old.submit(subprocess.Popen, ["/bin/sleep", "60"]).result(5)
        child.terminate()
        assert child.wait(5) == -signal.SIGTERM


@case()
def signals_to_old_threads(place: Path) -> None:
    received: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: received.append(number))
    stop = threading.Event()
    old = threading.Thread(target=stop.wait)
    old.start()
    restrict(place)
    assert old.ident is not None
    signal.pthread_kill(old.ident, signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR1)
    deadline = time.monotonic() + 5
    while len(received) < 1 and time.monotonic() < deadline:
        time.sleep(0.001)
    stop.set()
    old.join()
    assert received


@case()
def asyncio_with_subprocesses(place: Path) -> None:
    async def shell() -> bytes:
        process = await asyncio.create_subprocess_exec("/bin/cat", stdin=-1, stdout=-1)
        return (await process.communicate(b"text"))[0]

    async def ended() -> int:
        process = await asyncio.create_subprocess_exec("/bin/sleep", "60")
        process.terminate()
        return await process.wait()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, int, "42") == 42
        # While the loop runs and its executor has a thread.
        restrict(place, NULL, read=PROGRAMS + PYTHON)
        assert list(await asyncio.gather(shell(), shell())) == [b"text", b"text"]
        assert await ended() == -signal.SIGTERM
        await loop.run_in_executor(None, (place / "file").write_text, "text")
        arrived = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, arrived.set)
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.wait_for(arrived.wait(), 5)

    asyncio.run(main())
    assert (place / "file").read_text() == "text"
