# SPDX-License-Identifier: Apache-2.0
"""Files by other doors than the calls of this processor mode: io_uring, and the calls of 32-bit programs."""

from __future__ import annotations

import ctypes
import os

from containment.registry import Policy, hole
from containment.stage import Enter, Stage
from containment.system import succeed

RING = Policy(network=True)


@hole("file-ring", "reads a secret with io_uring, the network allowed", policy=RING)
def file_ring(stage: Stage) -> bool:
    helper = stage.helper

    def act(enter: Enter) -> bytes:
        enter()
        succeed(helper.open_ring(0))
        return os.read(succeed(helper.open_through_ring(os.fsencode(stage.secret_file), 0)), 100)

    return stage.reads_secret(act)


def read_by_old_ring(stage: Stage, flags: int, keeps_personality: bool) -> bool:
    helper = stage.helper

    def act(enter: Enter) -> bytes:
        succeed(helper.open_ring(flags))
        personality = succeed(helper.keep_personality()) if keeps_personality else 0
        enter()
        return os.read(succeed(helper.open_through_ring(os.fsencode(stage.secret_file), personality)), 100)

    return stage.reads_secret(act)


@hole("file-old-ring", "reads a secret with an io_uring from before, the network allowed", policy=RING)
def file_old_ring(stage: Stage) -> bool:
    return read_by_old_ring(stage, 0, keeps_personality=False)


@hole("file-old-ring-kept", "reads a secret with credentials kept in an io_uring from before")
def file_old_ring_kept(stage: Stage) -> bool:
    return read_by_old_ring(stage, 0, keeps_personality=True)


@hole(
    "file-old-ring-kept-allowed",
    "reads a secret with credentials kept in an io_uring from before, the network allowed",
    policy=RING,
    by_design="descriptors from before stay usable, and such a ring acts with what was registered with it",
)
def file_old_ring_kept_allowed(stage: Stage) -> bool:
    return read_by_old_ring(stage, 0, keeps_personality=True)


@hole("file-old-ring-thread", "reads a secret by the polling thread of an io_uring from before", may_refuse=True)
def file_old_ring_thread(stage: Stage) -> bool:
    return read_by_old_ring(stage, 2, keeps_personality=False)


@hole("file-int80", "reads a secret by a call of 32-bit programs, int 0x80", may_die=True)
def file_int80(stage: Stage) -> bool:
    helper = stage.helper

    def act(enter: Enter) -> bytes:
        enter()
        content = ctypes.create_string_buffer(64)
        length = succeed(helper.read_by_int80(os.fsencode(stage.secret_file), content))
        return content.raw[:length]

    return stage.reads_secret(act)
