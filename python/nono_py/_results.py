# SPDX-License-Identifier: Apache-2.0
"""What came of a command: ExecResult, and SpawnError where it could not be started."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast, final

from nono_py import _nono_py

if TYPE_CHECKING:
    from nono_py import CapabilitySet
    from nono_py._options import Options

# In the order of NONO_SPAWN_STAGE_*, NONO_PROCESS_* and NONO_LIMITED_BY_* in nono.h.
STAGES = (
    None,
    "process",
    "stdio",
    "chdir",
    "limits",
    "privileges",
    "landlock",
    "seccomp",
    "capabilities",
    "exec",
)
EXITED, TIMED_OUT, KILLED, LOST = range(4)
MEANS = (None, "rlimit", "cgroup v1", "cgroup v2")

# What the original returns for a command that ran out of time, could not be set up, could not be executed.
TIMEOUT_CODE = 124
SETUP_CODE = 126
EXEC_CODE = 127

# What the dynamic loader of glibc writes when it does not find, or may not read, a library.
LOADER_FAILED = b"error while loading shared libraries"


class SpawnError(OSError, RuntimeError):
    """A command could not be started.

    `stage` names how far it had come: "process", "stdio", "chdir", "limits", "privileges", "landlock", "seccomp",
    "capabilities" or "exec"; `errno` is the error of that.
    """

    stage: str | None
    #: Which grant the program lacks to be executed, in a sentence; None if that is not what failed.
    explanation: str | None

    def __init__(self, message: str, stage: str | None = None, errno: int = 0) -> None:
        super().__init__(message)
        self.stage = stage
        self.errno = errno or None
        self.explanation = None

    def __reduce__(self) -> tuple[type[SpawnError], tuple[object, ...], dict[str, object]]:
        return SpawnError, (*self.args, self.stage, self.errno or 0), {"explanation": self.explanation}


SpawnError.__module__ = "nono_py"


def spawn_error(stage: int, errno: int, message: str) -> SpawnError:
    """The exception for an error of the library."""
    return SpawnError(message, STAGES[stage], errno)


def explain(error: SpawnError | None, caps: CapabilitySet, program: bytes) -> str | None:
    """What stood in the way of a program that could not be executed."""
    if error is None or error.stage != "exec" or not error.errno:
        return None
    return _nono_py.explain_exec_failure(caps, program, error.errno, search_path=os.environb.get(b"PATH"))


class Status:
    """How a command is, or was: what ProcessHandle.wait() tells, by name."""

    __slots__ = (
        "cause",
        "exit_code",
        "failed_errno",
        "failed_stage",
        "failure",
        "has_ended",
        "leaves_survivors",
        "memory_limited_by",
        "pid",
        "processes_limited_by",
        "unenforced",
    )

    def __init__(self, told: tuple[bool, int, int, int, int, int, str | None, int, int, bool, list[str]]) -> None:
        self.has_ended, self.pid, self.exit_code, self.cause = told[:4]
        self.failed_stage, self.failed_errno, self.failure = told[4:7]
        self.memory_limited_by, self.processes_limited_by = MEANS[told[7]], MEANS[told[8]]
        self.leaves_survivors, self.unenforced = told[9:]

    def error(self) -> SpawnError | None:
        """Why the program does not run; None if it does, or did."""
        if self.failed_stage == 0:
            return None
        return spawn_error(self.failed_stage, self.failed_errno, self.failure or "")


@final
class ExecResult:
    """What a command that has ended left behind.

    stdout, stderr: what it wrote, as bytes, up to max_output_bytes of each.
    exit_code: its exit status; the negated number of the signal that ended it; 124 if its time was over; 126 or 127 if
        it could not be started, and then `failure` says why, so that a program's own 126 is told from that.
    """

    __slots__ = ("_caps", "_cut", "_exit_code", "_options", "_status", "_stderr", "_stdout")

    _stdout: bytes
    _stderr: bytes
    _cut: tuple[int, int]
    _exit_code: int
    _status: Status
    _caps: CapabilitySet
    _options: Options

    def __init__(self, *args: object, **keywords: object) -> None:
        raise TypeError("No constructor defined for ExecResult")

    def __repr__(self) -> str:
        return (
            f"ExecResult(exit_code={self._exit_code}, stdout_len={len(self._stdout)}, stderr_len={len(self._stderr)})"
        )

    @property
    def stdout(self) -> bytes:
        return self._stdout

    @property
    def stderr(self) -> bytes:
        return self._stderr

    @property
    def exit_code(self) -> int:
        return self._exit_code

    @property
    def stdout_cut(self) -> int:
        """How many bytes of stdout were beyond max_output_bytes."""
        return self._cut[0]

    @property
    def stderr_cut(self) -> int:
        """How many bytes of stderr were beyond max_output_bytes."""
        return self._cut[1]

    @property
    def timed_out(self) -> bool:
        return self._status.cause == TIMED_OUT

    @property
    def failure(self) -> SpawnError | None:
        """Why the command was not started; None if it was."""
        return self._status.error()

    @property
    def explanation(self) -> str | None:
        """Which grant the program lacked to start, in a sentence; None if it started, or lacked something else."""
        if self.failure is not None:
            return explain(self.failure, self._caps, self._options.program)
        if self._exit_code == EXEC_CODE and LOADER_FAILED in self._stderr:
            search_path = os.environb.get(b"PATH")
            return _nono_py.explain_exec_failure(self._caps, self._options.program, 0, search_path=search_path)
        return None

    @property
    def memory_limited_by(self) -> str | None:
        """How max_memory_bytes was enforced: "cgroup v2", "cgroup v1" or "rlimit" (each process by itself)."""
        return self._status.memory_limited_by

    @property
    def processes_limited_by(self) -> str | None:
        """How max_processes was enforced: "cgroup v2", "cgroup v1" or "rlimit" (all processes of that user)."""
        return self._status.processes_limited_by

    @property
    def leaves_survivors(self) -> bool:
        """Whether something that it started may still run, because this kernel has no way to find all of it."""
        return self._status.leaves_survivors

    @property
    def unenforced(self) -> list[str]:
        """What this kernel left open in the sandbox, as unenforced() names it."""
        return list(self._status.unenforced)

    def session_diagnostics(self) -> dict[str, Any]:
        """Tell what the command probably missed, from what it wrote to stderr.

        The command controls that text: never grant what it asks for without a look.
        """
        import json

        return cast("dict[str, Any]", json.loads(self.session_diagnostics_json()))

    def session_diagnostics_json(self) -> str:
        """The same as JSON."""
        directory = self._options.working_directory
        return _nono_py.session_diagnostics_json(self._exit_code, self._stderr, self._caps, directory)


ExecResult.__module__ = "nono_py"


def exec_result(
    status: Status, output: tuple[bytes, int, bytes, int], caps: CapabilitySet, options: Options
) -> ExecResult:
    """The result of a command, as the original words it where the command could not be started."""
    stdout, stdout_cut, stderr, stderr_cut = output
    exit_code = status.exit_code
    error = status.error()
    if error is not None:
        if error.stage == "process":
            raise error
        exit_code = EXEC_CODE if error.stage == "exec" else SETUP_CODE
        text = "failed to chdir" if error.stage == "chdir" else str(error)
        stderr += f"nono: {text}\n".encode()
    elif status.cause == TIMED_OUT:
        exit_code = TIMEOUT_CODE
    result = object.__new__(ExecResult)
    result._stdout, result._stderr = stdout, stderr
    result._cut = (stdout_cut, stderr_cut)
    result._exit_code, result._status = exit_code, status
    result._caps, result._options = caps, options
    return result
