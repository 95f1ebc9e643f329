# SPDX-License-Identifier: Apache-2.0
"""spawn(): a handle in the manner of subprocess.Popen."""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import children, daemons, descriptors, new_mark, running, system_caps, wait_until
from conftest import RunChild

import nono_py
from nono_py import Process, SpawnError

pytestmark = pytest.mark.usefixtures("sandbox")

PIPE, STDOUT, DEVNULL = subprocess.PIPE, subprocess.STDOUT, subprocess.DEVNULL


def spawn(*command: Any, **options: Any) -> Process:
    return nono_py.spawn(system_caps(), command, **options)


def shell(script: str, **options: Any) -> Process:
    return spawn("sh", "-c", script, **options)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    gc.collect()
    before = descriptors()
    yield
    gc.collect()
    assert descriptors() == before
    assert children() == []


@pytest.fixture(params=["nono_py", "subprocess"])
def popen(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """What both handles do alike."""
    if request.param == "nono_py":
        return spawn
    return lambda *command, stdin=DEVNULL, **options: subprocess.Popen(command, stdin=stdin, **options)


def test_attributes(popen: Callable[..., Any]) -> None:
    with popen("sh", "-c", "echo $$; exit 3", stdout=PIPE) as process:
        assert process.stdin is None
        assert process.stderr is None
        assert process.returncode is None
        assert int(process.stdout.read()) == process.pid
        assert list(process.args) == ["sh", "-c", "echo $$; exit 3"]
        assert process.wait() == 3
    assert process.returncode == 3
    assert process.poll() == 3
    assert process.stdout.closed


def test_streams_are_binary_files(popen: Callable[..., Any]) -> None:
    with popen("cat", stdin=PIPE, stdout=PIPE) as process:
        process.stdin.write(b"one\ntwo\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"one\n"
        process.stdin.close()
        assert list(process.stdout) == [b"two\n"]
        assert process.wait() == 0


def test_poll_and_wait(popen: Callable[..., Any]) -> None:
    with popen("sleep", "1000") as process:
        assert process.poll() is None
        started = time.monotonic()
        with pytest.raises(subprocess.TimeoutExpired) as raised:
            process.wait(0.2)
        assert time.monotonic() - started >= 0.2
        assert raised.value.timeout == 0.2
        assert process.poll() is None
        process.terminate()
        assert process.wait() == -signal.SIGTERM
        assert process.wait(0) == -signal.SIGTERM


@pytest.mark.parametrize("timeout", [1e30, 10**9])
def test_a_long_wait(popen: Callable[..., Any], timeout: float) -> None:
    with popen("true") as process:
        assert process.wait(timeout) == 0


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda process: process.send_signal(signal.SIGUSR1), -signal.SIGUSR1),
        (lambda process: process.terminate(), -signal.SIGTERM),
        (lambda process: process.kill(), -signal.SIGKILL),
    ],
)
def test_signals(popen: Callable[..., Any], act: Callable[[Any], None], code: int) -> None:
    with popen("sleep", "1000") as process:
        act(process)
        assert process.wait() == code
        # None of them is an error now.
        act(process)


def test_a_signal_that_is_none() -> None:
    with spawn("sleep", "1000") as process:
        for number in (0, -1, 65, 1 << 20):
            with pytest.raises(ValueError, match="invalid signal"):
                process.send_signal(number)
        process.kill()


