# SPDX-License-Identifier: Apache-2.0
"""From what a caller says about a command to what ProcessHandle is started with. Texts are those of nono_py 0.16."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, Callable, Optional, SupportsIndex, TypedDict, Union, cast

from nono_py import _nono_py
from nono_py._results import SpawnError, explain

# NONO_SPAWN_NO_WAIT and NONO_STDIO_* of nono.h.
NO_WAIT = 0x400
NULL, PIPE, DESCRIPTOR, STDOUT = range(4)

# Values of subprocess, which is not imported for them.
SUBPROCESS_PIPE, SUBPROCESS_STDOUT, SUBPROCESS_DEVNULL = -1, -2, -3

Text = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Environment = Union[Mapping[str, str], Sequence[tuple[str, str]]]
File = Union[int, IO[Any]]
Stream = Optional[File]
Input = Union[bytes, bytearray, memoryview, int, IO[Any], None]

HALF_A_CENTURY_NS = 1 << 60


def command_list(command: Iterable[Text]) -> list[bytes]:
    if isinstance(command, (str, bytes)):
        raise TypeError("Can't extract `str` to `Vec`")
    arguments = [_text(argument) for argument in command]
    if not arguments:
        raise ValueError("command must not be empty")
    if b"\0" in b"".join(arguments):
        if b"\0" in arguments[0]:
            raise RuntimeError(f"Program not found in PATH: {os.fsdecode(arguments[0])}")
        raise RuntimeError("Argument contains null byte")
    return arguments


def _text(value: Text) -> bytes:
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise TypeError(f"'{type(value).__name__}' object is not an instance of 'str'")
    return os.fsencode(value)


def directory_path(cwd: Text) -> bytes:
    path = _text(cwd)
    if b"\0" in path:
        raise RuntimeError(
            f"Cannot resolve working directory '{os.fsdecode(path)}': file name contained an unexpected NUL byte"
        )
    return path


def environment_list(env: Environment | None, inherit_env: bool) -> list[bytes]:
    """NAME=VALUE entries, sorted by name; of equal names the last one counts."""
    variables: dict[bytes, bytes] = dict(os.environb) if inherit_env else {}
    for pair in () if env is None else env.items() if isinstance(env, Mapping) else env:
        if not isinstance(pair, tuple):
            raise TypeError(f"'{type(pair).__name__}' object is not an instance of 'tuple'")
        if len(pair) != 2:
            raise ValueError(f"expected tuple of length 2, but got tuple of length {len(pair)}")
        name, value = pair
        if not isinstance(name, str) or not isinstance(value, str):
            wrong = value if isinstance(name, str) else name
            raise TypeError(f"'{type(wrong).__name__}' object is not an instance of 'str'")
        _check_variable(name, value)
        variables[os.fsencode(name)] = os.fsencode(value)
    return [name + b"=" + variables[name] for name in sorted(variables)]


def _check_variable(name: str, value: str) -> None:
    if not name:
        raise ValueError("environment variable name must not be empty")
    if "=" in name:
        raise ValueError(f"environment variable name '{name}' must not contain '='")
    if "\0" in name:
        raise ValueError("environment variable name contains null byte")
    if "\0" in value:
        raise ValueError(f"environment variable value for '{name}' contains null byte")


def _timeout_ns(name: str, value: Any) -> int | None:
    """Nanoseconds; None for ever, which what is longer than any process will run is too."""
    if not hasattr(value, "__float__") and not hasattr(value, "__index__"):
        raise TypeError(f"must be real number, not {type(value).__name__}")
    seconds = float(value)
    if math.isnan(seconds):
        raise ValueError(f"{name} must be non-negative, got NaN")
    if seconds < 0:
        raise ValueError(f"{name} must be non-negative, got {_plain(seconds)}")
    nanoseconds = seconds * 1e9
    return None if nanoseconds >= HALF_A_CENTURY_NS else math.ceil(nanoseconds)


def _plain(number: float) -> str:
    """Without an exponent, and without a fraction that is none."""
    from decimal import Decimal  # for an error alone

    if math.isinf(number):
        return str(number)
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(value: SupportsIndex, bits: int) -> int:
    number = operator.index(value)
    if bits == 32 and not -(1 << 63) <= number < 1 << 63:
        raise OverflowError("Python int too large to convert to C long")
    if bits == 32 and not 0 <= number < 1 << 32:
        raise OverflowError("out of range integral type conversion attempted")
    if number < 0:
        raise OverflowError("can't convert negative int to unsigned")
    if number >= 1 << 64:
        raise OverflowError("int too big to convert")
    return number


def _positive(name: str, value: SupportsIndex) -> int:
    number = _number(value, 64)
    if number == 0:
        raise ValueError(f"{name} must be positive")
    return number


def _large(name: str, value: SupportsIndex) -> int:
    return _number(value, 64)


def _small(name: str, value: SupportsIndex) -> int:
    return _number(value, 32)


# The numbers of struct NonoSpawnOptions, in the order in which ProcessHandle.start() takes them, which is that of their
# bits in NONO_SPAWN_*: each with what checks it.
NUMBERS: tuple[tuple[str, Callable[[str, Any], int | None]], ...] = (
    ("timeout_secs", _timeout_ns),
    ("max_processes", _positive),
    ("max_cpu_seconds", _positive),
    ("max_file_size_bytes", _large),
    ("max_open_files", _positive),
    ("max_memory_bytes", _positive),
    ("uid", _small),
    ("gid", _small),
    ("umask", _small),
)


def _checked(values: tuple[object, ...]) -> tuple[int, tuple[int, ...]]:
    """Which of the numbers are set, by their bits, and all of them."""
    bits = 0
    numbers = [0] * len(NUMBERS)
    for position, value in enumerate(values):
        if value is not None:
            name, check = NUMBERS[position]
            number = check(name, value)
            if number is not None:
                bits |= 1 << position
                numbers[position] = number
    return bits, tuple(numbers)


def output_limit(max_output_bytes: SupportsIndex | None) -> int:
    return (1 << 64) - 1 if max_output_bytes is None else _number(max_output_bytes, 64)


def _stream(value: Stream, inherited: int) -> tuple[int, int]:
    """Mode and descriptor of a stream that is said as subprocess.Popen has it said."""
    if value is None:
        return DESCRIPTOR, inherited
    if not isinstance(value, int):
        return DESCRIPTOR, value.fileno()
    if value == SUBPROCESS_PIPE:
        return PIPE, -1
    if value == SUBPROCESS_DEVNULL:
        return NULL, -1
    if value == SUBPROCESS_STDOUT and inherited == 2:
        return STDOUT, -1
    return DESCRIPTOR, value


def _input(stdin: Input) -> tuple[bytes, tuple[int, int]]:
    """What is to be fed to a command, and where its standard input leads."""
    if stdin is None:
        return b"", (NULL, -1)
    if isinstance(stdin, (bytes, bytearray, memoryview)):
        return bytes(stdin), (PIPE, -1)
    return b"", (DESCRIPTOR, stdin if isinstance(stdin, int) else stdin.fileno())


def _absolute(directory: bytes | None) -> bytes | None:
    try:
        here = os.getcwdb()
    except OSError:
        return directory
    return here if directory is None else os.path.join(here, directory)


class Limits(TypedDict, total=False):
    """Keywords about what a command may use, and as whom: those of sandboxed_exec()."""

    max_processes: SupportsIndex | None
    max_cpu_seconds: SupportsIndex | None
    max_file_size_bytes: SupportsIndex | None
    max_open_files: SupportsIndex | None
    max_memory_bytes: SupportsIndex | None
    uid: SupportsIndex | None
    gid: SupportsIndex | None
    umask: SupportsIndex | None


class SpawnOptions(Limits, total=False):
    """All keywords of spawn() but those about streams."""

    cwd: Text | None
    env: Environment | None
    inherit_env: bool
    timeout_secs: float | None


class Options:
    """What a command is started with besides the command itself."""

    __slots__ = ("_directory", "_environment", "_numbers", "_set", "program", "working_directory")

    # Of the command that was started with them: its name, and the absolute path of where it runs, if there is one.
    program: bytes
    working_directory: bytes | None

    def __init__(
        self,
        *,
        cwd: Text | None = None,
        env: Environment | None = None,
        inherit_env: bool = False,
        timeout_secs: float | None = None,
        max_processes: SupportsIndex | None = None,
        max_cpu_seconds: SupportsIndex | None = None,
        max_file_size_bytes: SupportsIndex | None = None,
        max_open_files: SupportsIndex | None = None,
        max_memory_bytes: SupportsIndex | None = None,
        uid: SupportsIndex | None = None,
        gid: SupportsIndex | None = None,
        umask: SupportsIndex | None = None,
    ) -> None:
        self._set, self._numbers = _checked(
            (
                timeout_secs,
                max_processes,
                max_cpu_seconds,
                max_file_size_bytes,
                max_open_files,
                max_memory_bytes,
                uid,
                gid,
                umask,
            )
        )
        self._environment = [] if env is None and not inherit_env else environment_list(env, inherit_env)
        self._directory = None if cwd is None else directory_path(cwd)

    def _start(
        self,
        sandbox: _nono_py.SandboxHandle,
        command: Iterable[Text],
        streams: tuple[int, ...],
        flags: int,
    ) -> _nono_py.ProcessHandle:
        arguments = command_list(command)
        self.program = arguments[0]
        self.working_directory = _absolute(self._directory)
        return sandbox.start(
            arguments,
            self._environment,
            self._directory,
            None if b"/" in self.program else os.environb.get(b"PATH"),
            self._set | flags,
            streams,
            self._numbers,
        )

    def start_captured(
        self, sandbox: _nono_py.SandboxHandle, command: Iterable[Text], stdin: Input
    ) -> tuple[_nono_py.ProcessHandle, bytes]:
        """Start a command whose outputs are pipes. Returns it, and what is to be fed to it.

        Does not wait until the program runs: whether it could be started is told in the end.
        """
        fed, stdin_stream = _input(stdin)
        return self._start(sandbox, command, (*stdin_stream, PIPE, -1, PIPE, -1), NO_WAIT), fed


def start_spawned(
    sandbox: _nono_py.SandboxHandle,
    command: Iterable[Text],
    streams: tuple[Stream, Stream, Stream],
    options: SpawnOptions,
) -> tuple[_nono_py.ProcessHandle, list[Text]]:
    """Start a command and return it when its program runs; with its arguments, which may be read only once."""
    arguments = command if isinstance(command, (str, bytes)) else list(command)
    numbers = [number for inherited, value in enumerate(streams) for number in _stream(value, inherited)]
    started = Options(**options)
    try:
        return started._start(sandbox, arguments, tuple(numbers), 0), cast("list[Text]", arguments)
    except SpawnError as error:
        error.explanation = explain(error, sandbox.caps, started.program)
        raise
