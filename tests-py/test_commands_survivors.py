# SPDX-License-Identifier: Apache-2.0
"""Nothing survives a command, whoever calls it and however it ends; and nothing else is touched."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from commands import daemons, descriptors, new_mark, program, running, system_caps, wait_until
from conftest import RunChild

import nono_py
from nono_py import ExecResult, sandboxed_exec

pytestmark = pytest.mark.usefixtures("sandbox")

AS_WHOM = ["root", "nobody"] if os.geteuid() == 0 else ["user"]


def shell(script: str, **options: Any) -> ExecResult:
    return sandboxed_exec(system_caps(), ["sh", "-c", script], **options)


# Prints, for each way to end, how many processes are left and whether the call had children left. A child of the
# caller's own that has ended is still there to be waited for, and one that runs still runs.
WAYS = """
mark = args[0]
script = daemons(mark) + "while [ $(pgrep -fc 'sleep %s') -lt 6 ]; do sleep 0.01; done; " % mark
sandboxed_exec
if args[1] == "nobody":
    become_nobody()
own = subprocess.Popen(["sleep", "1000"])
ended = subprocess.Popen(["sh", "-c", "exit 7"])
def refuse(*_): raise LookupError
def attempt(name, ending, **options):
    started = []
    try:
        result = sandboxed_exec(system_caps(), ["sh", "-c", script + ending], **options)
        print(name, result.exit_code, result.stdout, result.leaves_survivors, end=" ")
    except LookupError:
        print(name, "raised", end=" ")
    print(running(mark), sorted(set(children()) - {own.pid, ended.pid}))
