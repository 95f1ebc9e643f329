# SPDX-License-Identifier: Apache-2.0
"""Files by every name and handle that leads to them."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from containment.registry import Policy, hole
from containment.stage import Enter, Stage, read
from containment.system import call
from containment.threads import cat, output_of

PROC = Policy(read=("/proc",))
AT_FDCWD = -100


def after(enter: Enter, action: Callable[[], object]) -> bytes:
    """Perform an act that needs no preparation."""
    enter()
    result = action()
    return result if isinstance(result, bytes) else b""


@hole("file-read", "reads a secret", abis=(1,))
def file_read(stage: Stage) -> bool:
    return stage.reads_secret(lambda enter: after(enter, lambda: read(stage.secret_file)))


@hole("file-program", "has another program read a secret")
def file_program(stage: Stage) -> bool:
    return stage.reads_secret(lambda enter: after(enter, lambda: cat(stage)))


@hole("file-daemon", "reads a secret in a daemon, which is left behind")
def file_daemon(stage: Stage) -> bool:
    receiver, sender = os.pipe()

    def act(enter: Enter) -> None:
        enter()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                try:
                    os.write(sender, read(stage.secret_file))
                except OSError:
                    os.write(sender, b"refused")
            os._exit(0)

    stage.run(act)
    return os.read(receiver, 100) == stage.secret


@hole("file-symlink", "reads a secret through a link made in the project")
def file_symlink(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        (stage.project / "link").symlink_to(stage.secret_file)
        return read(stage.project / "link")

    return stage.reads_secret(act)


@hole("file-hard-link", "links a secret into the project", abis=(1,))
def file_hard_link(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        os.link(stage.secret_file, stage.project / "name")
        return read(stage.project / "name")

    return stage.reads_secret(act)


@hole("file-rename", "moves a secret into the project", abis=(1,))
def file_rename(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        os.rename(stage.secret_file, stage.project / "name")
        return read(stage.project / "name")

    return stage.reads_secret(act)


@hole("file-exchange", "exchanges the secret's directory for one of the project")
def file_exchange(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        own = stage.project / "own"
        own.mkdir()
        call("renameat2", AT_FDCWD, os.fsencode(own), AT_FDCWD, os.fsencode(stage.outside), 2)
        return read(own / "secret")

    return stage.reads_secret(act)


@hole("file-write", "writes a file outside")
def file_write(stage: Stage) -> bool:
    stage.run(lambda enter: after(enter, lambda: stage.secret_file.write_bytes(b"written")))
    return stage.secret_file.read_bytes() == b"written"


@hole("file-create", "creates a file outside")
def file_create(stage: Stage) -> bool:
    stage.run(lambda enter: after(enter, lambda: (stage.outside / "new").touch()))
    return (stage.outside / "new").exists()


@hole("file-remove", "removes what is outside")
def file_remove(stage: Stage) -> bool:
    stage.run(lambda enter: after(enter, lambda: shutil.rmtree(stage.outside)))
    return not stage.secret_file.exists()


@hole("file-truncate", "truncates a file that may only be read", unenforced="truncation", abis=(2,))
def file_truncate(stage: Stage) -> bool:
    stage.run(lambda enter: after(enter, lambda: os.truncate(stage.secret_file, 0)))
    return stage.secret_file.stat().st_size == 0


@hole("file-run", "runs a program that is not granted")
def file_run(stage: Stage) -> bool:
    tool = stage.outside / "tool"
    tool.write_text("#!/bin/sh\necho it ran\n")
    tool.chmod(0o755)
    return stage.run(lambda enter: after(enter, lambda: output_of(str(tool)))) == b"it ran\n"


@hole("file-run-memory", "runs a program that it made up in memory", by_design="what can be read can be run")
def file_run_memory(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        memory = os.memfd_create("program", 0)
        os.write(memory, read("/bin/echo"))
        receiver, sender = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(sender, 1)
            os.execve(memory, ["echo", "it ran"], {})
        os.waitpid(child, 0)
        return os.read(receiver, 100)

    return stage.run(act) == b"it ran\n"


@hole("file-move-out", "moves a directory of the project out of it")
def file_move_out(stage: Stage) -> bool:
    def act(enter: Enter) -> None:
        enter()
        (stage.project / "own").mkdir()
        os.rename(stage.project / "own", stage.outside / "own")

    stage.run(act)
    return (stage.outside / "own").exists()


@hole("file-link-handle", "links a handle that was made with O_PATH before, with /proc granted", policy=PROC)
def file_link_handle(stage: Stage) -> bool:
    handle = os.open(stage.secret_file, os.O_PATH)

    def act(enter: Enter) -> bytes:
        enter()
        # Only with a directory does Python make the call that follows links.
        project = os.open(stage.project, os.O_RDONLY)
        os.link(f"/proc/self/fd/{handle}", "name", src_dir_fd=project, dst_dir_fd=project, follow_symlinks=True)
        return read(stage.project / "name")

    return stage.reads_secret(act)


@hole("file-proc-root", "reads a secret below /proc/self/root, with /proc granted", policy=PROC)
def file_proc_root(stage: Stage) -> bool:
    path = Path(f"/proc/self/root{stage.secret_file}")
    return stage.reads_secret(lambda enter: after(enter, lambda: read(path)))


@hole("file-proc-cwd", "reads a secret below /proc/self/cwd, with /proc granted", policy=PROC)
def file_proc_cwd(stage: Stage) -> bool:
    os.chdir(stage.outside)
    return stage.reads_secret(lambda enter: after(enter, lambda: read("/proc/self/cwd/secret")))


@hole("file-proc-fd", "opens a handle again that was made with O_PATH before, with /proc granted", policy=PROC)
def file_proc_fd(stage: Stage) -> bool:
    handle = os.open(stage.secret_file, os.O_PATH)
    return stage.reads_secret(lambda enter: after(enter, lambda: read(f"/proc/self/fd/{handle}")))


@hole("file-directory", "reads a secret below a directory that was opened before")
def file_directory(stage: Stage) -> bool:
    folder = os.open(stage.outside, os.O_RDONLY)

    def act(enter: Enter) -> bytes:
        enter()
        return os.read(os.open("secret", os.O_RDONLY, dir_fd=folder), 100)

    return stage.reads_secret(act)


@hole("file-chroot", "reads a secret after chroot() to its directory")
def file_chroot(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        os.chroot(stage.outside)
        return read("/secret")

    return stage.reads_secret(act)


@hole("file-handle", "reads a secret by its handle, open_by_handle_at()")
def file_handle(stage: Stage) -> bool:
    handle = ctypes.create_string_buffer((128).to_bytes(4, "little"), 136)
    mount = ctypes.create_string_buffer(4)
    call("name_to_handle_at", AT_FDCWD, os.fsencode(stage.secret_file), handle, mount, 0)
    folder = os.open(stage.project, os.O_RDONLY)

    def act(enter: Enter) -> bytes:
        enter()
        return os.read(call("open_by_handle_at", folder, handle, os.O_RDONLY), 100)

    return stage.reads_secret(act)


@hole("inherited-file", "reads a file that was opened before", by_design="descriptors from before stay usable")
def inherited_file(stage: Stage) -> bool:
    file = os.open(stage.secret_file, os.O_RDONLY)
    return stage.reads_secret(lambda enter: after(enter, lambda: os.read(file, 100)))


@hole(
    "inherited-child", "has a child that was started before read a secret", by_design="children from before stay free"
)
def inherited_child(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        (go, starter), (receiver, sender) = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.write(sender, read(stage.secret_file) if os.read(go, 1) else b"")
            os._exit(0)
        enter()
        os.write(starter, b"!")
        return os.read(receiver, 100)

    return stage.reads_secret(act)
