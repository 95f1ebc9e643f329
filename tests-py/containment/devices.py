# SPDX-License-Identifier: Apache-2.0
"""Devices, and what is known about files besides their contents."""

from __future__ import annotations

import fcntl
import os
import stat

from containment.files import after
from containment.registry import Policy, hole
from containment.stage import Enter, Stage


def open_device(stage: Stage, kind: int, device: int) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        node = stage.project / "node"
        os.mknod(node, kind | 0o600, device)
        return os.read(os.open(node, os.O_RDONLY), 512)

    return len(stage.run(act)) == 512


@hole("device-character", "makes a device node in the project and reads the device")
def device_character(stage: Stage) -> bool:
    return open_device(stage, stat.S_IFCHR, os.makedev(1, 9))


@hole("device-block", "makes a node of the disk in the project and reads the disk")
def device_block(stage: Stage) -> bool:
    return open_device(stage, stat.S_IFBLK, os.stat("/").st_dev)


@hole(
    "device-control",
    "controls a device that may only be read, with /dev granted",
    policy=Policy(read=("/dev",)),
    unenforced="device_control",
    abis=(4,),
)
def device_control(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        with open("/dev/urandom", "rb", buffering=0) as device:
            return fcntl.ioctl(device, 0x80045200, bytes(4))  # RNDGETENTCNT

    return len(stage.run(act)) == 4


@hole("metadata-mode", "changes the mode of a file outside", unenforced="metadata")
def metadata_mode(stage: Stage) -> bool:
    stage.run(lambda enter: after(enter, lambda: stage.secret_file.chmod(0o644)))
    return stage.secret_file.stat().st_mode & 0o777 == 0o644


@hole("metadata-times", "changes the times of a file outside", unenforced="metadata")
def metadata_times(stage: Stage) -> bool:
    stage.run(lambda enter: after(enter, lambda: os.utime(stage.secret_file, (1, 1))))
    return stage.secret_file.stat().st_mtime == 1


@hole("metadata-attribute", "sets an extended attribute of a file outside", unenforced="metadata")
def metadata_attribute(stage: Stage) -> bool:
    stage.run(lambda enter: after(enter, lambda: os.setxattr(stage.secret_file, "user.mark", b"1")))
    return os.listxattr(stage.secret_file) == ["user.mark"]
