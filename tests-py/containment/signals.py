# SPDX-License-Identifier: Apache-2.0
"""Signals to a process outside, by every call that sends one."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
from collections.abc import Callable

from containment.registry import hole
from containment.stage import Enter, Stage
from containment.system import call
from containment.threads import Worker

NUMBER = signal.SIGUSR1
WITHOUT_SCOPES = (1, 5)


def reaches_outside(stage: Stage, send: Callable[[int], object]) -> bool:
    """Tell whether the stage gets the signal. It blocks it, as the act does, so that it is there to be seen."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [NUMBER])
    target = os.getpid()

    def act(enter: Enter) -> None:
        enter()
        send(target)

    stage.run(act)
    return NUMBER in signal.sigpending()


def queued(process: int) -> bytes:
    """siginfo_t of sigqueue(3)."""
    return struct.pack("=iiiiiii", NUMBER, 0, -1, 0, process, os.getuid(), 0).ljust(128, b"\0")


@hole("signal-kill", "signals its parent, kill()", unenforced="signals", abis=WITHOUT_SCOPES)
def signal_kill(stage: Stage) -> bool:
    return reaches_outside(stage, lambda target: os.kill(target, NUMBER))


@hole("signal-group", "signals its process group", unenforced="signals", abis=WITHOUT_SCOPES)
def signal_group(stage: Stage) -> bool:
    return reaches_outside(stage, lambda target: os.kill(0, NUMBER))


@hole("signal-tgkill", "signals a thread of its parent, tgkill()", unenforced="signals")
def signal_tgkill(stage: Stage) -> bool:
    return reaches_outside(stage, lambda target: call("tgkill", target, target, NUMBER))


@hole("signal-pidfd", "signals its parent, pidfd_send_signal()", unenforced="signals")
def signal_pidfd(stage: Stage) -> bool:
    return reaches_outside(
        stage, lambda target: call("pidfd_send_signal", call("pidfd_open", target, 0), NUMBER, None, 0)
    )


@hole("signal-pidfd-group", "signals its process group, pidfd_send_signal()", unenforced="signals")
def signal_pidfd_group(stage: Stage) -> bool:
    return reaches_outside(
        stage, lambda target: call("pidfd_send_signal", call("pidfd_open", target, 0), NUMBER, None, 4)
    )


@hole("signal-queue", "queues a signal to its parent, sigqueue()", unenforced="signals")
def signal_queue(stage: Stage) -> bool:
    return reaches_outside(stage, lambda target: call("rt_sigqueueinfo", target, NUMBER, queued(os.getpid())))


@hole("signal-queue-thread", "queues a signal to a thread of its parent", unenforced="signals")
def signal_queue_thread(stage: Stage) -> bool:
    return reaches_outside(stage, lambda target: call("rt_tgsigqueueinfo", target, target, NUMBER, queued(os.getpid())))


def own_pipe(owner: int) -> None:
    """Have the kernel signal the owner of a pipe when it can be read."""
    receiver, sender = os.pipe()
    fcntl.fcntl(receiver, fcntl.F_SETOWN, owner)
    fcntl.fcntl(receiver, 10, NUMBER)  # F_SETSIG
    fcntl.fcntl(receiver, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(sender, b"!")


@hole("signal-owner", "makes its parent the owner of a pipe, F_SETOWN", unenforced="signals", abis=(5,))
def signal_owner(stage: Stage) -> bool:
    return reaches_outside(stage, own_pipe)


@hole("signal-owner-group", "makes its process group the owner of a pipe", unenforced="signals")
def signal_owner_group(stage: Stage) -> bool:
    return reaches_outside(stage, lambda target: own_pipe(-os.getpgrp()))


@hole("signal-thread", "a thread from before signals its parent", unenforced="signals", abis=(7,))
def signal_thread(stage: Stage) -> bool:
    signal.pthread_sigmask(signal.SIG_BLOCK, [NUMBER])
    target = os.getpid()

    def act(enter: Enter) -> None:
        worker = Worker()
        enter()
        worker.do(lambda: os.kill(target, NUMBER))

    stage.run(act)
    return NUMBER in signal.sigpending()
