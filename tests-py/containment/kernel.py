# SPDX-License-Identifier: Apache-2.0
"""The kernel itself: what administers the system, and calls that sandboxes close since they have had many bugs.

Nothing here changes the machine: an act sets what is set already, happens in a namespace of its own, or passes
arguments that the kernel refuses once it has allowed the call.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
import time
from collections.abc import Callable

from containment.files import AT_FDCWD
from containment.registry import hole
from containment.stage import MOMENT, Enter, Stage, Unprovable, read
from containment.system import call, is_let_through

NEW_UTS, NEW_MOUNTS = 0x04000000, 0x00020000
PRIVATE = 0x44000  # MS_REC | MS_PRIVATE
NOWHERE = b"/nonexistent/nono"


def is_allowed(stage: Stage, request: Callable[[], object]) -> bool:
    """Tell whether the kernel carries out a request, or refuses it for its arguments only."""

    def act(enter: Enter) -> bytes:
        enter()
        request()
        return b"allowed"

    return stage.run(act) == b"allowed"


@hole("bpf", "makes a BPF map")
def bpf(stage: Stage) -> bool:
    attributes = struct.pack("=IIII", 2, 4, 8, 1).ljust(128, b"\0")
    return is_allowed(stage, lambda: call("bpf", 0, attributes, 128))


def watch_performance(stage: Stage, process: int, processor: int, flags: int) -> bool:
    attributes = struct.pack("=IIQQQQQ", 1, 64, 0, 0, 0, 0, flags).ljust(64, b"\0")
    return is_allowed(stage, lambda: call("perf_event_open", attributes, process, processor, -1, 0))


@hole("perf-system", "watches what all processes do, perf_event_open()")
def perf_system(stage: Stage) -> bool:
    return watch_performance(stage, -1, 0, 0)


@hole("perf-self", "watches itself, perf_event_open()")
def perf_self(stage: Stage) -> bool:
    return watch_performance(stage, 0, -1, 1 << 5 | 1 << 6)  # neither kernel nor hypervisor


@hole("userfaultfd", "handles page faults itself, userfaultfd()")
def userfaultfd(stage: Stage) -> bool:
    return is_allowed(stage, lambda: call("userfaultfd", 1))


@hole("kexec", "asks for another kernel, kexec_load() of nothing")
def kexec(stage: Stage) -> bool:
    return is_allowed(stage, lambda: is_let_through("kexec_load", 0, 0, None, 0xFFFF))


@hole("kexec-file", "asks for another kernel, kexec_file_load() of nothing")
def kexec_file(stage: Stage) -> bool:
    return is_allowed(stage, lambda: is_let_through("kexec_file_load", -1, -1, 0, None, 0xFFFF))


@hole("module", "loads a kernel module, init_module() of nothing")
def module(stage: Stage) -> bool:
    return is_allowed(stage, lambda: is_let_through("init_module", None, 0, b""))


@hole("module-file", "loads a kernel module, finit_module() of nothing")
def module_file(stage: Stage) -> bool:
    return is_allowed(stage, lambda: is_let_through("finit_module", -1, b"", 0))


@hole("swap-on", "adds swap space that does not exist")
def swap_on(stage: Stage) -> bool:
    return is_allowed(stage, lambda: is_let_through("swapon", NOWHERE, 0))


@hole("swap-off", "removes swap space that does not exist")
def swap_off(stage: Stage) -> bool:
    return is_allowed(stage, lambda: is_let_through("swapoff", NOWHERE))


@hole("reboot", "asks for a reboot, with numbers that mean none")
def reboot(stage: Stage) -> bool:
    return is_allowed(stage, lambda: is_let_through("reboot", 0, 0, 0, None))


@hole("accounting", "turns process accounting on, into no file")
def accounting(stage: Stage) -> bool:
    return is_allowed(stage, lambda: is_let_through("acct", NOWHERE))


@hole("io-privilege", "takes hold of all I/O ports, iopl()")
def io_privilege(stage: Stage) -> bool:
    return is_allowed(stage, lambda: call("iopl", 3))


@hole("io-ports", "takes hold of an I/O port, ioperm()")
def io_ports(stage: Stage) -> bool:
    return is_allowed(stage, lambda: call("ioperm", 0x80, 1, 1))


@hole("hang-up", "hangs up a terminal, of which it has none, vhangup()")
def hang_up(stage: Stage) -> bool:
    return is_allowed(stage, lambda: call("vhangup"))


@hole("kernel-log", "reads the kernel log, syslog()")
def kernel_log(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        buffer = ctypes.create_string_buffer(4096)
        length = call("syslog", 3, buffer, len(buffer))
        return buffer.raw[:length]

    return len(stage.run(act)) > 0


@hole("clock", "sets the clock, clock_settime(), to what it is")
def clock(stage: Stage) -> bool:
    def set_clock() -> None:
        time.clock_settime_ns(time.CLOCK_REALTIME, time.clock_gettime_ns(time.CLOCK_REALTIME))

    return is_allowed(stage, set_clock)


@hole("clock-zone", "sets the kernel's time zone, settimeofday(), to what it is")
def clock_zone(stage: Stage) -> bool:
    zone = ctypes.create_string_buffer(8)
    call("gettimeofday", None, zone)
    return is_allowed(stage, lambda: call("settimeofday", None, zone))


@hole("clock-adjust", "adjusts the clock, adjtimex(), to what it is")
def clock_adjust(stage: Stage) -> bool:
    state = ctypes.create_string_buffer(256)
    call("adjtimex", state)
    ctypes.memmove(state, struct.pack("=I", 0x10), 4)  # ADJ_STATUS
    return is_allowed(stage, lambda: call("adjtimex", state))


def in_own_namespace(flags: int) -> None:
    try:
        call("unshare", flags)
        if flags & NEW_MOUNTS:
            call("mount", None, b"/", None, PRIVATE, None)
    except OSError as error:
        raise Unprovable("no namespace but that of the machine can be had") from error


@hole("host-name", "sets the host name, that of a namespace")
def host_name(stage: Stage) -> bool:
    in_own_namespace(NEW_UTS)
    name = stage.secret.decode()
    is_allowed(stage, lambda: socket.sethostname(name))
    return socket.gethostname() == name


@hole("domain-name", "sets the domain name, that of a namespace")
def domain_name(stage: Stage) -> bool:
    in_own_namespace(NEW_UTS)
    is_allowed(stage, lambda: call("setdomainname", stage.secret, len(stage.secret)))
    with open("/proc/sys/kernel/domainname") as name:
        return name.read().strip() == stage.secret.decode()


@hole("mount", "mounts the secret into the project")
def mount(stage: Stage) -> bool:
    in_own_namespace(NEW_MOUNTS)
    place = stage.project / "mounted"
    place.mkdir()

    def act(enter: Enter) -> bytes:
        enter()
        call("mount", os.fsencode(stage.outside), os.fsencode(place), None, 0x1000, None)
        return read(place / "secret")

    return stage.reads_secret(act)


@hole("mount-tree", "takes a copy of a mount and reads the secret below it, open_tree()")
def mount_tree(stage: Stage) -> bool:
    in_own_namespace(NEW_MOUNTS)

    def act(enter: Enter) -> bytes:
        enter()
        copy = call("open_tree", AT_FDCWD, os.fsencode(stage.outside), 1)
        return os.read(os.open("secret", os.O_RDONLY, dir_fd=copy), 100)

    return stage.reads_secret(act)


@hole("mount-new", "makes a file system, fsopen()")
def mount_new(stage: Stage) -> bool:
    return is_allowed(stage, lambda: call("fsopen", b"tmpfs", 0))


@hole("unmount", "unmounts what is outside")
def unmount(stage: Stage) -> bool:
    in_own_namespace(NEW_MOUNTS)
    call("mount", b"tmpfs", os.fsencode(stage.outside), b"tmpfs", 0, None)
    is_allowed(stage, lambda: call("umount2", os.fsencode(stage.outside), 0))
    return not os.path.ismount(stage.outside)


@hole("pivot-root", "changes the root of all, pivot_root(), to no directory")
def pivot_root(stage: Stage) -> bool:
    return is_allowed(stage, lambda: is_let_through("pivot_root", NOWHERE, NOWHERE))


def watch(stage: Stage, start: Callable[[], int]) -> bool:
    """Tell whether the act learns that somebody opens the secret."""
    watching, watcher = os.pipe()

    def act(enter: Enter) -> bytes:
        enter()
        events = start()
        os.write(watcher, b"!")
        return b"seen" if select.select([events], [], [], 10 * MOMENT)[0] and os.read(events, 4096) else b""

    def look() -> None:
        if os.read(watching, 1):
            read(stage.secret_file)

    with stage.bystander(look):
        return stage.run(act) == b"seen"


@hole("fanotify", "watches what others do in a directory outside, fanotify")
def fanotify(stage: Stage) -> bool:
    def start() -> int:
        events = call("fanotify_init", 0x200, 0)
        call("fanotify_mark", events, 1, 0x08000020, AT_FDCWD, os.fsencode(stage.outside))
        return events

    return watch(stage, start)


@hole("inotify", "watches what others do in a directory outside, inotify", by_design="no kernel so far mediates it")
def inotify(stage: Stage) -> bool:
    def start() -> int:
        events = call("inotify_init1", 0)
        call("inotify_add_watch", events, os.fsencode(stage.outside), 0x20)
        return events

    return watch(stage, start)
