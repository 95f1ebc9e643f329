# SPDX-License-Identifier: Apache-2.0
"""Processes outside: what they hold in memory, and what can be done to them."""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import struct
import subprocess
from collections.abc import Callable
from contextlib import suppress

from containment.registry import Policy, hole
from containment.stage import Enter, Stage, Unprovable, read
from containment.system import address, anonymous_page, call
from containment.threads import Worker, output_of

PROC = Policy(read=("/proc",))
NEW_UTS, NEW_MOUNTS, NEW_USER = 0x04000000, 0x00020000, 0x10000000
SYS_ADMIN = 1 << 21
SEIZE, INTERRUPT, PEEK = 0x4206, 0x4207, 2
WAIT_ALL = 0x40000000


def reads_memory(stage: Stage, peek: Callable[[int, int], bytes]) -> bool:
    """Tell whether memory of a process outside can be read, of which its number and an address are known."""
    page, place = anonymous_page(stage.secret)

    def act(enter: Enter) -> bytes:
        page[:] = bytes(len(page))  # the act's own copy
        enter()
        return peek(neighbour, place)

    with stage.bystander(lambda: None) as neighbour:
        return stage.reads_secret(act)


@hole("memory-readv", "reads memory of another process, process_vm_readv()")
def memory_readv(stage: Stage) -> bool:
    def peek(process: int, place: int) -> bytes:
        buffer = ctypes.create_string_buffer(32)
        local, remote = struct.pack("=QQ", address(buffer), 32), struct.pack("=QQ", place, 32)
        length = call("process_vm_readv", process, local, 1, remote, 1, 0)
        return buffer.raw[:length]

    return reads_memory(stage, peek)


@hole("memory-ptrace", "traces another process and reads its memory, ptrace()")
def memory_ptrace(stage: Stage) -> bool:
    def peek(process: int, place: int) -> bytes:
        call("ptrace", SEIZE, process, 0, 0)
        call("ptrace", INTERRUPT, process, 0, 0)
        os.waitpid(process, WAIT_ALL)
        word = ctypes.create_string_buffer(8)
        content = b""
        for offset in range(0, 32, 8):
            call("ptrace", PEEK, process, place + offset, word)
            content += word.raw
        return content

    return reads_memory(stage, peek)


@hole("memory-proc", "reads memory of another process, /proc granted", policy=PROC)
def memory_proc(stage: Stage) -> bool:
    return reads_memory(stage, lambda process, place: os.pread(os.open(f"/proc/{process}/mem", os.O_RDONLY), 32, place))