attempt("exit", "echo started; exit 3")
attempt("signal", "echo started; kill -9 $$")
attempt("timeout", f"echo started; sleep {mark}", timeout_secs=3)
attempt("listener", f"echo started; sleep {mark}", on_output=refuse)
# Without a scope for signals that would reach everybody.
attempt("kill", "echo started; %s exit 0" % ("kill -9 -1; kill -9 $PPID;" if support_info().kernel_abi >= 6 else ""))
print(own.poll(), ended.wait())
own.kill()
"""


@pytest.mark.parametrize("who", AS_WHOM)
def test_every_way_to_end(run_child: RunChild, who: str) -> None:
    mark = new_mark()
    lines = run_child(program(WAYS), mark, who).splitlines()
    assert running(mark) == 0
    assert lines == [
        r"exit 3 b'started\n' False 0 []",
        r"signal -9 b'started\n' False 0 []",
        r"timeout 124 b'started\n' False 0 []",
        "listener raised 0 []",
        r"kill 0 b'started\n' False 0 []",
        "None 7",
    ]


def test_the_daemons_of_these_tests_do_leave_a_session() -> None:
    """What the tests above would see if nothing was done about it."""
    mark = new_mark()
    shell = subprocess.Popen(["sh", "-c", daemons(mark) + "sleep 0.3"], start_new_session=True)
    try:
        shell.wait()
        wait_until(lambda: running(mark) == 6)
        os.killpg(shell.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        assert running(mark) == 6
        subprocess.run(["pkill", "-9", "-f", f"sleep {mark}"], check=True)


def start_child(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    prelude = "import os, sys; args = sys.argv[1:]"
    return subprocess.Popen([sys.executable, "-c", prelude + program(code), *arguments], stderr=subprocess.PIPE)


CALLS = {
    "sandboxed_exec": "sandboxed_exec(system_caps(), command)",
    "with a timeout and a listener": "sandboxed_exec(system_caps(), command, timeout_secs=1000, on_output=print)",
    "wait": "spawn(system_caps(), command).wait()",
    "communicate": "spawn(system_caps(), command, stdout=-1).communicate()",
    "asyncio": "import asyncio; asyncio.run(sandboxed_exec_async(system_caps(), command))",
    "in a thread": (
        "from threading import Thread; thread = Thread(target=sandboxed_exec, args=(system_caps(), command)); "
        "thread.daemon = True; thread.start(); thread.join()"
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c(call: str) -> None:
    mark = new_mark()
    code = f"command = ['sh', '-c', {daemons(mark) + 'sleep ' + mark!r}]\n{CALLS[call]}"
    caller = start_child(code)
    wait_until(lambda: running(mark) == 7)
    started = time.monotonic()
    caller.send_signal(signal.SIGINT)
    _, error = caller.communicate(timeout=20)
    assert caller.returncode in (1, -signal.SIGINT)
    assert error.rstrip().endswith(b"KeyboardInterrupt")
    assert time.monotonic() - started < 10
    # A daemon thread is cut off, and its command is ended behind it.
    wait_until(lambda: running(mark) == 0)


def test_ctrl_c_leaves_nothing_when_it_comes_out() -> None:
    mark = new_mark()
    code = f"""
    try:
        sandboxed_exec(system_caps(), ["sh", "-c", {daemons(mark) + "sleep " + mark!r}])
    except KeyboardInterrupt:
        sys.exit(running({mark!r}) + 10 * len(children()))
    """
    caller = start_child(code)
    wait_until(lambda: running(mark) == 7)
    caller.send_signal(signal.SIGINT)
    caller.communicate(timeout=20)
    assert caller.returncode == 0


def test_a_signal_whose_handler_returns_does_not_end_the_call() -> None:
    heard = []
    former = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        result = shell("sleep 0.5; echo done")
        assert len(heard) > 3
        process = nono_py.spawn(system_caps(), ["sleep", "0.5"])
        assert process.wait() == 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert (result.exit_code, result.stdout) == (0, b"done\n")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
@pytest.mark.parametrize("call", ["sandboxed_exec", "wait", "asyncio", "in a thread"])
def test_the_caller_is_killed(call: str, how: signal.Signals) -> None:
    mark = new_mark()
    caller = start_child(f"command = ['sh', '-c', {daemons(mark) + 'sleep ' + mark!r}]\n{CALLS[call]}")
    wait_until(lambda: running(mark) == 7)
    caller.send_signal(how)
    caller.communicate(timeout=20)
    assert caller.returncode == -how
    wait_until(lambda: running(mark) == 0)


def test_the_caller_forks_meanwhile() -> None:
    """A child of fork() has copies of all pipes; it delays nothing and ends nothing."""
    process = nono_py.spawn(system_caps(), ["sh", "-c", "echo x; sleep 0.5; echo y"], stdout=-1)
    child = os.fork()
    if child == 0:
        del process
        time.sleep(100)
        os._exit(0)
    try:
        started = time.monotonic()
        assert process.communicate() == (b"x\ny\n", None)
        assert process.returncode == 0
        assert time.monotonic() - started < 50
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_fifty_threads() -> None:
    sandbox = nono_py.prepare(system_caps())
    before, results = descriptors(), {}
    most = 8 * 3  # what a prepared sandbox keeps beside its own

    def call(sandbox: nono_py.PreparedSandbox, number: int) -> None:
        results[number] = [sandbox.run(["echo", f"{number}.{round}"]).stdout for round in range(20)]

    threads = [threading.Thread(target=call, args=(sandbox, number)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == {n: [f"{n}.{round}\n".encode() for round in range(20)] for n in range(50)}
    assert descriptors() <= before + most
    del sandbox, threads
    gc.collect()
    assert descriptors() < before


def test_threads_run_at_the_same_time(tmp_path: Path) -> None:
    """Each command waits for the other: the interpreter lock is not held meanwhile."""
    codes = []

    def call(own: str, other: str) -> None:
        script = f"touch {own}; while ! test -e {other}; do sleep 0.02; done"
        result = sandboxed_exec(system_caps(tmp_path), ["sh", "-c", script], cwd=tmp_path, timeout_secs=50)
        codes.append(result.exit_code)

    threads = [threading.Thread(target=call, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0]


def test_a_thousand_calls_leave_nothing(run_child: RunChild) -> None:
    code = """
    import gc, threading
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096
    before = descriptors()
    sandbox = prepare(system_caps())
    def calls(count):
        for number in range(count):
            kind = number % 5
            if kind == 0:
                sandbox.run(["true"])
            elif kind == 1:
                sandbox.run(["sh", "-c", "sleep 1000 & echo x"], max_output_bytes=1)
            elif kind == 2:
                sandbox.run(["/etc/passwd"])
            elif kind == 3:
                sandbox.run(["sleep", "1000"], timeout_secs=0.001)
            else:
                with sandbox.spawn(["cat"], stdin=-1, stdout=-1) as process:
                    process.communicate(b"x")
    def all_calls():
        threads = [threading.Thread(target=calls, args=(125,)) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        gc.collect()
    all_calls()
    first = resident()
    all_calls()
    del sandbox
    print(descriptors() - before, children(), len(os.listdir("/proc/self/task")))
    print(resident() - first < 4 << 20 or resident() - first)
    """
    assert run_child(program(code)).splitlines() == ["0 [] 1", "True"]


# A caller that is itself contained

CONTAINED = """
sandboxed_exec
import threading, time
if args[0] == "nobody":
    become_nobody()
if args[1] == "threads":
    for _ in range(3):
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
mark = args[2]
caps = system_caps()
caps.allow_path(args[3], R)
caps.block_network()
apply(caps)
inner = system_caps()
inner.allow_path(args[3] + "/granted", R)
def run(*command, caps=inner, **options):
    return sandboxed_exec(caps, command, **options)
def where():
    print(run("cat", args[3] + "/granted/file").stdout, run("cat", args[3] + "/file").exit_code)
    result = run("sh", "-c", daemons(mark) + "sleep 0.3; echo started; sleep " + mark, timeout_secs=2)
    print(result.exit_code, result.stdout, running(mark), result.leaves_survivors)
    # No more than the caller may, whatever the set says.
    wide = CapabilitySet()
    wide.allow_path("/", R)
    print(run("cat", "/sys/kernel/uevent_helper", caps=wide).exit_code)
    print(run("bash", "-c", "exec 3<>/dev/udp/127.0.0.1/9", caps=wide).exit_code != 0)
where()
if args[1] == "threads":
    thread = threading.Thread(target=where)
    thread.start()
    thread.join()
"""


@pytest.mark.parametrize("threads", ["threads", "alone"])
@pytest.mark.parametrize("who", AS_WHOM)
def test_a_contained_caller(who: str, threads: str, run_child: RunChild) -> None:
    tree = Path("/tmp") / f"nono-contained-{os.getpid()}"  # where nobody can enter
    (tree / "granted").mkdir(parents=True)
    try:
        (tree / "granted" / "file").write_text("granted")
        (tree / "file").write_text("not granted")
        lines = run_child(program(CONTAINED), who, threads, new_mark(), tree).splitlines()
    finally:
        subprocess.run(["rm", "-r", tree], check=True)
    once = ["b'granted' 1", r"124 b'started\n' 0 False", "1", "True"]
    assert lines == once * (2 if threads == "threads" else 1)


def test_layers_that_run_out_are_told(run_child: RunChild) -> None:
    """Landlock allows 16, and a command takes two: one to scope signals, where the kernel can, and its sandbox."""
    code = """
    caps = system_caps()
    for _ in range(14 if support_info().kernel_abi >= 6 else 15):
        apply(caps)
    print(sandboxed_exec(caps, ["echo", "x"]).stdout)
    apply(caps)
    result = sandboxed_exec(caps, ["echo", "x"])
    print(result.exit_code, result.stderr.decode().strip(), result.failure.stage)
    """
    assert run_child(program(code)).splitlines() == [
        r"b'x\n'",
        "126 nono: sandbox apply failed: Landlock: Argument list too long (os error 7) landlock",
    ]


def test_limits_of_a_contained_caller(run_child: RunChild) -> None:
    """Control groups are out of its reach now: the limits hold in another way, or are refused."""
    code = """
    apply(system_caps())
    command = ["dd", "if=/dev/zero", "of=/dev/null", "bs=300M", "count=1"]
    result = sandboxed_exec(system_caps(), command, max_memory_bytes=100 << 20)
    print(result.exit_code, result.memory_limited_by)
    try:
        print(sandboxed_exec(system_caps(), ["true"], max_processes=1000).processes_limited_by)
    except RuntimeError as error:
        print(str(error).split(" bind")[0])
    """
    by_user = "max_processes cannot be enforced: RLIMIT_NPROC does not" if os.geteuid() == 0 else "rlimit"
    assert run_child(program(code)).splitlines() == ["1 rlimit", by_user]
