# SPDX-License-Identifier: Apache-2.0
"""What goes into a command and comes out of it, and how much it may use."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from commands import new_mark, program, running, system_caps
from conftest import RunChild

from nono_py import ExecResult, sandboxed_exec

pytestmark = pytest.mark.usefixtures("sandbox")

MEBIBYTE = 1 << 20


def run(*command: Any, **options: Any) -> ExecResult:
    return sandboxed_exec(system_caps(), command, **options)


def shell(script: str, **options: Any) -> ExecResult:
    return run("sh", "-c", script, **options)


# Standard input


@pytest.mark.parametrize("size", [0, 1, 65536, 3 * MEBIBYTE])
def test_bytes_are_fed(size: int) -> None:
    data = os.urandom(size)
    for stdin in (data, bytearray(data), memoryview(data)):
        assert run("cat", stdin=stdin).stdout == data


def test_a_file_is_read_from_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    with open(tmp_path / "file", "rb", buffering=0) as file:
        file.seek(4)
        assert run("cat", stdin=file).stdout == b"456789"
        file.seek(7)
        assert run("cat", stdin=file.fileno()).stdout == b"789"
        assert not file.closed
    # Though its path is not granted.
    assert run("cat", tmp_path / "file").exit_code == 1


def test_a_command_that_does_not_read_its_input() -> None:
    assert run("true", stdin=bytes(4 * MEBIBYTE)).exit_code == 0
    assert shell("exec <&-; sleep 0.2; echo done", stdin=bytes(4 * MEBIBYTE)).stdout == b"done\n"


# Output


def test_what_is_beyond_the_limit_is_counted() -> None:
    result = shell("echo 0123456789; echo abc >&2", max_output_bytes=4)
    assert (result.stdout, result.stdout_cut, result.stderr, result.stderr_cut) == (b"0123", 7, b"abc\n", 0)
    result = run("echo", "x", max_output_bytes=0)
    assert (result.stdout, result.stdout_cut) == (b"", 2)


def test_a_gigabyte_of_output_takes_no_memory(run_child: RunChild) -> None:
    code = """
        import asyncio, resource
        def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        command = ["head", "-c", "1G", "/dev/zero"]
        sandboxed_exec(system_caps(), ["true"])
        before = peak()
        for result in (
            sandboxed_exec(system_caps(), command, max_output_bytes=1000),
            asyncio.run(sandboxed_exec_async(system_caps(), command, max_output_bytes=1000)),
        ):
            print(result.exit_code, len(result.stdout), result.stdout_cut)
        print(peak() - before < 64)
    """
    line = f"0 1000 {2**30 - 1000}"
    assert run_child(program(code)).splitlines() == [line, line, "True"]


def test_much_output_on_both_streams() -> None:
    result = shell("head -c 3000000 /dev/zero & head -c 3000000 /dev/zero >&2; wait")
    assert (result.exit_code, len(result.stdout), len(result.stderr)) == (0, 3000000, 3000000)


def test_output_streams_as_it_comes(tmp_path: Path) -> None:
    pieces: list[tuple[str, bytes]] = []

    def listen(name: str, piece: bytes) -> None:
        pieces.append((name, piece))
        (tmp_path / name).touch()  # for which the command waits: it would do so for ever if this came afterwards

    wait = f"while ! test -e {tmp_path}/stdout; do sleep 0.01; done; "
    script = f"echo one; {wait} echo two >&2; while ! test -e {tmp_path}/stderr; do sleep 0.01; done; echo three"
    result = sandboxed_exec(system_caps(tmp_path), ["sh", "-c", script], on_output=listen, timeout_secs=50)
    assert not result.timed_out
    assert pieces == [("stdout", b"one\n"), ("stderr", b"two\n"), ("stdout", b"three\n")]
    assert (result.stdout, result.stderr) == (b"one\nthree\n", b"two\n")


def test_a_listener_gets_what_is_cut_too() -> None:
    pieces = []
    result = run(
        "head", "-c", "500000", "/dev/zero", max_output_bytes=10, on_output=lambda _, piece: pieces.append(piece)
    )
    assert (len(result.stdout), sum(map(len, pieces))) == (10, 500000)


def test_a_listener_that_raises_ends_the_command() -> None:
    mark = new_mark()

    def refuse(name: str, piece: bytes) -> None:
        raise LookupError(piece)

    with pytest.raises(LookupError, match="start"):
        shell(f"echo start; sleep {mark} & sleep {mark}", on_output=refuse)
    assert running(mark) == 0


# Limits of the kernel


def test_umask(tmp_path: Path) -> None:
    for mask, mode in ((0o077, 0o600), (0, 0o666)):
        file = tmp_path / oct(mask)
        result = sandboxed_exec(system_caps(tmp_path), ["sh", "-c", f"umask; : > {file}"], umask=mask)
        assert int(result.stdout, 8) == mask
        assert stat.S_IMODE(file.stat().st_mode) == mode
    own = os.umask(0o027)
    os.umask(own)
    assert int(shell("umask").stdout, 8) == own


def test_open_files() -> None:
    assert shell("ulimit -n", max_open_files=20).stdout == b"20\n"
    assert run("bash", "-c", "exec 19</dev/null && exec 20</dev/null", max_open_files=20).exit_code != 0
    assert run("bash", "-c", "exec 19</dev/null", max_open_files=20).exit_code == 0


def test_limits_cannot_be_raised() -> None:
    """CAP_SYS_RESOURCE, which a root has elsewhere than in a container, raises hard limits."""
    assert shell("ulimit -H -n 101 || ulimit -H -n", max_open_files=100).stdout == b"100\n"
    status = shell("cat /proc/self/status", max_open_files=100).stdout.decode()
    permitted = int(status.split("CapPrm:")[1].split()[0], 16)
    assert permitted & 1 << 24 == 0


def test_file_size(tmp_path: Path) -> None:
    file = tmp_path / "file"
    command = ["dd", "if=/dev/zero", f"of={file}", "bs=1000", "count=10"]
    result = sandboxed_exec(system_caps(tmp_path), command, max_file_size_bytes=4096)
    assert result.exit_code == -25  # SIGXFSZ
    assert file.stat().st_size == 4096
    assert sandboxed_exec(system_caps(tmp_path), command, max_file_size_bytes=10000).exit_code == 0
    assert sandboxed_exec(system_caps(tmp_path), ["true"], max_file_size_bytes=0).exit_code == 0


def test_processor_time() -> None:
    result = shell("while :; do :; done", max_cpu_seconds=1, timeout_secs=50)
    assert (result.exit_code, result.timed_out) == (-9, False)


# As root by a control group, if there is one to be had; as an ordinary user by setrlimit(2).
LIMITED = """
    command = ["dd", "if=/dev/zero", "of=/dev/null", "bs=300M", "count=1"]
    free = sandboxed_exec(system_caps(), command)
    bound = sandboxed_exec(system_caps(), command, max_memory_bytes=100 << 20)
    print(free.exit_code, free.memory_limited_by)
    print(bound.exit_code, bound.memory_limited_by)

    bomb = "bomb() { sleep 0.3 & bomb; }; bomb"
    result = sandboxed_exec(system_caps(), ["sh", "-c", bomb], max_processes=limit, timeout_secs=30)
    print(result.exit_code != 0, result.timed_out, result.stderr.count(b"\\n"), result.processes_limited_by)
    print(len(children()))
