# SPDX-License-Identifier: Apache-2.0
"""Files and directories, with nothing granted but what they lie in."""

import fcntl
import mmap
import os
import shutil
import sqlite3
import stat
import tempfile
from pathlib import Path

from working.cases import NULL, case, refused, restrict


def two_directories(place: Path) -> tuple[Path, Path]:
    for name in "one", "two":
        (place / name).mkdir()
    return place / "one", place / "two"


@case()
def read_and_write(place: Path) -> None:
    restrict(place)
    (place / "d" / "e").mkdir(parents=True)
    file = place / "d" / "e" / "file"
    file.write_bytes(b"some text")
    with open(file, "r+b") as opened:
        opened.truncate(4)
        opened.seek(0, os.SEEK_END)
        opened.write(b"!")
        os.fsync(opened.fileno())
    os.truncate(file, 5)
    assert file.read_bytes() == b"some!"
    assert os.listdir(place / "d") == ["e"]
    file.unlink()
    (place / "d" / "e").rmdir()
    assert os.listdir(place / "d") == []


@case()
def rename_across_grants(place: Path) -> None:
    one, two = two_directories(place)
    (one / "file").write_text("moved")
    (one / "directory").mkdir()
    restrict(one, two)
    os.rename(one / "file", two / "file")
    os.rename(one / "directory", two / "directory")
    shutil.move(two / "file", two / "directory")
    os.replace(two / "directory" / "file", one / "file")
    assert (one / "file").read_text() == "moved"
    assert (two / "directory").is_dir()
    with refused():
        os.rename(one / "file", place / "file")


@case()
def hard_and_symbolic_links(place: Path) -> None:
    one, two = two_directories(place)
    restrict(one, two)
    (one / "file").write_text("linked")
    os.link(one / "file", one / "hard")
    os.link(one / "file", two / "hard")
    os.symlink(one / "file", two / "soft")
    assert (two / "hard").read_text() == (two / "soft").read_text() == "linked"
    assert os.stat(one / "file").st_nlink == 3
    assert os.readlink(two / "soft") == str(one / "file")


@case()
def temporary_files(place: Path) -> None:
    restrict(place / "tmp")
    with tempfile.NamedTemporaryFile() as named, tempfile.TemporaryFile() as unnamed:
        named.write(b"text")
        named.flush()
        assert Path(named.name).read_bytes() == b"text"
        unnamed.write(b"text")
        unnamed.seek(0)
        assert unnamed.read() == b"text"
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "file").touch()
    assert os.listdir(place / "tmp") == []


@case()
def name_an_unnamed_file(place: Path) -> None:
    restrict(place)
    fd = os.open(place, os.O_TMPFILE | os.O_RDWR)
    os.write(fd, b"complete")
    # To follow the link is what links the file and not the link: AT_SYMLINK_FOLLOW, open(2). With a descriptor, since
    # os.link() uses link(2) without one.
    proc = os.open("/proc/self/fd", os.O_PATH)
    os.link(str(fd), place / "file", src_dir_fd=proc, follow_symlinks=True)
    assert (place / "file").read_bytes() == b"complete"


@case()
def locks(place: Path) -> None:
    (place / "file").touch()
    restrict(place)
    for lock in fcntl.flock, fcntl.lockf:
        with open(place / "file", "r+b") as file:
            lock(file, fcntl.LOCK_EX)
            child = os.fork()
            if child == 0:
                with open(place / "file", "r+b") as same, refused(BlockingIOError):
                    lock(same, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0


@case()
def memory_maps(place: Path) -> None:
    (place / "file").write_bytes(bytes(8192))
    restrict(place)
    with open(place / "file", "r+b") as file, mmap.mmap(file.fileno(), 8192) as shared:
        shared[4096:4100] = b"text"
        shared.flush()
    assert (place / "file").read_bytes()[4096:4100] == b"text"
    with mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC) as executable:
        executable[0] = 0xC3
    fd = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    os.write(fd, b"text")
    fcntl.fcntl(fd, 1033, 0xF)  # F_ADD_SEALS: all of them
    assert os.pread(fd, 4, 0) == b"text"


@case()
def copies_in_the_kernel(place: Path) -> None:
    (place / "source").write_bytes(b"text" * 4096)
    restrict(place)
    with open(place / "source", "rb") as source, open(place / "copy", "wb") as copy:
        assert os.sendfile(copy.fileno(), source.fileno(), 0, 8192) == 8192
        os.posix_fallocate(copy.fileno(), 0, 65536)
    shutil.copy2(place / "source", place / "other")
    assert (place / "other").read_bytes() == (place / "source").read_bytes()
    reader, writer = os.pipe()
    os.write(writer, b"spliced")
    assert os.read(reader, 7) == b"spliced"


@case()
def attributes_of_own_files(place: Path) -> None:
    restrict(place)
    file = place / "file"
    file.touch()
    os.chmod(file, 0o640)
    os.utime(file, (1, 2))
    os.setxattr(file, "user.note", b"text")
    assert os.getxattr(file, "user.note") == b"text"
    found = file.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_mtime) == (0o640, 2)
    os.mkfifo(place / "fifo", 0o600)
    assert stat.S_ISFIFO((place / "fifo").stat().st_mode)


@case()
def trees(place: Path) -> None:
    restrict(place)
    (place / "tree" / "deep").mkdir(parents=True)
    (place / "tree" / "deep" / "file").write_text("text")
    shutil.copytree(place / "tree", place / "copy")
    directory = os.open(place / "copy", os.O_RDONLY | os.O_DIRECTORY)
    assert os.stat("deep/file", dir_fd=directory).st_size == 4
    os.close(directory)
    shutil.rmtree(place / "tree")
    assert [name for _, _, names in os.walk(place / "copy") for name in names] == ["file"]


@case()
def descriptors_from_before(place: Path) -> None:
    with open(place / "outside", "w+") as outside:
        (place / "inside").mkdir()
        restrict(place / "inside")
        outside.write("text")
        outside.seek(0)
        assert outside.read() == "text"
        with refused():
            (place / "outside").read_text()


@case()
def sqlite_with_a_write_ahead_log(place: Path) -> None:
    restrict(place)
    first, second = sqlite3.connect(place / "db"), sqlite3.connect(place / "db")
    assert first.execute("pragma journal_mode = wal").fetchone() == ("wal",)
    first.execute("create table t (value)")
    first.commit()
    first.executemany("insert into t values (?)", ((i,) for i in range(1000)))
    assert second.execute("select count(*) from t").fetchone() == (0,)
    assert {path.name for path in place.iterdir()} >= {"db", "db-wal", "db-shm"}
    first.commit()
    assert second.execute("select sum(value) from t").fetchone() == (499500,)
    # Sorts in a temporary file.
    first.execute("pragma cache_size = 10")
    first.execute("create index i on t (value desc)")
    first.execute("vacuum")
    first.close()
    second.close()


@case()
def devices_that_are_granted(place: Path) -> None:
    restrict(NULL, "/dev/zero", read=[Path("/dev/urandom")])
    NULL.write_bytes(b"text")
    with open("/dev/zero", "rb") as zero, open("/dev/urandom", "rb") as random:
        assert zero.read(4) == bytes(4)
        assert len(random.read(16)) == 16
    assert len(os.urandom(16)) == 16
