# SPDX-License-Identifier: Apache-2.0
"""What root does with its rights, in what it was granted."""

import os
import socket
import subprocess
import threading
from pathlib import Path

from working.cases import NULL, PROGRAMS, ROOT, case, existing, refused, restrict

NOBODY = 65534


@case(users=(ROOT,))
def owners_and_modes(place: Path) -> None:
    restrict(place)
    file = place / "file"
    file.touch()
    os.chown(file, 1234, 2345)
    os.chmod(file, 0o4750)
    os.utime(file, (1, 2))
    found = file.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (1234, 2345, 0o4750)


@case(users=(ROOT,))
def files_of_others(place: Path) -> None:
    file = place / "file"
    file.write_text("text")
    os.chown(file, NOBODY, NOBODY)
    os.chmod(file, 0)
    (place / "directory").mkdir(0o000)
    restrict(place)
    assert file.read_text() == "text"
    file.write_text("other")
    (place / "directory" / "file").touch()
    assert os.listdir(place / "directory") == ["file"]


@case(users=(ROOT,))
def becoming_another_user(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS)
    (place / "roots").touch(0o600)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        with refused():
            (place / "roots").read_text()
        with refused():
            os.setuid(0)
        os._exit(7)
    assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 7
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "id", "-u"]
    assert subprocess.run(command, stdout=-1, check=True).stdout == b"65534\n"
    assert subprocess.run(["id", "-u"], user=NOBODY, group=NOBODY, extra_groups=[], stdout=-1).stdout == b"65534\n"


@case(users=(ROOT,), programs=("su", "runuser"))
def programs_that_become_another_user(place: Path) -> None:
    # They report to the audit system of the kernel, over a netlink socket, if there is such a thing.
    restrict(place, NULL, read=PROGRAMS + existing("/etc"))
    for command in ["runuser", "-u", "nobody", "--", "id", "-u"], ["su", "nobody", "-s", "/bin/sh", "-c", "id -u"]:
        assert subprocess.run(command, stdout=-1, check=True).stdout == b"65534\n"


@case(users=(ROOT,))
def becoming_another_user_with_threads(place: Path) -> None:
    # setuid(2) concerns a thread; libc tells the others by signal 33, which the sandbox uses for its own purpose too.
    def users() -> list[str]:
        lines = []
        for task in Path("/proc/self/task").iterdir():
            lines += [line for line in (task / "status").read_text().splitlines() if line.startswith("Uid:")]
        return lines

    stop = threading.Event()
    old = [threading.Thread(target=stop.wait) for _ in range(4)]
    for thread in old:
        thread.start()
    os.setresgid(NOBODY, NOBODY, 0)  # before: now libc has its handler
    restrict(place, read=[Path("/proc")])
    os.setresuid(NOBODY, NOBODY, NOBODY)
    assert users() == [f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}"] * 5
    stop.set()
    for thread in old:
        thread.join(5)


@case(users=(ROOT,))
def archives_with_owners(place: Path) -> None:
    restrict(place, read=PROGRAMS)
    (place / "file").touch()
    os.chown(place / "file", 1234, 1234)
    subprocess.run(["tar", "-cf", "archive", "--numeric-owner", "file"], cwd=place, check=True)
    (place / "file").unlink()
    subprocess.run(["tar", "-xpf", "archive", "--numeric-owner"], cwd=place, check=True)
    subprocess.run(["cp", "-a", "file", "copy"], cwd=place, check=True)
    assert (place / "copy").stat().st_uid == 1234


@case(users=(ROOT,))
def ports_and_priorities_of_root(place: Path) -> None:
    restrict(place, network=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 901))
    before = os.nice(0)
    os.setpriority(os.PRIO_PROCESS, 0, before - 1)
    assert os.nice(0) == before - 1


@case(users=(ROOT,))
def changing_the_root(place: Path) -> None:
    (place / "tmp" / "file").write_text("text")
    restrict(place)
    child = os.fork()
    if child == 0:
        os.chroot(place / "tmp")
        assert Path("/file").read_text() == "text"
        with refused(FileNotFoundError):
            Path("/usr").stat()
        os._exit(7)
    assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 7
