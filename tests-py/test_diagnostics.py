# SPDX-License-Identifier: Apache-2.0
"""Reports about a command that ran in a sandbox."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from containment.implementations import original

import nono_py
from nono_py import AccessMode, CapabilitySet, _nono_py, build_session_diagnostic_report, merge_diagnostic_report_json

ROOT = Path(__file__).parent.parent
DATA = ROOT / "Tests/Data/session-diagnostics.jsonl"
FRAME: dict[str, list[Any]] = {"denials": [], "ipc_denials": [], "violations": []}
HINTS = [
    {
        "code": "command_failed_likely_sandbox",
        "severity": "info",
        "message": "discover additional paths required by the command",
        "remediation": {"kind": "run_discovery"},
    },
    {
        "code": "command_failed_application",
        "severity": "info",
        "message": "inspect sandbox policy for a specific path",
        "remediation": {"kind": "check_policy"},
    },
]


@pytest.mark.parametrize("exit_code", [0, 1, 127, -9, 2**31 - 1, -(2**31)])
def test_minimal_report(exit_code: int) -> None:
    report = build_session_diagnostic_report(exit_code)
    assert report == {"exit_code": exit_code, **FRAME, "diagnostics": HINTS if exit_code else []}
    assert list(report) == ["exit_code", "denials", "ipc_denials", "violations", "diagnostics"]
    assert json.dumps(report, separators=(",", ":")) == _nono_py.diagnostic_report_json(exit_code)


class Seven:
    def __index__(self) -> int:
        return 7


def test_exit_code_arguments() -> None:
    build: Any = build_session_diagnostic_report
    assert build(exit_code=3)["exit_code"] == 3
    assert build(Seven())["exit_code"] == 7
    for number in (2**31, -(2**31) - 1, 2**80):
        with pytest.raises(OverflowError, match=r"^out of range integral type conversion attempted$"):
            build(number)
    for other in ("1", 1.0, None):
        with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
            build(other)


@pytest.mark.parametrize(
    ("session", "proxy", "merged"),
    [
        ("{}", None, {"session": {}}),
        ("[]", "", {"session": []}),
        ("1.50", "[1]", {"session": 1.5, "proxy": [1]}),
        ('{"a":1,"a":2}', None, {"session": {"a": 2}}),
    ],
)
def test_merge(session: str, proxy: "str | None", merged: "dict[str, Any]") -> None:
    assert merge_diagnostic_report_json(session, proxy) == merged
    assert merge_diagnostic_report_json(session_report_json=session, proxy_diagnostics_json=proxy) == merged


def test_merge_errors() -> None:
    merge: Any = merge_diagnostic_report_json
    for session, proxy, message in [
        ("", None, "parse session diagnostic JSON: EOF while parsing a value at line 1 column 0"),
        ("{", None, "parse session diagnostic JSON: EOF while parsing an object at line 1 column 1"),
        ("1", "{", "parse proxy diagnostics JSON: EOF while parsing an object at line 1 column 1"),
        ("1\0", None, "parse session diagnostic JSON: there is a NUL character in it"),
        ("1", "1\0", "parse proxy diagnostics JSON: there is a NUL character in it"),
    ]:
        with pytest.raises(ValueError, match=f"^{re.escape('Configuration parse error: ' + message)}$"):
            merge(session, proxy)
    for arguments in [(None,), (b"1",), ("1", b""), ("1", 5), ()]:
        with pytest.raises(TypeError):
            merge(*arguments)
    with pytest.raises(UnicodeEncodeError):
        merge('"\ud800"')


def test_signatures_are_those_of_the_original() -> None:
    def names(function: Any) -> dict[str, Any]:
        return {name: p.default for name, p in inspect.signature(function).parameters.items()}

    assert names(build_session_diagnostic_report) == {"exit_code": inspect.Parameter.empty}
    assert names(merge_diagnostic_report_json) == {
        "session_report_json": inspect.Parameter.empty,
        "proxy_diagnostics_json": None,
    }


def report(stderr: "str | bytes", caps: "CapabilitySet | None" = None, cwd: Any = None) -> "list[dict[str, Any]]":
    stderr = stderr.encode() if isinstance(stderr, str) else stderr
    text = _nono_py.session_diagnostics_json(0, stderr, caps or CapabilitySet(), cwd)
    diagnostics: list[dict[str, Any]] = json.loads(text)["diagnostics"]
    return diagnostics


def test_session_report() -> None:
    assert json.loads(_nono_py.session_diagnostics_json(3, b"", CapabilitySet())) == {
        "exit_code": 3,
        **FRAME,
        "diagnostics": HINTS,
    }
    assert report("cat: /etc/shadow: Permission denied\n") == [
        {
            "code": "command_failed_likely_sandbox",
            "severity": "warning",
            "message": "command output suggests /etc/shadow (read) may be sandbox-related",
            "remediation": {"kind": "grant_path", "path": "/etc/shadow", "access": "Read", "is_file": True},
            "path": "/etc/shadow",
            "access": "Read",
            "detail": {"kind": "stderr_observation", "observation_kind": "likely_sandbox_path"},
        }
    ]


def test_grants_are_looked_up_through_links(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    caps = CapabilitySet()
    caps.allow_path(real, AccessMode.READ)
    assert report(f"cat: {tmp_path}/link/x: Permission denied", caps) == []
    assert report(f"cat: {real}/../real/x: Permission denied", caps) == []
    (wanted,) = report(f"cat: {real}/../x: Permission denied", caps)
    assert wanted["remediation"]["path"] == f"{real}/../x"
    (wanted,) = report(f"sh: 1: cannot create {tmp_path}/link/x: Permission denied", caps)
    assert wanted["remediation"] == {"kind": "grant_path", "path": str(real), "access": "Write", "is_file": False}


def test_working_directory(tmp_path: Path) -> None:
    line = f"cat: {tmp_path}/x: Permission denied\n"
    allow_cwd = {"kind": "allow_cwd"}
    assert report(line, cwd=tmp_path)[0]["remediation"] == allow_cwd
    assert report(line, cwd=os.fsencode(tmp_path))[0]["remediation"] == allow_cwd
    assert report(line)[0]["remediation"]["kind"] == "grant_path"
    assert report("sh: 1: cannot create x: Permission denied\n", cwd=tmp_path)[0]["path"] == f"{tmp_path}/x"


def test_network() -> None:
    caps = CapabilitySet()
    line = "curl: (6) Could not resolve host: example.com\n"
    assert report(line, caps) == []
    caps.block_network()
    (hint,) = report(line, caps)
    assert hint["code"] == "sandbox_denied_network"


def test_names_that_are_no_text(tmp_path: Path) -> None:
    caps = CapabilitySet()
    name = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(name)
    caps.allow_path(name, AccessMode.READ)
    assert report(b"cat: " + name + b": Permission denied", caps) == []
    assert report(b"cat: /no/\xff: Permission denied")[0]["path"] == "/no/\ufffd"


def test_session_arguments() -> None:
    call: Any = _nono_py.session_diagnostics_json
    caps = CapabilitySet()
    for arguments in [(), (1,), (1, b""), (1, "", caps), (1, b"", None), (1, b"", caps, 1), (1, b"", caps, None, 1)]:
        with pytest.raises(TypeError):
            call(*arguments)


def test_report_of_a_real_program(tmp_path: Path) -> None:
    """What the tools of this system say when a sandbox refuses them, whatever their version."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    code = """
