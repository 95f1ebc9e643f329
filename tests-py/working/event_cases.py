# SPDX-License-Identifier: Apache-2.0
"""What the kernel offers to wait on, called through libc, as Python has not had all of it since 3.9."""

import ctypes
import os
import select
import selectors
import signal
import struct
import time
from pathlib import Path

from working.cases import case, restrict

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


@case()
def watching_files(place: Path) -> None:
    restrict(place)
    watch = checked(libc.inotify_init1(os.O_CLOEXEC))
    created, deleted = 0x100, 0x200
    checked(libc.inotify_add_watch(watch, os.fsencode(place), created | deleted))
    (place / "file").touch()
    (place / "file").unlink()
    events, at = os.read(watch, 4096), 0
    seen = []
    while at < len(events):
        _, mask, _, length = struct.unpack_from("iIII", events, at)
        seen.append((mask, events[at + 16 : at + 16 + length].rstrip(b"\0")))
        at += 16 + length
    assert seen == [(created, b"file"), (deleted, b"file")]


@case()
def event_descriptors(place: Path) -> None:
    restrict(place)
    event = checked(libc.eventfd(0, os.O_CLOEXEC))
    timer = checked(libc.timerfd_create(1, os.O_CLOEXEC))
    in_one_millisecond = struct.pack("4q", 0, 0, 0, 1_000_000)
    checked(libc.timerfd_settime(timer, 0, in_one_millisecond, None))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    mask = struct.pack("Q", 1 << (signal.SIGUSR1 - 1)).ljust(128, b"\0")
    signals = checked(libc.signalfd(-1, mask, os.O_CLOEXEC))
    waiting = select.epoll()
    for fd in event, timer, signals:
        waiting.register(fd, select.EPOLLIN)
    os.write(event, struct.pack("Q", 3))
    os.kill(os.getpid(), signal.SIGUSR1)
    ready: set[int] = set()
    while len(ready) < 3:
        ready |= {fd for fd, _ in waiting.poll(5)}
    assert struct.unpack("Q", os.read(event, 8)) == (3,)
    assert struct.unpack("Q", os.read(timer, 8)) == (1,)
    assert struct.unpack_from("I", os.read(signals, 128)) == (signal.SIGUSR1,)


@case()
def selecting(place: Path) -> None:
    restrict(place)
    reader, writer = os.pipe()
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        assert selector.select(0) == []
        os.write(writer, b"x")
        assert len(selector.select(5)) == 1
    assert select.select([reader], [], [], 0)[0] == [reader]
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    assert poll.poll(0) == [(reader, select.POLLIN)]


@case()
def interval_timers(place: Path) -> None:
    restrict(place)
    received: list[int] = []
    signal.signal(signal.SIGALRM, lambda number, frame: received.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    while not received:
        time.sleep(0.001)
    assert received == [signal.SIGALRM]
