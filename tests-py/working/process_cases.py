# SPDX-License-Identifier: Apache-2.0
"""Own processes: starting, limiting, signalling, tracing them, and talking to them."""

import ctypes
import fcntl
import multiprocessing
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import shared_memory
from pathlib import Path
from typing import Any

from working.cases import NULL, PROGRAMS, PYTHON, case, refused, restrict

SHARED_MEMORY = "/dev/shm"


def square(n: int) -> int:
    return n * n


def put_squares(queue: "multiprocessing.Queue[int]") -> None:
    for i in range(3):
        queue.put(square(i))


@case()
def imports_afterwards(place: Path) -> None:
    restrict(place, read=PYTHON)
    import decimal
    import email.mime.text
    import xml.dom.minidom  # noqa: F401

    assert decimal.Decimal("0.1") * 3 == decimal.Decimal("0.3")
    assert email.mime.text.MIMEText("text").get_payload() == "text"


@case()
def child_pythons(place: Path) -> None:
    restrict(place, read=PROGRAMS + PYTHON)
    code = "import json, pathlib; pathlib.Path('out').write_text(json.dumps([1]))"
    subprocess.run([sys.executable, "-c", code], cwd=place, check=True)
    assert (place / "out").read_text() == "[1]"


@case()
def the_options_of_subprocess(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS)
    variants: tuple[dict[str, Any], ...] = (
        {},
        {"start_new_session": True},
        {"preexec_fn": lambda: os.nice(1)},
        {"close_fds": False},
        {"stdin": subprocess.DEVNULL},
        {"cwd": place, "env": {}, "umask": 0o77},
    )
    for options in variants:
        result = subprocess.run(["/bin/sh", "-c", "echo text; exit 3"], stdout=subprocess.PIPE, **options)
        assert result.stdout == b"text\n"
        assert result.returncode == 3
    pid = os.posix_spawn("/bin/true", ["true"], {}, setsigdef=[signal.SIGPIPE], setpgroup=0)
    assert os.waitpid(pid, 0)[1] == 0
    try:
        subprocess.run(["sleep", "10"], timeout=0.05)
    except subprocess.TimeoutExpired:
        pass
    else:
        raise AssertionError("no timeout")
    with subprocess.Popen(["sleep", "10"]) as child:
        child.terminate()
        assert child.wait() == -signal.SIGTERM


@case()
def multiprocessing_pools(place: Path) -> None:
    restrict(place, SHARED_MEMORY, NULL, read=PROGRAMS + PYTHON)
    for method in "fork", "spawn", "forkserver":
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            assert pool.map(square, range(4)) == [0, 1, 4, 9]
        queue = context.Queue()
        child = context.Process(target=put_squares, args=(queue,))  # type: ignore[attr-defined]
        child.start()
        assert [queue.get(timeout=20) for _ in range(3)] == [0, 1, 4]
        child.join()
        sleeper = context.Process(target=time.sleep, args=(60,))  # type: ignore[attr-defined]
        sleeper.start()
        sleeper.terminate()
        sleeper.join(20)
        assert sleeper.exitcode == -signal.SIGTERM


@case()
def process_pool_executors(place: Path) -> None:
    restrict(place, SHARED_MEMORY, NULL, read=PYTHON)
    with ProcessPoolExecutor(2) as executor:
        assert list(executor.map(square, range(4))) == [0, 1, 4, 9]


@case()
def a_manager_of_multiprocessing(place: Path) -> None:
    restrict(place, SHARED_MEMORY, NULL, read=PYTHON)
    with multiprocessing.Manager() as manager:
        shared = manager.dict()
        child = multiprocessing.Process(target=shared.update, args=({"key": 42},))
        child.start()
        child.join()
        assert shared["key"] == 42


@case()
def memory_shared_by_name(place: Path) -> None:
    restrict(SHARED_MEMORY, NULL, read=PROGRAMS + PYTHON)
    memory = shared_memory.SharedMemory(create=True, size=4096)
    child = os.fork()
    if child == 0:
        other = shared_memory.SharedMemory(memory.name)
        other.buf[:4] = b"text"
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert bytes(memory.buf[:4]) == b"text"
    memory.close()
    memory.unlink()


@case()
def signals_between_own_processes(place: Path) -> None:
    restrict(place, read=PROGRAMS)
    received: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: received.append(number))
    child = os.fork()
    if child == 0:
        os.kill(os.getppid(), signal.SIGUSR1)
        signal.pause()
    while not received:
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.raise_signal(signal.SIGUSR1)
    assert len(received) == 3

    with subprocess.Popen(["sh", "-c", "sleep 10 & sleep 10"], start_new_session=True) as group:
        time.sleep(0.02)
        os.killpg(group.pid, signal.SIGTERM)
        assert group.wait() == -signal.SIGTERM
    with refused():
        os.kill(1, 0)


@case()
def job_control(place: Path) -> None:
    restrict(place, read=PROGRAMS)
    with subprocess.Popen(["sleep", "10"], start_new_session=True) as child:
        os.kill(child.pid, signal.SIGSTOP)
        assert os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1])
        os.kill(child.pid, signal.SIGCONT)
        assert os.WIFCONTINUED(os.waitpid(child.pid, os.WCONTINUED)[1])
        child.kill()
    descriptor = getattr(os, "pidfd_open", None)
    if descriptor is not None:  # since Python 3.9
        with subprocess.Popen(["sleep", "10"]) as child:
            signal.pidfd_send_signal(descriptor(child.pid), signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL


@case()
def tracing_own_children(place: Path) -> None:
    restrict(place)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    word = ctypes.c_long(42)
    child = os.fork()
    if child == 0:
        libc.ptrace(0, 0, None, None)  # PTRACE_TRACEME
        word.value = 43
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(7)
    assert os.WIFSTOPPED(os.waitpid(child, 0)[1])
    peek, go_on, attach, detach = 1, 7, 16, 17
    address = ctypes.c_void_p(ctypes.addressof(word))
    seen = ctypes.c_long(libc.ptrace(peek, child, address, None)).value
    assert seen == 43, (seen, ctypes.get_errno())
    assert libc.ptrace(go_on, child, None, None) == 0
    assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 7

    child = os.fork()
    if child == 0:
        signal.pause()
    assert libc.ptrace(attach, child, None, None) == 0, os.strerror(ctypes.get_errno())
    assert os.WIFSTOPPED(os.waitpid(child, 0)[1])
    assert libc.ptrace(detach, child, None, None) == 0
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@case()
def pseudo_terminals(place: Path) -> None:
    restrict(place, "/dev/ptmx", "/dev/pts", "/dev/tty", NULL, read=PROGRAMS)
    child, terminal = pty.fork()
    if child == 0:
        os.execv(
            "/bin/sh",
            ["sh", "-c", "stty size; tty -s && echo terminal; echo $((6 * 7)) >/dev/tty; read line; echo $line"],
        )
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 30, 100, 0, 0))
    os.write(terminal, b"typed\n")
    printed = b""
    try:
        while True:
            printed += os.read(terminal, 1024)
    except OSError:  # EIO: the other side is closed
        pass
    assert os.waitpid(child, 0)[1] == 0
    lines = printed.decode().splitlines()
    assert {"terminal", "42", "typed"} <= set(lines), lines
