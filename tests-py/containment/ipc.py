# SPDX-License-Identifier: Apache-2.0
"""What programs of one user share besides files: System V IPC, keys, message queues and a terminal."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import termios
import tty

from containment.registry import hole
from containment.stage import Enter, Stage, Unprovable
from containment.system import address, call, libc

IPC_PRIVATE, IPC_RMID, GETVAL, SETVAL = 0, 0, 12, 16
USER_KEYRING = -4
READ, SETPERM, SEARCH, INVALIDATE = 11, 5, 10, 21


@hole("sysv-memory", "reads shared memory of another program, System V")
def sysv_memory(stage: Stage) -> bool:
    libc.shmat.restype = ctypes.c_void_p
    identifier = call("shmget", IPC_PRIVATE, 4096, 0o600)

    def attach() -> int:
        place: int = libc.shmat(identifier, None, 0)
        if place == ctypes.c_void_p(-1).value:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return place

    def act(enter: Enter) -> bytes:
        enter()
        return ctypes.string_at(attach(), len(stage.secret))

    try:
        ctypes.memmove(attach(), stage.secret, len(stage.secret))
        return stage.reads_secret(act)
    finally:
        call("shmctl", identifier, IPC_RMID, 0)


@hole("sysv-queue", "reads a message queue of another program, System V")
def sysv_queue(stage: Stage) -> bool:
    identifier = call("msgget", IPC_PRIVATE, 0o600)

    def act(enter: Enter) -> bytes:
        enter()
        buffer = ctypes.create_string_buffer(200)
        length = call("msgrcv", identifier, buffer, 100, 0, 0o4000)
        return buffer.raw[8 : 8 + length]

    try:
        call("msgsnd", identifier, struct.pack("=q", 1) + stage.secret, len(stage.secret), 0)
        return stage.reads_secret(act)
    finally:
        call("msgctl", identifier, IPC_RMID, 0)


@hole("sysv-semaphore", "sets a semaphore of another program, System V")
def sysv_semaphore(stage: Stage) -> bool:
    identifier = call("semget", IPC_PRIVATE, 1, 0o600)

    def act(enter: Enter) -> None:
        enter()
        call("semctl", identifier, 0, SETVAL, 7)

    try:
        stage.run(act)
        return call("semctl", identifier, 0, GETVAL, 0) == 7
    finally:
        call("semctl", identifier, 0, IPC_RMID, 0)


def take_key(stage: Stage, name: str, *arguments: int | bytes | None) -> bool:
    """A key of the user's keyring, found by a system call."""
    description = b"nono-" + stage.secret[:8]
    try:
        key = call("add_key", b"user", description, stage.secret, len(stage.secret), USER_KEYRING)
    except OSError as error:
        raise Unprovable("there is no keyring to put a key in") from error
    call("keyctl", SETPERM, key, 0x3F3F0000)

    def act(enter: Enter) -> bytes:
        enter()
        found = call(name, *(description if argument == b"NAME" else argument for argument in arguments))
        buffer = ctypes.create_string_buffer(100)
        length = call("keyctl", READ, found, buffer, 100)
        return buffer.raw[:length]

    try:
        return stage.reads_secret(act)
    finally:
        call("keyctl", INVALIDATE, key)


@hole("key-search", "finds a key of the user and reads it, keyctl()")
def key_search(stage: Stage) -> bool:
    return take_key(stage, "keyctl", SEARCH, USER_KEYRING, b"user", b"NAME", 0)


@hole("key-request", "has a key of the user looked up and reads it, request_key()")
def key_request(stage: Stage) -> bool:
    return take_key(stage, "request_key", b"user", b"NAME", None, 0)


@hole("posix-queue", "reads a POSIX message queue")
def posix_queue(stage: Stage) -> bool:
    name = b"/nono-" + stage.secret[:8]
    attributes = ctypes.create_string_buffer(struct.pack("=4q", 0, 1, 100, 0), 64)
    queue = libc.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, attributes)
    if queue < 0:
        raise Unprovable("there are no POSIX message queues")
    libc.mq_send(queue, stage.secret, len(stage.secret), 0)

    def act(enter: Enter) -> bytes:
        enter()
        own = libc.mq_open(name, os.O_RDONLY | os.O_NONBLOCK)
        if own < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        buffer = ctypes.create_string_buffer(100)
        length = libc.mq_receive(own, buffer, 100, None)
        return buffer.raw[:length]

    try:
        return stage.reads_secret(act)
    finally:
        libc.mq_unlink(name)


def type_into_terminal(stage: Stage, command: int) -> bool:
    """Input on the terminal that the process shares with a shell outside."""
    try:
        with open("/proc/sys/dev/tty/legacy_tiocsti") as setting:
            is_allowed = setting.read().strip() == "1" or os.getuid() == 0
    except FileNotFoundError:
        is_allowed = True
    if not is_allowed:
        raise Unprovable("dev.tty.legacy_tiocsti is 0")
    terminal = os.openpty()[1]
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    tty.setraw(terminal)

    def act(enter: Enter) -> None:
        enter()
        character = ctypes.create_string_buffer(b"!")
        libc.ioctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p]
        if libc.ioctl(terminal, command, address(character)) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    stage.run(act)
    os.set_blocking(terminal, False)
    try:
        return os.read(terminal, 10) == b"!"
    except BlockingIOError:
        return False


@hole("terminal", "types into the terminal of the shell outside, TIOCSTI")
def terminal_input(stage: Stage) -> bool:
    return type_into_terminal(stage, termios.TIOCSTI)


@hole("terminal-high-bits", "types into that terminal with bits in the command that the kernel ignores")
def terminal_high_bits(stage: Stage) -> bool:
    return type_into_terminal(stage, termios.TIOCSTI | 1 << 32)