"""


def test_a_memory_hog_and_a_fork_bomb(run_child: RunChild) -> None:
    lines = run_child(program("limit = 20", LIMITED)).splitlines()
    assert lines[0] == "0 None"
    code, mean = lines[1].split(maxsplit=1)
    # Killed by the group's, or refused the memory by its own limit.
    assert (int(code), mean) in ((-9, "cgroup v1"), (-9, "cgroup v2"), (1, "rlimit"))
    assert lines[2].split()[:2] == ["True", "False"]
    assert lines[2].endswith(("cgroup v1", "cgroup v2", "rlimit"))
    assert lines[3] == "0"


def test_the_same_as_an_ordinary_user(run_child: RunChild) -> None:
    # Others of nobody count too, and the two processes of the call.
    lines = run_child(program("sandboxed_exec; become_nobody(); limit = 200", LIMITED)).splitlines()
    assert lines[0] == "0 None"
    assert lines[1] == "1 rlimit"
    assert lines[2].split()[:2] == ["True", "False"]
    assert lines[2].endswith("rlimit")
    assert lines[3] == "0"


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_a_limit_that_cannot_be_enforced_is_an_error(run_child: RunChild) -> None:
    code = """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        CLONE_NEWNS, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 0x4000, 0x40000, 2
        if libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None):
            print("cannot")
            sys.exit()
        libc.umount2(b"/sys/fs/cgroup", MNT_DETACH)
        with open("/proc/self/mountinfo") as mounts:
            assert " - cgroup" not in mounts.read()
        try:
            sandboxed_exec(system_caps(), ["true"], max_processes=5)
        except RuntimeError as error:
            print(error)
        print(sandboxed_exec(system_caps(), ["true"], max_processes=500, uid=54321).processes_limited_by)
        print(sandboxed_exec(system_caps(), ["true"], max_memory_bytes=100 << 20).memory_limited_by)
    """
    lines = run_child(program(code)).splitlines()
    if lines == ["cannot"]:
        pytest.skip("no mount namespaces here")
    assert lines == [
        "max_processes cannot be enforced: RLIMIT_NPROC does not bind root, and no control group can be made here."
        " Run the command as another user, or delegate the pids controller to this process.",
        "rlimit",
        "rlimit",
    ]


def test_a_process_that_cannot_be_made(run_child: RunChild) -> None:
    code = """
    import asyncio, gc, resource
    from nono_py import SpawnError
    sandboxed_exec, spawn, sandboxed_exec_async
    become_nobody()
    caps, sandbox = system_caps(), prepare(system_caps())
    sandbox.run(["true"])
    sandbox.run(["true"])  # which keeps a process ready
    before = descriptors()
    former = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, former[1]))
    def attempt(call):
        try:
            print(call())
        except SpawnError as error:
            print(error.stage, errno.errorcode[error.errno])
    attempt(lambda: sandboxed_exec(caps, ["true"]))
    attempt(lambda: spawn(caps, ["true"], stdin=-1, stdout=-1))
    attempt(lambda: asyncio.run(sandboxed_exec_async(caps, ["true"])))
    resource.setrlimit(resource.RLIMIT_NPROC, former)
    gc.collect()
    print(descriptors() - before, sandboxed_exec(caps, ["echo", "x"]).stdout)
    """
    assert run_child(program(code)).splitlines() == [*["process EAGAIN"] * 3, r"0 b'x\n'"]


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_control_groups_are_removed() -> None:
    def groups() -> list[str]:
        prefix = f"nono-{os.getpid()}-"
        return [path for path, _, _ in os.walk("/sys/fs/cgroup") if os.path.basename(path).startswith(prefix)]

    seen = []
    for timeout in (None, 0.2):
        options: dict[str, Any] = {"max_memory_bytes": 100 * MEBIBYTE, "max_processes": 20, "timeout_secs": timeout}
        result = shell("echo; sleep 0.5", on_output=lambda *_: seen.extend(groups()), **options)
        if not str(result.memory_limited_by).startswith("cgroup"):
            pytest.skip("no control group can be made here")
        assert groups() == []
    assert seen != []


def test_temporary_files_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the input passes through a file."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert run("cat", stdin=bytes(MEBIBYTE)).exit_code == 0
    assert list(tmp_path.iterdir()) == []
