# SPDX-License-Identifier: Apache-2.0
"""Calls sandboxed_exec() in every way and prints how each call ends, a line each, for test_commands_beside.py.

It runs under nono_py 0.16.0 and under this library, so it uses only what both have.
"""

import inspect
import json
import os
from collections.abc import Mapping

import nono_py

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/proc")
# What is run, and with which keywords.
CALLS: "list[tuple[object, Mapping[str, object]]]" = [
    ([], {}),
    ("true", {}),
    (("sh", "-c", "echo tuple"), {}),
    ([b"true"], {}),
    (["true", 1], {}),
    (["nosuchprog"], {}),
    (["/nosuch/prog"], {}),
    ([""], {}),
    (["."], {}),
    (["/etc/passwd"], {}),
    (["/tmp"], {}),
    (["./script"], {}),
    (["./no-interpreter"], {}),
    (["./no-format"], {}),
    (["./not-executable"], {}),
    (["a\0b"], {}),
    (["true", "a\0b"], {}),
    (["sh", "-c", "echo $0; readlink /proc/self/exe; pwd"], {}),
    (["sh", "-c", "echo out; echo err >&2; exit 3"], {}),
    (["sh", "-c", "exit 300"], {}),
    (["sh", "-c", "exit 126"], {}),
    (["sh", "-c", "kill -9 $$"], {}),
    (["sh", "-c", "kill -TERM $$"], {}),
    (["sh", "-c", "kill -SEGV $$"], {}),
    (["sh", "-c", "cat; echo end"], {}),
    (["head", "-c", "3000000", "/dev/zero"], {}),
    (["cat", "secret/file"], {"env": [("LC_ALL", "C")]}),
    (["sh", "-c", "echo x > granted/new; cat granted/new"], {}),
    (["sh", "-c", "echo x > secret/new"], {}),
    (["ls", "/proc/self/fd"], {}),
    (["sh", "-c", "grep NoNewPrivs /proc/self/status; umask; readlink /proc/self/fd/0"], {}),
    (["pwd"], {"cwd": "/nope"}),
    (["pwd"], {"cwd": "/etc/passwd"}),
    (["pwd"], {"cwd": "/usr"}),
    (["pwd"], {"cwd": "secret"}),
    (["pwd"], {"cwd": "a\0b"}),
    (["pwd"], {"cwd": b"/usr"}),
    (["bin/true"], {"cwd": "/usr"}),
    (["env"], {}),
    (["env"], {"env": []}),
    (["env"], {"env": {}}),
    (["env"], {"env": [("B", "1"), ("A", "2"), ("B", "3")]}),
    (["env"], {"env": (("A", "1"),)}),
    (["env"], {"env": [("GLIBC_TUNABLES", ""), ("ld_x", "1"), ("LDX", "2")]}),
    (["sh", "-c", "echo $A $NONO_TEST"], {"env": [("A", "1")], "inherit_env": True}),
    *((["true"], {"env": [(name, "x")]}) for name in ("LD_PRELOAD", "LD_", "DYLD_X", "LIBPATH", "SHLIB_PATH")),
    *((["true"], {"env": value}) for value in ([("", "x")], [("a=b", "x")], [("a\0", "x")], [("a", "\0")])),
    *((["true"], {"env": value}) for value in ([("a", "b", "c")], [["a", "b"]], [("a", 1)], ["ab"])),
    *((["true"], {"timeout_secs": value}) for value in (-1, -0.5, -1e30, float("nan"), float("-inf"), "x", 5)),
    *((["true"], {"timeout_secs": value}) for value in (float("inf"), 1e30)),
    (["sleep", "5"], {"timeout_secs": 0}),
    (["sh", "-c", "echo part; echo err >&2; sleep 5"], {"timeout_secs": 0.5}),
    (["sh", "-c", "trap '' TERM; echo part; sleep 5; sleep 5"], {"timeout_secs": 0.5}),
    *(
        (["true"], {name: value})
        for name in ("max_processes", "max_cpu_seconds", "max_file_size_bytes", "max_open_files", "uid", "gid")
        for value in (0, -1, 2**32, 2**64, "x", 1.5)
        if (name, value) not in (("max_processes", 2**32), ("max_processes", 0))
    ),
    (["sh", "-c", "ulimit -n; ulimit -t; ulimit -f"], {"max_open_files": 20, "max_cpu_seconds": 4}),
    (["sh", "-c", "while :; do :; done"], {"max_cpu_seconds": 1}),
    (["true"], {"max_open_files": 2**40}),
    (["dd", "if=/dev/zero", "of=granted/big", "bs=1000", "count=10", "status=none"], {"max_file_size_bytes": 4096}),
    *((["sh", "-c", "id -u; id -g; id -G"], {"uid": uid, "gid": gid}) for uid, gid in ((54321, None), (None, 54321))),
    (["sh", "-c", "id -u; id -g; id -G"], {"uid": 54321, "gid": 54322}),
    *((["true"], {"enforcement_mode": mode}) for mode in ("auto", "landlock", "seccomp", "bogus", 1, None)),
    (["true"], {"unknown": 1}),
]


def prepare() -> "nono_py.CapabilitySet":
    """In an empty directory, which is made the working directory's content."""
    for directory in ("granted", "secret"):
        os.mkdir(directory)
    files = {
        "secret/file": ("secret", 0o644),
        "script": ("#!/bin/sh\necho script\n", 0o755),
        "no-interpreter": ("#!/nosuch/interpreter\n", 0o755),
        "no-format": ("no format", 0o755),
        "not-executable": ("#!/bin/sh\n", 0o644),
    }
    caps = nono_py.CapabilitySet()
    for name, (text, mode) in files.items():
        with open(name, "w") as file:
            file.write(text)
        os.chmod(name, mode)
        if name != "secret/file":
            caps.allow_file(name, nono_py.AccessMode.READ)
    for directory in SYSTEM:
        if os.path.exists(directory):
            caps.allow_path(directory, nono_py.AccessMode.READ)
    caps.allow_path("granted", nono_py.AccessMode.READ_WRITE)
    caps.allow_file("/dev/null", nono_py.AccessMode.READ_WRITE)
    caps.allow_file("/dev/zero", nono_py.AccessMode.READ)
    return caps


def ending(caps: "nono_py.CapabilitySet", command: object, keywords: "Mapping[str, object]") -> "list[object]":
    try:
        result = nono_py.sandboxed_exec(caps, command, **keywords)  # type: ignore[arg-type]
    except BaseException as error:
        kind = next(base for base in type(error).__mro__ if base.__module__ == "builtins")
        return ["raised", kind.__name__, str(error)]
    report = result.session_diagnostics_json()
    assert json.loads(report) == result.session_diagnostics()
    return ["returned", repr(result), repr(result.stdout[:99]), repr(result.stderr[:99]), report]


def main() -> None:
    os.environ.update({"NONO_TEST": "inherited"})
    for name in [name for name in os.environ if name.startswith(("LD_", "DYLD_"))]:
        del os.environ[name]
    caps = prepare()
    parameters = [
        (parameter.name, parameter.kind.name, repr(parameter.default))
        for parameter in inspect.signature(nono_py.sandboxed_exec).parameters.values()
        if parameter.kind is not parameter.KEYWORD_ONLY
    ]
    print(json.dumps(["signature", parameters]))
    for command, keywords in CALLS:
        print(json.dumps([f"{command!r} {keywords!r}", ending(caps, command, keywords)]), flush=True)


if __name__ == "__main__":
    main()
