# SPDX-License-Identifier: Apache-2.0
"""What the command line does: running a command, answering about a path, telling what the system can."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import sys
from argparse import Namespace
from typing import Any

import nono_py
from nono_py import AccessMode, CapabilitySet, ExecResult, QueryContext, SpawnError
from nono_py._pipes import PIECE, readable
from nono_py._results import EXEC_CODE, SETUP_CODE, TIMEOUT_CODE

MODES = {"read": AccessMode.READ, "write": AccessMode.WRITE, "read+write": AccessMode.READ_WRITE}

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc")
DEVICES = {"/dev/null": AccessMode.READ_WRITE, "/dev/zero": AccessMode.READ, "/dev/urandom": AccessMode.READ}

VARIABLES = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "TMPDIR", "LANG")

MOST_OUTPUT = 1 << 20  # of each stream, in a report


def _grants(options: Namespace) -> CapabilitySet:
    caps = CapabilitySet()
    named = ((options.read, AccessMode.READ), (options.write, AccessMode.WRITE), (options.allow, AccessMode.READ_WRITE))
    for paths, mode in named:
        for path in paths:
            if os.path.isdir(path):
                caps.allow_path(path, mode)
            else:
                caps.allow_file(path, mode)
    if options.system:
        for directory in filter(os.path.isdir, SYSTEM):
            caps.allow_path(directory, AccessMode.READ)
        for device, mode in DEVICES.items():
            with contextlib.suppress(FileNotFoundError):
                caps.allow_file(device, mode)
    if options.block_net:
        caps.block_network()
    if options.block_unix:
        caps.block_unix_sockets()
    return caps


def _environment(options: Namespace) -> dict[str, str]:
    if options.inherit_env:
        variables = dict(os.environ)
    else:
        variables = {name: os.environ[name] for name in os.environ if name in VARIABLES or name.startswith("LC_")}
    for entry in options.env:
        name, separator, value = entry.partition("=")
        if separator:
            variables[name] = value
        elif name in os.environ:
            variables[name] = os.environ[name]
        else:
            raise ValueError(f"environment variable '{name}' is not set")
    return variables


def status_of(error: Exception) -> int:
    """The exit status for what kept a command from running; 0 if that is none of the command's."""
    if isinstance(error, SpawnError):
        return EXEC_CODE if error.stage == "exec" else SETUP_CODE if error.stage != "process" else 0
    if isinstance(error, RuntimeError) and str(error).startswith("Program not found"):
        return EXEC_CODE
    return SETUP_CODE if isinstance(error, PermissionError) and "is blocked" in str(error) else 0


def run(options: Namespace) -> int:
    caps = _grants(options)
    program = options.command[0]
    if not options.no_program:
        # What is no program at all is told when it is to be run.
        with contextlib.suppress(OSError):
            caps.allow_program(program)
    keywords: dict[str, Any] = {
        "cwd": options.cwd,
        "env": _environment(options),
        "timeout_secs": options.timeout,
        "max_memory_bytes": options.memory,
        "max_processes": options.processes,
    }
    try:
        if options.json:
            return _run_reported(caps, options, keywords)
        if options.explain:
            return _run_explained(caps, options, keywords)
        return _run_through(caps, options, keywords)
    except SpawnError as error:
        print(f"nono: {_explained(error, caps, program)}", file=sys.stderr)
        return status_of(error)


def _explained(error: SpawnError, caps: CapabilitySet, program: str) -> str:
    return nono_py.explain_exec_failure(caps, program, error.errno or 0) if error.stage == "exec" else str(error)


def _run_through(caps: CapabilitySet, options: Namespace, keywords: dict[str, Any]) -> int:
    """The streams of the command are our own."""
    sys.stdout.flush()
    with nono_py.spawn(caps, options.command, stdin=None, **keywords) as process:
        code = process.wait()
    return _status(code, process.timed_out, options)