@hole("environment", "reads the environment of another process, /proc granted", policy=PROC)
def environment(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        return read(f"/proc/{neighbour.pid}/environ").partition(b"TOKEN=")[2].rstrip(b"\0")

    with subprocess.Popen(["sleep", "60"], env={"TOKEN": stage.secret.decode()}) as neighbour:
        try:
            return stage.reads_secret(act)
        finally:
            neighbour.kill()


@hole("descriptor", "takes an open file from another process, pidfd_getfd()")
def descriptor(stage: Stage) -> bool:
    file = os.open(stage.secret_file, os.O_RDONLY)

    def act(enter: Enter) -> bytes:
        os.close(file)
        enter()
        return os.pread(call("pidfd_getfd", call("pidfd_open", neighbour, 0), file, 0), 100, 0)

    with stage.bystander(lambda: None) as neighbour:
        return stage.reads_secret(act)


@hole("namespace", "enters a namespace of another process, setns()")
def namespace(stage: Stage) -> bool:
    waiting, ready = os.pipe()

    def live_elsewhere() -> None:
        with suppress(OSError):
            call("unshare", NEW_UTS)
            socket.sethostname(stage.secret.decode())
            os.write(ready, b"!")
        os.close(ready)

    def act(enter: Enter) -> bytes:
        handle = os.open(f"/proc/{neighbour}/ns/uts", os.O_RDONLY)
        enter()
        call("setns", handle, NEW_UTS)
        return socket.gethostname().encode()

    with stage.bystander(live_elsewhere) as neighbour:
        os.close(ready)
        if not os.read(waiting, 1):
            raise Unprovable("no process can have a namespace of its own")
        return stage.reads_secret(act)


@hole("user-namespace", "mounts the secret into the project in namespaces of its own")
def user_namespace(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        (stage.project / "mounted").mkdir()
        call("unshare", NEW_USER | NEW_MOUNTS)
        call("mount", os.fsencode(stage.outside), os.fsencode(stage.project / "mounted"), None, 0x1000, None)
        return read(stage.project / "mounted" / "secret")

    return stage.reads_secret(act)


def has_administration(status: bytes) -> bool:
    line = next(line for line in status.splitlines() if line.startswith(b"CapEff:"))
    return int(line.split()[1], 16) & SYS_ADMIN != 0


@hole("capabilities", "administers the system, CAP_SYS_ADMIN", policy=PROC)
def capabilities(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        return read("/proc/self/status")

    return has_administration(stage.run(act))


@hole("capabilities-program", "gets capabilities back by running a program", policy=PROC)
def capabilities_program(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        return output_of("cat", "/proc/self/status")

    return has_administration(stage.run(act))


@hole("capabilities-thread", "uses those of a thread from before", policy=PROC)
def capabilities_thread(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        worker = Worker()
        enter()
        return worker.do(lambda: read("/proc/thread-self/status"))

    return has_administration(stage.run(act))


def changes(stage: Stage, change: Callable[[int], object], measure: Callable[[], object]) -> bool:
    """Tell whether the act can change the stage itself, or its process group."""
    before, target = measure(), os.getpid()

    def act(enter: Enter) -> None:
        enter()
        change(target)

    stage.run(act)
    return measure() != before


@hole("limits", "sets resource limits of another process, prlimit()")
def limits(stage: Stage) -> bool:
    return changes(
        stage,
        lambda target: resource.prlimit(target, resource.RLIMIT_CORE, (0, 0)),
        lambda: resource.getrlimit(resource.RLIMIT_CORE),
    )


@hole("priority", "lowers the priority of another process, setpriority()")
def priority(stage: Stage) -> bool:
    return changes(stage, lambda target: os.setpriority(os.PRIO_PROCESS, target, 19), lambda: os.nice(0))


@hole("priority-group", "lowers the priority of its process group")
def priority_group(stage: Stage) -> bool:
    return changes(stage, lambda target: os.setpriority(os.PRIO_PGRP, 0, 19), lambda: os.nice(0))


@hole("priority-io", "lowers the I/O priority of another process, ioprio_set()")
def priority_io(stage: Stage) -> bool:
    return changes(
        stage, lambda target: call("ioprio_set", 1, target, 3 << 13), lambda: call("ioprio_get", 1, os.getpid())
    )


@hole("affinity", "binds another process to one processor, sched_setaffinity()")
def affinity(stage: Stage) -> bool:
    if len(os.sched_getaffinity(0)) < 2:
        raise Unprovable("there is one processor only")
    first = min(os.sched_getaffinity(0))
    return changes(stage, lambda target: os.sched_setaffinity(target, {first}), lambda: os.sched_getaffinity(0))


@hole("scheduler", "changes the scheduling of another process, sched_setscheduler()")
def scheduler(stage: Stage) -> bool:
    return changes(
        stage,
        lambda target: os.sched_setscheduler(target, os.SCHED_BATCH, os.sched_param(0)),
        lambda: os.sched_getscheduler(0),
    )


@hole("scheduler-attributes", "changes the scheduling of another process, sched_setattr()")
def scheduler_attributes(stage: Stage) -> bool:
    batch = struct.pack("=IIQiIQQQ", 48, os.SCHED_BATCH, 0, 0, 0, 0, 0, 0)
    return changes(stage, lambda target: call("sched_setattr", target, batch, 0), lambda: os.sched_getscheduler(0))