def test_a_command_that_ignores_sigterm() -> None:
    mark = new_mark()
    with shell(f"trap '' TERM; echo ready; sleep {mark}; sleep {mark}", stdout=PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert running(mark) == 0


def test_stopping_and_continuing() -> None:
    with shell("echo ready; read line; echo $line", stdin=PIPE, stdout=PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: Path(f"/proc/{process.pid}/stat").read_text().split(") ")[1][0] == "T")
        assert process.poll() is None
        process.send_signal(signal.SIGCONT)
        assert process.communicate(b"on\n")[0] == b"on\n"


@pytest.mark.parametrize("size", [0, 10, 4_000_000])
def test_communicate(popen: Callable[..., Any], size: int) -> None:
    data = os.urandom(size)
    with popen("cat", stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.communicate(data) == (data, b"")
        assert process.returncode == 0


def test_communicate_with_a_timeout_and_again() -> None:
    """What was not fed yet is fed then, which Popen forgets."""
    data = os.urandom(300_000)
    with spawn("sh", "-c", "echo first; sleep 0.5; cat; echo e >&2", stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired) as raised:
            process.communicate(data, timeout=0.2)
        assert raised.value.output == b"first\n"
        assert raised.value.stderr is None
        with pytest.raises(ValueError, match="Cannot send input after starting communication"):
            process.communicate(b"more", timeout=1)
        assert process.communicate(timeout=50) == (b"first\n" + data, b"e\n")
        assert process.returncode == 0


def test_communicate_after_reading(popen: Callable[..., Any]) -> None:
    with popen("sh", "-c", "echo one; echo two; sleep 0.1; echo three", stdout=PIPE) as process:
        assert process.stdout.readline() == b"one\n"
        rest, _ = process.communicate()
        # Popen forgets what is in its buffer.
        assert rest in (b"two\nthree\n", b"three\n")
        assert rest == b"two\nthree\n" or popen is not spawn


def test_communicate_with_a_command_that_does_not_read(popen: Callable[..., Any]) -> None:
    with popen("true", stdin=PIPE) as process:
        assert process.communicate(bytes(1_000_000)) == (None, None)
    with popen("true", stdin=PIPE) as process:
        process.wait()
        process.stdin.write(b"x")
        assert process.communicate() == (None, None)


def test_a_command_that_closes_its_outputs_at_once(popen: Callable[..., Any]) -> None:
    with popen("sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 5", stdout=PIPE, stderr=PIPE) as process:
        assert process.communicate() == (b"", b"")
        assert process.returncode == 5


def test_streams_may_be_files(popen: Callable[..., Any], tmp_path: Path) -> None:
    with open(tmp_path / "file", "w+b") as file:
        file.write(b"input")
        file.seek(0)
        with open(tmp_path / "out", "wb") as out, popen("cat", stdin=file, stdout=out) as process:
            assert process.wait() == 0
        with popen("sh", "-c", "echo x; echo y >&2", stdout=file.fileno(), stderr=STDOUT) as process:
            process.wait()
    assert (tmp_path / "out").read_bytes() == b"input"
    assert (tmp_path / "file").read_bytes() == b"inputx\ny\n"


def test_errors_go_where_output_goes(popen: Callable[..., Any]) -> None:
    with popen("sh", "-c", "echo x; echo y >&2; echo z", stdout=PIPE, stderr=STDOUT) as process:
        assert process.stderr is None
        assert process.communicate() == (b"x\ny\nz\n", None)


def test_null_streams(popen: Callable[..., Any]) -> None:
    with popen("sh", "-c", "exec 3>&1; readlink /proc/self/fd/3 >&2", stdout=DEVNULL, stderr=PIPE) as process:
        assert process.communicate() == (None, b"/dev/null\n")


def test_streams_of_the_caller(capfd: pytest.CaptureFixture[str]) -> None:
    with shell("cat; echo out; echo err >&2") as process:
        assert process.wait() == 0
    assert capfd.readouterr() == ("out\n", "err\n")


def test_repr() -> None:
    with spawn("true") as process:
        process.wait()
    assert repr(process) == "<Process: returncode: 0 args: ['true']>"


def test_the_end_can_be_polled() -> None:
    with shell("exec >&-; sleep 0.3") as process:
        poller = select.poll()
        poller.register(process.fileno(), select.POLLIN)
        assert poller.poll(0) == []
        [(descriptor, events)] = poller.poll(50_000)
        assert descriptor == process.fileno()
        assert events & select.POLLIN
        assert process.wait() == 0
    assert process.fileno() == -1


def test_options() -> None:
    with spawn("sh", "-c", "pwd; env; umask", stdout=PIPE, cwd="/usr", env={"A": "1"}, umask=0o27) as process:
        lines = (process.communicate()[0] or b"").split()
    assert lines[0] == b"/usr"
    assert b"A=1" in lines
    assert lines[-1] == b"0027"


def test_a_timeout_of_the_command() -> None:
    mark = new_mark()
    with shell(f"sleep {mark} & sleep {mark}", timeout_secs=0.3) as process:
        assert not process.timed_out
        assert process.wait() == -signal.SIGKILL
        assert process.timed_out
        assert process.status.unenforced == nono_py.unenforced(system_caps())
    assert running(mark) == 0


def test_what_is_started_ends_with_the_command() -> None:
    mark = new_mark()
    with shell(daemons(mark) + "sleep 0.3; exit 3", stdout=PIPE) as process:
        assert process.communicate() == (b"", None)
        assert process.returncode == 3
        assert running(mark) == 0
        assert not process.status.leaves_survivors


def test_an_exception_ends_the_command() -> None:
    mark = new_mark()
    with pytest.raises(KeyError), spawn("sleep", mark, stdin=PIPE, stdout=PIPE) as process:
        raise KeyError
    assert process.returncode == -signal.SIGKILL
    assert running(mark) == 0


def test_without_an_exception_the_end_is_waited_for() -> None:
    with spawn("sleep", "0.3") as process:
        pass
    assert process.returncode == 0


def test_a_command_that_has_ended_keeps_no_descriptors() -> None:
    before, ended = descriptors(), []
    for _ in range(20):
        ended.append(spawn("true"))
        ended[-1].wait()
    assert descriptors() == before


def test_losing_the_handle_ends_the_command() -> None:
    mark = new_mark()
    process = shell(daemons(mark) + f"sleep {mark}")
    wait_until(lambda: running(mark) == 7)
    with pytest.warns(ResourceWarning, match=f"command {process.pid} is still running, and is ended"):
        del process
    assert running(mark) == 0


def test_a_handle_of_what_has_ended_is_lost_silently() -> None:
    process = spawn("true")
    process.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del process
        gc.collect()


def test_what_cannot_be_started() -> None:
    with pytest.raises(SpawnError, match=r"exec failed: Permission denied \(os error 13\)") as raised:
        spawn("/etc/passwd", stdin=PIPE, stdout=PIPE)
    assert (raised.value.stage, raised.value.errno) == ("exec", 13)
    with pytest.raises(OSError, match="failed to chdir") as other:
        spawn("true", cwd="/etc/passwd")
    assert (other.value.stage, other.value.errno) == ("chdir", 20)  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="max_open_files"):
        spawn("true", max_open_files=2**40)
    with pytest.raises(RuntimeError, match="Program not found"):
        spawn("nosuchprog")
    with pytest.raises(ValueError, match="not open"):
        spawn("true", stdout=999)


def test_descriptors_run_out() -> None:
    """EMFILE wherever it comes: an error, and nothing is left."""
    spawn("true").wait()
    caps, before_it = system_caps(), descriptors()
    sandbox = nono_py.prepare(caps)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = descriptors()
    failures: list[str] = []
    try:
        for more in range(48):
            # One of those counted is gone again.
            resource.setrlimit(resource.RLIMIT_NOFILE, (before - 1 + more, limits[1]))
            try:
                for start in (sandbox, None):
                    process = (
                        nono_py.spawn(caps, ["true"], stdin=PIPE, stdout=PIPE, stderr=PIPE)
                        if start is None
                        else start.spawn(["true"], stdin=PIPE, stdout=PIPE, stderr=PIPE)
                    )
                    process.communicate()
                    del process
            except (OSError, RuntimeError) as error:
                failures.append(str(error))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    del sandbox, start  # with its own descriptors, of which there is one more where Landlock scopes signals
    assert 4 < len(failures) < 48
    assert [text for text in failures if "Too many open files" not in text] == []
    assert descriptors() == before_it


def test_apply_is_refused_while_a_command_runs(run_child: RunChild) -> None:
    """What watches a command shares the memory of the process, and would stay unrestricted."""
    code = """
    from nono_py import prepare, spawn
    caps = CapabilitySet()
    for path in filter(os.path.exists, ("/usr", "/lib", "/lib64", "/bin")):
        caps.allow_path(path, R)
    with open("secret", "w") as file:
        file.write("secret")
    sandbox = prepare(caps)
    print([sandbox.run(["true"]).exit_code for _ in range(3)])
    process = spawn(caps, ["sleep", "1000"])
    try:
        apply(caps)
    except RuntimeError as error:
        print(str(error).partition(": commands")[0], attempt(read, "secret"))
    process.kill()
    process.wait()
    apply(caps)
    print(attempt(read, "secret"), sandbox.run(["true"]).exit_code, sandbox.run(["cat", "secret"]).exit_code)
    """
    assert run_child(code).splitlines() == [
        "[0, 0, 0]",
        "Sandbox initialization failed: Failed to restrict self ok",
        "EACCES 0 1",
    ]