def _run_explained(caps: CapabilitySet, options: Namespace, keywords: dict[str, Any]) -> int:
    """The same, but its standard error passes through here."""
    kept = bytearray()

    def pass_on(descriptor: int, size: int) -> bool:
        piece = os.read(descriptor, size)
        sys.stderr.buffer.write(piece)
        sys.stderr.buffer.flush()
        # The end of it tells most.
        kept.extend(piece)
        del kept[:-MOST_OUTPUT]
        return len(piece) > 0

    with nono_py.spawn(caps, options.command, stdin=None, stderr=-1, **keywords) as process:
        assert process.stderr is not None
        end, stream = process.fileno(), process.stderr.fileno()
        poller = select.poll()
        poller.register(end, select.POLLIN)
        poller.register(stream, select.POLLIN)
        while end not in (ready := [descriptor for descriptor, _ in poller.poll()]):
            if stream in ready and not pass_on(stream, PIECE):
                poller.unregister(stream)
        # What is there now is all, though a process outside may hold the other end.
        left = readable(stream)
        while left > 0:
            pass_on(stream, min(left, PIECE))
            left -= min(left, PIECE)
        code = process.wait()
    status = _status(code, process.timed_out, options)
    if status != 0:
        report = nono_py._nono_py.session_diagnostics_json(code, bytes(kept), caps, options.cwd)
        for hint in _hints(json.loads(report)):
            print(f"nono: {hint}", file=sys.stderr)
    return status


def _hints(report: dict[str, Any]) -> list[str]:
    """What a report says that is about something, with the option that would help. The command wrote it: see for
    yourself whether it should have what it asks for."""
    flags = {"Read": "--read", "Write": "--write", "ReadWrite": "--allow"}
    hints = []
    for entry in report["diagnostics"]:
        if entry["severity"] == "info":
            continue
        remedy = entry.get("remediation", {})
        path = remedy.get("path", entry.get("path", "."))
        option = flags.get(remedy.get("access", entry.get("access", "")), "")
        would_help = f" (perhaps {option} {path})" if remedy and option else ""
        hints.append(entry["message"] + would_help)
    return hints


def _status(code: int, timed_out: bool, options: Namespace) -> int:
    """As shells have it."""
    if timed_out:
        print(f"nono: timed out after {options.timeout:g} s", file=sys.stderr)
        return TIMEOUT_CODE
    return 128 - code if code < 0 else code


def _run_reported(caps: CapabilitySet, options: Namespace, keywords: dict[str, Any]) -> int:
    result = nono_py.sandboxed_exec(caps, options.command, stdin=0, max_output_bytes=MOST_OUTPUT, **keywords)
    print(json.dumps(_report(result, caps, options), indent=2))
    code = result.exit_code
    return 128 - code if code < 0 else code


def _report(result: ExecResult, caps: CapabilitySet, options: Namespace) -> dict[str, Any]:
    error = result.failure
    return {
        "command": options.command,
        "exit_code": result.exit_code,
        "timed_out": result.timed_out,
        "failure": error
        and {
            "stage": error.stage,
            "errno": error.errno,
            "error": errno.errorcode.get(error.errno or 0),
            "message": _explained(error, caps, options.command[0]),
        },
        "stdout": result.stdout.decode(errors="replace"),
        "stderr": result.stderr.decode(errors="replace"),
        "stdout_cut": result.stdout_cut,
        "stderr_cut": result.stderr_cut,
        "memory_limited_by": result.memory_limited_by,
        "processes_limited_by": result.processes_limited_by,
        "leaves_survivors": result.leaves_survivors,
        "unenforced": result.unenforced,
        "explanation": result.explanation,
        "diagnostics": result.session_diagnostics()["diagnostics"],
    }


def why(options: Namespace) -> int:
    answer = QueryContext(_grants(options)).query_path(options.path, MODES[options.mode])
    if options.json:
        print(json.dumps({"path": options.path, "requested": options.mode, **answer}, indent=2))
    elif answer["status"] == "allowed":
        print(f"{options.path}: allowed for {options.mode}, by the grant of {answer.get('granted_path')}")
    elif answer["reason"] == "insufficient_access":
        print(f"{options.path}: denied for {options.mode}, granted for {answer.get('granted')} only")
    else:
        print(f"{options.path}: denied for {options.mode}, not granted")
    return 0 if answer["status"] == "allowed" else 1


def support(options: Namespace) -> int:
    info = nono_py.support_info()
    if options.json:
        report = {
            "is_supported": info.is_supported,
            "platform": info.platform,
            "details": info.details,
            "kernel_abi": info.kernel_abi,
            "used_abi": info.used_abi,
            "unenforced": info.unenforced,
        }
        print(json.dumps(report, indent=2))
    else:
        print(info.details)
        if info.is_supported:
            print(f"left open by this kernel: {', '.join(info.unenforced) or 'nothing'}")
    return 0 if info.is_supported else 1
