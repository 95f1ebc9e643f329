# SPDX-License-Identifier: Apache-2.0
"""Running one command in a sandbox of its own: sandboxed_exec(), spawn(), prepare()."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, SupportsIndex

from nono_py import _nono_py
from nono_py._options import (
    SUBPROCESS_DEVNULL,
    Environment,
    Input,
    Limits,
    Options,
    SpawnOptions,
    Stream,
    Text,
    output_limit,
    start_spawned,
)
from nono_py._process import Process
from nono_py._results import ExecResult, Status, exec_result

if TYPE_CHECKING:
    from typing_extensions import Unpack

MODES = ("auto", "landlock", "seccomp")

Listener = Callable[[str, bytes], object]


class PreparedSandbox:
    """A sandbox that the kernel already knows: prepare() makes one.

    It holds the objects that were granted when it was made: a directory that is deleted and made again is another one,
    and not covered. Any number of threads may run commands in it at once.
    """

    __slots__ = ("_handle",)

    def __init__(self, caps: _nono_py.CapabilitySet, **options: bool) -> None:
        self._handle = _nono_py.prepare(caps, **options)

    def __repr__(self) -> str:
        return f"PreparedSandbox({self._handle.caps!r})"

    def run(
        self,
        command: Iterable[Text],
        cwd: Text | None = None,
        timeout_secs: float | None = None,
        env: Environment | None = None,
        inherit_env: bool = False,
        *,
        stdin: Input = None,
        max_output_bytes: SupportsIndex | None = None,
        on_output: Listener | None = None,
        **limits: Unpack[Limits],
    ) -> ExecResult:
        """Run a command to its end, as sandboxed_exec() does."""
        options = Options(cwd=cwd, env=env, inherit_env=inherit_env, timeout_secs=timeout_secs, **limits)
        return _run(self._handle, options, command, stdin, max_output_bytes, on_output)

    def spawn(
        self,
        command: Iterable[Text],
        *,
        stdin: Stream = SUBPROCESS_DEVNULL,
        stdout: Stream = None,
        stderr: Stream = None,
        **options: Unpack[SpawnOptions],
    ) -> Process:
        """Start a command and return its Process, as spawn() does."""
        return Process(*start_spawned(self._handle, command, (stdin, stdout, stderr), options))


def prepare(caps: _nono_py.CapabilitySet, **options: bool) -> PreparedSandbox:
    """Prepare the sandbox of a set, to run any number of commands in.

    The rules of the set are given to the kernel once. The keywords are those of apply().

    Raises RuntimeError if this system cannot enforce the set.
    """
    return PreparedSandbox(caps, **options)


def handle_of(sandbox: _nono_py.CapabilitySet | PreparedSandbox) -> _nono_py.SandboxHandle:
    return sandbox._handle if isinstance(sandbox, PreparedSandbox) else _nono_py.prepare(sandbox)


def check_mode(mode: str) -> None:
    """A sandbox here is never less than all that the kernel offers, whatever the mode."""
    if not isinstance(mode, str):
        raise TypeError(f"'{type(mode).__name__}' object is not an instance of 'str'")
    if mode not in MODES:
        raise ValueError(f"enforcement_mode must be 'auto', 'landlock', or 'seccomp', got '{mode}'")


def _run(
    sandbox: _nono_py.SandboxHandle,
    options: Options,
    command: Iterable[Text],
    stdin: Input,
    max_output_bytes: SupportsIndex | None,
    on_output: Listener | None,
) -> ExecResult:
    most = output_limit(max_output_bytes)
    process, fed = options.start_captured(sandbox, command, stdin)
    listener = None
    if on_output is not None:

        def listener(number: int, piece: bytes) -> None:
            on_output("stdout" if number == 1 else "stderr", piece)

    output = process.communicate(fed, most, listener)
    return exec_result(Status(process.wait(0)), output, sandbox.caps, options)


def sandboxed_exec(
    caps: _nono_py.CapabilitySet | PreparedSandbox,
    command: Iterable[Text],
    cwd: Text | None = None,
    timeout_secs: float | None = None,
    env: Environment | None = None,
    inherit_env: bool = False,
    max_processes: SupportsIndex | None = None,
    max_cpu_seconds: SupportsIndex | None = None,
    max_file_size_bytes: SupportsIndex | None = None,
    max_open_files: SupportsIndex | None = None,
    uid: SupportsIndex | None = None,
    gid: SupportsIndex | None = None,
    enforcement_mode: str = "auto",
    *,
    stdin: Input = None,
    max_output_bytes: SupportsIndex | None = None,
    max_memory_bytes: SupportsIndex | None = None,
    on_output: Listener | None = None,
    umask: SupportsIndex | None = None,
) -> ExecResult:
    """Run a command in a sandbox of its own and return what came of it. The caller stays as it is.

    caps: what the command may do, or a sandbox from prepare().
    command: the program and its arguments. A name without a slash is looked for in PATH.
    cwd: its working directory, which need not be granted.
    timeout_secs: after so long everything is killed, and exit_code is 124.
    env, inherit_env: its environment is `env` and, if asked for, the caller's. What the dynamic loader reads (LD_*) is
        refused.
    max_processes, max_memory_bytes: for the command and all that it starts, if a control group can be made;
        otherwise RLIMIT_NPROC (all processes of the user) and RLIMIT_AS (each process by itself). The result tells
        which; a limit that cannot be enforced is an error.
    max_cpu_seconds, max_file_size_bytes, max_open_files: for each process, as getrlimit(2) has it.
    uid, gid: another user and group, for root.
    enforcement_mode: "auto", "landlock" or "seccomp"; all of them enforce all that the kernel can.
    stdin: bytes, a file, or None for /dev/null.
    max_output_bytes: how much is kept of each output; the rest is counted in stdout_cut and stderr_cut.
    on_output: called with "stdout" or "stderr" and each piece as it comes. What it raises ends the command.

    When the call returns, or raises, nothing that the command started runs any more; ExecResult.leaves_survivors says
    so where a kernel offers no way. Ctrl-C ends the command.

    Raises ValueError and TypeError for arguments, RuntimeError if the program or the directory does not exist or this
    system cannot enforce the sandbox, PermissionError for a blocked command, SpawnError if no process can be made. A
    command that could not be started otherwise has exit_code 126 or 127, and ExecResult.failure.
    """
    options = Options(
        cwd=cwd,
        env=env,
        inherit_env=inherit_env,
        timeout_secs=timeout_secs,
        max_processes=max_processes,
        max_cpu_seconds=max_cpu_seconds,
        max_file_size_bytes=max_file_size_bytes,
        max_open_files=max_open_files,
        max_memory_bytes=max_memory_bytes,
        uid=uid,
        gid=gid,
        umask=umask,
    )
    check_mode(enforcement_mode)
    return _run(handle_of(caps), options, command, stdin, max_output_bytes, on_output)


def spawn(
    caps: _nono_py.CapabilitySet | PreparedSandbox,
    command: Iterable[Text],
    *,
    stdin: Stream = SUBPROCESS_DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    **options: Unpack[SpawnOptions],
) -> Process:
    """Start a command in a sandbox of its own and return its Process, a handle in the manner of subprocess.Popen.

    stdin, stdout, stderr: as for Popen: None (the caller's own), PIPE, DEVNULL, a descriptor or a file; for stderr
        also STDOUT. Standard input is /dev/null unless it is named.
    options: cwd, env, inherit_env, timeout_secs, uid, gid, umask and the limits of sandboxed_exec().

    Returns when the program runs. Raises SpawnError if it cannot be started, with the stage and errno.
    """
    sandbox = caps if isinstance(caps, PreparedSandbox) else PreparedSandbox(caps)
    return sandbox.spawn(command, stdin=stdin, stdout=stdout, stderr=stderr, **options)


for _public in (PreparedSandbox, prepare, sandboxed_exec, spawn):
    _public.__module__ = "nono_py"
