# SPDX-License-Identifier: Apache-2.0
"""python -m nono_py: what it runs, what it says, and how it exits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import new_mark, running, wait_until

import nono_py

NONO = (sys.executable, "-m", "nono_py")
SHELL = ("run", "--system", "--", "sh", "-c")


def nono(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [*NONO, *arguments],
        **{"capture_output": True, "text": True, "timeout": 60, "stdin": subprocess.DEVNULL, **options},  # type: ignore[call-overload]
    )
    assert "Traceback" not in (done.stderr or "")
    return done


def shell(script: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return nono("run", "--system", *options, "--", "sh", "-c", script)


@pytest.fixture(autouse=True)
def _sandbox(sandbox: None) -> None:
    """All of this needs one."""


# run


def test_streams_are_those_of_the_caller() -> None:
    done = nono(*SHELL, "cat; echo err >&2", input="in\n", stdin=None)
    assert (done.stdout, done.stderr, done.returncode) == ("in\n", "err\n", 0)
    # The very same, not pipes between.
    read, write = os.pipe()
    inode = os.fstat(write).st_ino
    child = nono(
        "run", "--system", "--read", "/proc", "--", "readlink", "/proc/self/fd/1", stdout=write, capture_output=False
    )
    assert (child.returncode, os.read(read, 100)) == (0, f"pipe:[{inode}]\n".encode())
    os.close(read)
    os.close(write)


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -TERM $$", 143), ("exit 126", 126)]
)
def test_exit_statuses(script: str, status: int) -> None:
    done = shell(script)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


def test_a_timeout() -> None:
    mark = new_mark()
    done = shell(f"sleep {mark} & echo part; sleep {mark}", "--timeout", "0.5")
    assert (done.returncode, done.stdout, done.stderr) == (124, "part\n", "nono: timed out after 0.5 s\n")
    assert running(mark) == 0


@pytest.mark.parametrize(
    ("command", "status", "text"),
    [
        (["no-such-program"], 127, "nono: Program not found in PATH: no-such-program\n"),
        (["/no/such"], 127, "nono: Program not found: /no/such\n"),
        (["--cwd", "/etc/passwd", "true"], 126, "nono: failed to chdir: Not a directory (os error 20)\n"),
        (["--cwd", "/nope", "true"], 125, "nono: Cannot resolve working directory '/nope'"),
        (["--read", "/nope", "true"], 125, "nono: Path does not exist: /nope\n"),
        (["--env", "NONO_NOT_SET", "true"], 125, "nono: environment variable 'NONO_NOT_SET' is not set\n"),
        (["--env", "LD_PRELOAD=x", "true"], 125, "nono: environment variable 'LD_PRELOAD' is not allowed"),
        (["--timeout", "-1", "true"], 125, "nono: timeout_secs must be non-negative, got -1\n"),
        (["--memory", "much", "true"], 2, "nono: argument --memory: not a size: 'much' (such as 65536, 64K, 512M, 2G)"),
        (["--processes", "x", "true"], 2, "nono: argument --processes: invalid int value: 'x'"),
        ([], 2, "nono: there is no command to run (see --help)\n"),
        (["--unknown", "true"], 2, "nono: unrecognized arguments: --unknown (see --help)\n"),
    ],
)
def test_errors_are_one_line(command: list[str], status: int, text: str) -> None:
    done = nono("run", *command)
    assert done.returncode == status
    assert done.stderr.startswith(text)
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_what_a_program_needs_to_start_is_granted_unless_refused(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho runs\n")
    script.chmod(0o755)
    assert nono("run", "--", script).stdout == "runs\n"
    done = nono("run", "--no-program", "--", script)
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr.startswith("nono: ")
    assert str(script) in done.stderr
    assert done.stderr.count("\n") == 1


def test_grants(tmp_path: Path) -> None:
    for name in ("read", "write", "allow", "none"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "alone").write_text("alone")
    options = [f"--{name}={tmp_path / name}" for name in ("read", "write", "allow")] + [f"--read={tmp_path}/alone"]
    append = "for each in allow none read write; do echo more >>$each/file; done"
    script = f"cd {tmp_path}; cat alone allow/file none/file read/file write/file; {append}"
    done = shell(script, *options)
    assert done.stdout == "aloneallowread"
    contents = {name: (tmp_path / name / "file").read_text() for name in ("read", "write", "allow", "none")}
    assert contents == {"read": "read", "write": "writemore\n", "allow": "allowmore\n", "none": "none"}


def test_the_network_is_blocked_if_asked_for() -> None:
    script = ["bash", "-c", "exec 3<>/dev/udp/127.0.0.1/9 && echo open"]
    assert nono("run", "--system", "--", *script).stdout == "open\n"
    assert nono("run", "--system", "--block-net", "--", *script).stdout == ""


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONO_SECRET", "secret")
    monkeypatch.setenv("LC_ALL", "C")
    names = {line.split("=")[0] for line in nono("run", "--", "env").stdout.splitlines()}
    assert {"PATH", "LC_ALL"} <= names
    assert "NONO_SECRET" not in names
    assert "NONO_SECRET=secret\n" in nono("run", "--env", "NONO_SECRET", "--", "env").stdout
    assert "A=1=2\n" in nono("run", "--env", "A=1=2", "--", "env").stdout
    assert "NONO_SECRET=secret\n" in nono("run", "--inherit-env", "--", "env").stdout


def test_memory() -> None:
    hog = ("--system", "--memory=100M", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=300M", "count=1")
    assert nono("run", *hog).returncode in (1, 137)
    assert nono("run", "--system", "--memory=1G", "--", *hog[3:]).returncode == 0


@pytest.mark.parametrize(
    ("text", "bytes"), [("0", 0), ("65536", 65536), ("64K", 65536), ("512M", 1 << 29), ("2g", 1 << 31)]
)
def test_sizes(text: str, bytes: int) -> None:
    from nono_py.__main__ import size

    assert size(text) == bytes


def test_ctrl_c_ends_the_command() -> None:
    mark = new_mark()
    child = subprocess.Popen([*NONO, *SHELL, f"trap '' INT; sleep {mark} & sleep {mark}"], stderr=subprocess.PIPE)
    wait_until(lambda: running(mark) == 2)
    started = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=20)[1] == b""
    assert child.returncode == -signal.SIGINT
    assert running(mark) == 0
    assert time.monotonic() - started < 10


def test_it_is_killed() -> None:
    mark = new_mark()
    child = subprocess.Popen([*NONO, *SHELL, f"setsid sleep {mark} & sleep {mark}"])
    wait_until(lambda: running(mark) == 2)
    child.kill()
    child.wait()
    wait_until(lambda: running(mark) == 0)


def test_what_was_missing_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    done = shell(f"cat {tmp_path}/file", "--explain", "--env", "LC_ALL=C")
    assert done.returncode == 1
    said, hint = done.stderr.splitlines()
    assert said == f"cat: {tmp_path}/file: Permission denied"
    assert hint.startswith("nono: ")
    assert hint.endswith(f"(perhaps --read {tmp_path}/file)")
    assert shell(f"cat {tmp_path}/file", "--explain", f"--read={tmp_path}/file").stdout == "text"
    done = shell("head -c 300000 /dev/zero >&2; exec 2>&-; sleep 0.1; exit 3", "--explain")
    assert (done.returncode, done.stderr) == (3, 300000 * "\0")
    # Without it nothing is added to what the command says.
    assert shell(f"cat {tmp_path}/file", "--env", "LC_ALL=C").stderr == said + "\n"


def test_a_report(tmp_path: Path) -> None:
    done = shell("cat; echo err >&2; exit 3", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (3, "")
    assert (report["exit_code"], report["stdout"], report["stderr"]) == (3, "", "err\n")
    assert report["command"] == ["sh", "-c", "cat; echo err >&2; exit 3"]
    assert (report["timed_out"], report["failure"], report["leaves_survivors"]) == (False, None, False)
    assert report["unenforced"] == nono_py.support_info().unenforced
    assert [entry["remediation"]["kind"] for entry in report["diagnostics"]] == ["run_discovery", "check_policy"]

    report = json.loads(nono("run", "--json", "--system", "--", "head", "-c", "1100000", "/dev/zero").stdout)
    assert (len(report["stdout"]), report["stdout_cut"]) == (1 << 20, 1100000 - (1 << 20))
    report = json.loads(shell("printf 'a\\377b'", "--json").stdout)
    assert report["stdout"] == "a\ufffdb"

    done = shell("kill -9 $$", "--json")
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (137, -9)
    done = shell("sleep 50", "--json", "--timeout=0.2")
    assert (done.returncode, json.loads(done.stdout)["timed_out"]) == (124, True)
    done = nono("run", "--no-program", "--json", "--", "true")
    failure = json.loads(done.stdout)["failure"]
    assert (done.returncode, failure["stage"], failure["error"]) == (127, "exec", "EACCES")
    assert "true" in failure["message"]
    assert json.loads(done.stdout)["explanation"] == failure["message"]


def test_nobody_reads() -> None:
    """As in `nono support | true`."""
    read, write = os.pipe()
    os.close(read)
    done = nono("support", stdout=write, capture_output=False, stderr=subprocess.PIPE)
    os.close(write)
    assert done.stderr == ""


# why


def test_why(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    done = nono("why", file)
    assert (done.stdout, done.returncode) == (f"{file}: denied for read, not granted\n", 1)
    done = nono("why", "--read", tmp_path, file)
    assert (done.stdout, done.returncode) == (f"{file}: allowed for read, by the grant of {tmp_path}\n", 0)
    done = nono("why", "--read", tmp_path, "--for", "write", file)
    assert (done.stdout, done.returncode) == (f"{file}: denied for write, granted for read only\n", 1)
    done = nono("why", "--json", "--read", tmp_path, "--for", "write", file)
    assert json.loads(done.stdout) == {
        "path": str(file),
        "requested": "write",
        "status": "denied",
        "reason": "insufficient_access",
        "granted": "read",
    }
    assert done.returncode == 1
    assert nono("why").stderr == "nono: the following arguments are required: PATH (see --help)\n"


# support


def test_support() -> None:
    info = nono_py.support_info()
    done = nono("support")
    assert done.stdout.splitlines() == [info.details, f"left open by this kernel: {', '.join(info.unenforced)}"]
    assert done.returncode == 0
    report = json.loads(nono("support", "--json").stdout)
    assert report["kernel_abi"] == info.kernel_abi
    assert report["unenforced"] == info.unenforced


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["why", "--help"], ["support", "--help"]])
def test_help(arguments: list[str]) -> None:
    done = nono(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: python -m nono_py" in done.stdout
    if arguments[0] == "run":
        assert all(word in done.stdout for word in ("--read P", "--write P", "--allow P", "--block-net", "--timeout S"))
        assert "exit status:" in done.stdout


def test_the_package_does_not_import_it() -> None:
    code = "import sys, nono_py; nono_py.sandboxed_exec; print('argparse' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
