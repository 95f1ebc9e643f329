# SPDX-License-Identifier: Apache-2.0
"""sandboxed_exec(): arguments, environment, results and texts, as in nono_py 0.16.0."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from commands import system_caps

import nono_py
from nono_py import AccessMode, CapabilitySet, ExecResult, SpawnError, sandboxed_exec

pytestmark = pytest.mark.usefixtures("sandbox")

is_root = os.geteuid() == 0


def run(*command: Any, **options: Any) -> ExecResult:
    return sandboxed_exec(system_caps(), command, **options)


def shell(script: str, **options: Any) -> ExecResult:
    return run("sh", "-c", script, **options)


# Results


def test_a_result() -> None:
    result = shell("echo out; echo err >&2; exit 3")
    assert (result.stdout, result.stderr, result.exit_code) == (b"out\n", b"err\n", 3)
    assert repr(result) == "ExecResult(exit_code=3, stdout_len=4, stderr_len=4)"
    assert (result.timed_out, result.failure, result.stdout_cut, result.stderr_cut) == (False, None, 0, 0)
    assert (result.memory_limited_by, result.processes_limited_by, result.leaves_survivors) == (None, None, False)
    assert result.unenforced == nono_py.unenforced(system_caps())
    assert ExecResult.__module__ == "nono_py"


def test_a_result_is_read_only_and_not_made() -> None:
    result = run("true")
    for name in ("stdout", "exit_code", "failure", "other"):
        with pytest.raises(AttributeError):
            setattr(result, name, b"")
    with pytest.raises(TypeError, match="No constructor defined for ExecResult"):
        ExecResult()


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 255", 255), ("exit 300", 44), ("kill -9 $$", -9), ("kill -TERM $$", -15), ("exit 126", 126)],
)
def test_exit_codes(script: str, code: int) -> None:
    result = shell(script)
    assert (result.exit_code, result.stdout, result.stderr, result.failure) == (code, b"", b"", None)


def test_diagnostics_of_a_session(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    result = run("cat", tmp_path / "file", env={"LC_ALL": "C"})
    assert result.exit_code == 1
    report = result.session_diagnostics()
    assert [entry["path"] for entry in report["diagnostics"] if "path" in entry] == [str(tmp_path / "file")]
    assert report["exit_code"] == 1
    assert report == json.loads(result.session_diagnostics_json())


# What is refused

REFUSED: list[tuple[Sequence[Any], dict[str, Any], type[BaseException], str]] = [
    ([], {}, ValueError, "command must not be empty"),
    (["nosuchprog"], {}, RuntimeError, "Program not found in PATH: nosuchprog"),
    ([""], {}, RuntimeError, "Program not found in PATH: "),
    (["/nosuch/prog"], {}, RuntimeError, "Program not found: /nosuch/prog"),
    (["true", "a\0b"], {}, RuntimeError, "Argument contains null byte"),
    (["a\0b"], {}, RuntimeError, "Program not found in PATH: a\0b"),
    (["true"], {"timeout_secs": -1}, ValueError, "timeout_secs must be non-negative, got -1"),
    (["true"], {"timeout_secs": -0.5}, ValueError, "timeout_secs must be non-negative, got -0.5"),
    (["true"], {"timeout_secs": float("nan")}, ValueError, "timeout_secs must be non-negative, got NaN"),
    (["true"], {"timeout_secs": float("-inf")}, ValueError, "timeout_secs must be non-negative, got -inf"),
    (["true"], {"timeout_secs": "x"}, TypeError, "must be real number, not str"),
    (["true"], {"max_processes": 0}, ValueError, "max_processes must be positive"),
    (["true"], {"max_cpu_seconds": 0}, ValueError, "max_cpu_seconds must be positive"),
    (["true"], {"max_open_files": 0}, ValueError, "max_open_files must be positive"),
    (["true"], {"max_memory_bytes": 0}, ValueError, "max_memory_bytes must be positive"),
    (["true"], {"max_processes": -1}, OverflowError, "can't convert negative int to unsigned"),
    (["true"], {"max_file_size_bytes": 2**64}, OverflowError, "int too big to convert"),
    (["true"], {"max_output_bytes": -1}, OverflowError, "can't convert negative int to unsigned"),
    (["true"], {"max_open_files": "x"}, TypeError, "'str' object cannot be interpreted as an integer"),
    (["true"], {"uid": 0}, ValueError, "uid must be non-zero (0 is root; dropping to it is a no-op)"),
    (["true"], {"gid": 0}, ValueError, "gid must be non-zero (0 is the root group; dropping to it is a no-op)"),
    (["true"], {"uid": 2**32}, OverflowError, "out of range integral type conversion attempted"),
    (["true"], {"gid": -1}, OverflowError, "out of range integral type conversion attempted"),
    (
        ["true"],
        {"enforcement_mode": "bogus"},
        ValueError,
        "enforcement_mode must be 'auto', 'landlock', or 'seccomp', got 'bogus'",
    ),
    (["true"], {"enforcement_mode": 1}, TypeError, "'int' object is not an instance of 'str'"),
    (
        ["true"],
        {"cwd": "/nope"},
        RuntimeError,
        "Cannot resolve working directory '/nope': No such file or directory (os error 2)",
    ),
    (
        ["true"],
        {"cwd": "a\0b"},
        RuntimeError,
        "Cannot resolve working directory 'a\0b': file name contained an unexpected NUL byte",
    ),
    (["true"], {"env": [("", "x")]}, ValueError, "environment variable name must not be empty"),
    (["true"], {"env": [("a=b", "c")]}, ValueError, "environment variable name 'a=b' must not contain '='"),
    (["true"], {"env": [("a\0", "x")]}, ValueError, "environment variable name contains null byte"),
    (["true"], {"env": [("a", "\0")]}, ValueError, "environment variable value for 'a' contains null byte"),
    (["true"], {"env": [("a", "b", "c")]}, ValueError, "expected tuple of length 2, but got tuple of length 3"),
    (["true"], {"env": [["a", "b"]]}, TypeError, "'list' object is not an instance of 'tuple'"),
    (["true"], {"env": [("a", 1)]}, TypeError, "'int' object is not an instance of 'str'"),
    ("true", {}, TypeError, "Can't extract `str` to `Vec`"),
    ([1], {}, TypeError, "'int' object is not an instance of 'str'"),
    (["true"], {"stdin": "text"}, AttributeError, "'str' object has no attribute 'fileno'"),
    (["true"], {"stdin": 999}, ValueError, "descriptor 999 for a standard stream is not open"),
]
for _name in ("LD_PRELOAD", "LD_", "DYLD_X", "LIBPATH", "SHLIB_PATH"):
    _text = f"environment variable '{_name}' is not allowed in sandboxed_exec"
    REFUSED.append((["true"], {"env": [(_name, "x")]}, ValueError, _text))


@pytest.mark.parametrize(("command", "options", "error", "text"), REFUSED)
def test_refusals(command: Sequence[Any], options: dict[str, Any], error: type[BaseException], text: str) -> None:
    with pytest.raises(error) as raised:
        sandboxed_exec(system_caps(), command, **options)
    assert str(raised.value) == text
    assert type(raised.value) is error


def test_unknown_keywords_are_refused() -> None:
    with pytest.raises(TypeError, match="max_threads"):
        run("true", max_threads=1)
    with pytest.raises(TypeError, match="max_threads"):
        nono_py.spawn(system_caps(), ["true"], max_threads=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        sandboxed_exec(1, ["true"])  # type: ignore[arg-type]


# What could not be started: exit codes and texts


def failure(result: ExecResult) -> tuple[str | None, int | None]:
    assert isinstance(result.failure, SpawnError)
    return result.failure.stage, result.failure.errno


def test_programs_that_cannot_be_executed(tmp_path: Path) -> None:
    for no_program in ("/etc/passwd", "/etc"):
        result = run(no_program)
        assert (result.exit_code, result.stdout) == (127, b"")
        assert result.stderr == b"nono: exec failed: Permission denied (os error 13)\n"
        assert failure(result) == ("exec", 13)
    # Not granted: the same program runs once it is.
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho runs\n")
    program.chmod(0o755)
    assert run(program).exit_code == 127
    caps = system_caps()
    caps.allow_file(program, AccessMode.READ)
    assert sandboxed_exec(caps, [program]).stdout == b"runs\n"
    assert sandboxed_exec(CapabilitySet(), ["/bin/true"]).exit_code == 127


def test_a_program_that_vanishes(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.symlink_to("/bin/true")
    caps = system_caps(tmp_path)
    sandbox = nono_py.prepare(caps)
    assert sandbox.run([program]).exit_code == 0
    # Its interpreter is what is looked up only by execve(2).
    script = tmp_path / "script"
    script.write_text(f"#!{tmp_path}/interpreter\n")
    script.chmod(0o755)
    result = sandbox.run([script])
    assert result.exit_code == 127
    assert result.stderr == b"nono: exec failed: No such file or directory (os error 2)\n"
    assert failure(result) == ("exec", 2)
    with pytest.raises(SpawnError, match="exec failed: No such file or directory") as raised:
        sandbox.spawn([script])
    assert (raised.value.stage, raised.value.errno) == ("exec", 2)


def test_a_directory_that_is_none() -> None:
    result = run("pwd", cwd="/etc/passwd")
    assert (result.exit_code, result.stdout, result.stderr) == (126, b"", b"nono: failed to chdir\n")
    assert failure(result) == ("chdir", 20)


def test_a_working_directory_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert run("/bin/echo", "runs").stdout == b"runs\n"
    assert run("pwd", cwd="/usr").stdout == b"/usr\n"
    with pytest.raises(RuntimeError, match=r"Cannot resolve working directory '\.': No such file or directory"):
        run("true", cwd=".")


def test_a_limit_that_cannot_be_set() -> None:
    result = run("true", max_open_files=2**40)
    assert result.exit_code == 126
    text = b"nono: failed to set resource limit (max_open_files: Operation not permitted (os error 1))\n"
    assert result.stderr == text
    assert failure(result) == ("limits", 1)


def test_an_error_can_be_pickled() -> None:
    error = run("/etc/passwd").failure
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.stage, copy.errno, copy.explanation) == (
        str(error),
        "exec",
        13,
        error and error.explanation,
    )
    assert isinstance(copy, (OSError, RuntimeError))


# The environment


def test_the_environment_is_empty_but_for_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONO_TEST_SECRET", "x")
    assert run("/usr/bin/env").stdout == b""
    assert run("env", env=[("B", "2"), ("A", "1"), ("B", "3")]).stdout == b"A=1\nB=3\n"
    assert run("env", env={"A": "ä"}).stdout.decode() == "A=ä\n"
    # What runs code in programs but is not the loader's is let through, as in the original.
    assert run("env", env=[("PYTHONPATH", "x"), ("ld_preload", "y")]).stdout == b"PYTHONPATH=x\nld_preload=y\n"


def test_the_environment_is_inherited_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONO_TEST_A", "1")
    monkeypatch.setenv("NONO_TEST_B", "2")
    lines = run("env", inherit_env=True, env=[("NONO_TEST_B", "3")]).stdout.splitlines()
    assert b"NONO_TEST_A=1" in lines
    assert b"NONO_TEST_B=3" in lines
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    with pytest.raises(ValueError, match="'LD_LIBRARY_PATH' is not allowed in sandboxed_exec"):
        run("true", inherit_env=True)
    assert run("env").stdout == b""