import os, subprocess, sys
from nono_py import AccessMode, CapabilitySet, apply
caps = CapabilitySet()
for path in ("/usr", "/etc", "/dev", "/proc", os.path.realpath("/lib64"), sys.prefix, sys.base_prefix):
    if os.path.isdir(path):
        caps.allow_path(path, AccessMode.READ)
caps.allow_file("/dev/null", AccessMode.READ_WRITE)
apply(caps)
sys.exit(subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, cwd="/").returncode)
"""
    for command, access in [
        (["cat", str(secret)], "Read"),
        (["ls", str(tmp_path)], "Read"),
        (["sh", "-c", f"echo x > {secret}"], "Write"),
        (["mkdir", str(tmp_path / "new")], "Write"),
        ([sys.executable, "-c", f"open({str(secret)!r})"], "ReadWrite"),
    ]:
        run = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, check=False)
        assert run.returncode != 0
        found = report(run.stderr)
        assert [(entry["path"], entry["access"]) for entry in found] == [(command[-1].split("> ")[-1], access)] or (
            access == "ReadWrite" and found[0]["path"] == str(secret)
        ), run.stderr


def test_differences_are_documented() -> None:
    """Each answer that differs from the original's belongs to an entry of docs/differences.md, and the other way."""
    lines = DATA.read_text(encoding="utf-8").strip("\n").split("\n")
    differences = {json.loads(line).get("difference") for line in lines} - {None}
    section = (ROOT / "docs/differences.md").read_text(encoding="utf-8").split("\n## Reports about a command", 1)[1]
    documented = set(re.findall(r"^- `([a-z-]+)`:", section.split("\n## ", 1)[0], re.MULTILINE))
    assert differences <= documented
    assert documented - differences == {"end-of-output"}  # too long for the file; StderrReportTests has it


def test_json_is_imported_when_it_is_needed() -> None:
    code = "import sys, nono_py; assert 'json' not in sys.modules; nono_py.build_session_diagnostic_report(1)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert "json" not in vars(nono_py)


EMITTER = """
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int main(int count, char **arguments) {
    const char *text = arguments[2];
    for (; text[0] != 0 && text[1] != 0; text += 2) {
        char digits[] = {text[0], text[1], 0};
        char byte = (char)strtol(digits, 0, 16);
        if (write(2, &byte, 1) != 1) {
            return 99;
        }
    }
    int code = atoi(arguments[1]);
    if (code < 0) {
        kill(getpid(), -code);
    }
    _exit(code);
}
"""


def test_recorded_answers_are_those_of_the_original(tmp_path: Path) -> None:
    python = original("0.16.0")
    if python is None:
        pytest.skip("there is no nono-py 0.16.0 here")
    emitter = tmp_path / "emitter"
    command = ["cc", "-static", "-x", "c", "-", "-o", str(emitter)]
    if shutil.which("cc") is None or subprocess.run(command, input=EMITTER, text=True, check=False).returncode != 0:
        pytest.skip("there is no C compiler with a static library here")
    script = ROOT / "tests-py/compare/session_reports.py"
    with DATA.open(encoding="utf-8") as records:
        done = subprocess.run(
            [python, script, emitter],
            stdin=records,
            capture_output=True,
            encoding="utf-8",
            check=False,
            env={**os.environ, "PYTHONUTF8": "1"},
        )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
