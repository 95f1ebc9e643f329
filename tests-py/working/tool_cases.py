# SPDX-License-Identifier: Apache-2.0
"""Programs of the system, started inside the sandbox."""

import base64
import hashlib
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

from working.cases import NULL, PROGRAMS, PYTHON, case, existing, restrict


def run(*command: str, cwd: Path, stdin: str = "") -> str:
    """Runs a command and returns what it printed."""
    result = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True)
    assert result.returncode == 0, (command, result.returncode, result.stdout, result.stderr)
    return result.stdout


@case()
def a_shell_script(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS)
    script = place / "script"
    script.write_text(
        textwrap.dedent(
            """\
            #!/bin/sh
            set -eu
            trap 'echo bye' EXIT
            for i in 1 2 3; do echo "line $i" >>log; done
            (sleep 0.01; exit 3) & if wait $!; then exit 1; else echo "status $?"; fi
            cat <<END | tr a-z A-Z
            here $(wc -l <log)
            END
            ls /nowhere 2>/dev/null || echo absent
            """
        )
    )
    script.chmod(0o755)
    assert run(str(script), cwd=place).splitlines() == ["status 3", "HERE 3", "absent", "bye"]


@case()
def core_utilities(place: Path) -> None:
    (place / "one").mkdir()
    (place / "two").mkdir()
    restrict(place / "one", place / "two", place / "tmp", read=PROGRAMS)
    one, two = place / "one", place / "two"
    run("sh", "-c", "seq 1000 >numbers; chmod 640 numbers; touch -d @1000000000 numbers", cwd=one)
    run("cp", "-p", "numbers", "../two/copy", cwd=one)
    assert (two / "copy").stat().st_mtime == 1000000000
    assert (two / "copy").stat().st_mode & 0o777 == 0o640
    run("mv", "numbers", "../two/moved", cwd=one)
    run("ln", "-s", "moved", "link", cwd=two)
    run("install", "-D", "-m", "700", "copy", "deep/er/installed", cwd=two)
    assert run("sort", "-rn", "-S", "1M", "moved", cwd=two).split()[0] == "1000"
    assert run("sh", "-c", "find . -type f -print0 | xargs -0 -n 1 -P 2 wc -l | sort | tail -n 1", cwd=two).startswith(
        "1000 "
    )
    run("sh", "-c", "head -n 10 copy | tee out | split -n l/2 - part- 2>&1 || split -l 5 out part-", cwd=two)
    run("dd", "if=moved", "of=image", "bs=100", "count=2", "conv=fsync", cwd=two)
    assert (two / "image").stat().st_size == 200
    run("cp", "-a", "../two/.", "all", cwd=one)
    assert os.readlink(one / "all" / "link") == "moved"
    run("rm", "-rf", "all", cwd=one)
    assert list(one.iterdir()) == []


@case(programs=("tar", "gzip"))
def archives(place: Path) -> None:
    restrict(place, read=PROGRAMS)
    (place / "d" / "e").mkdir(parents=True)
    (place / "d" / "e" / "file").write_text("text")
    (place / "d" / "link").symlink_to("e/file")
    run("tar", "-czf", "d.tar.gz", "d", cwd=place)
    (place / "out").mkdir()
    run("tar", "-xpf", "../d.tar.gz", cwd=place / "out")
    assert (place / "out" / "d" / "link").read_text() == "text"


@case(programs=("cc",))
def a_c_compiler(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS)
    (place / "hello.c").write_text('#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n')
    run("cc", "-O2", "-g", "-o", "hello", "hello.c", cwd=place)
    assert run("./hello", cwd=place) == "hello\n"


@case(programs=("make",))
def make_with_jobs(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS)
    (place / "Makefile").write_text("all: a b c\na b c:\n\techo $@ >$@\n")
    run("make", "-j3", cwd=place)
    assert (place / "c").read_text() == "c\n"


@case(programs=("git",))
def git(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS + existing("/dev/urandom"))
    os.environ["GIT_CONFIG_NOSYSTEM"] = "1"  # that of the machine may name more files
    for key, value in {"name": "A", "email": "a@example.org"}.items():
        run("git", "config", "--global", f"user.{key}", value, cwd=place)
    repository = place / "repository"
    repository.mkdir()
    run("git", "init", "-q", cwd=repository)
    (repository / "file").write_text("one\n")
    run("git", "add", "file", cwd=repository)
    run("git", "commit", "-qm", "First", cwd=repository)
    (repository / "file").write_text("two\n")
    run("git", "commit", "-qam", "Second", cwd=repository)
    assert run("git", "log", "--format=%s", cwd=repository).split() == ["Second", "First"]
    run("git", "gc", "-q", cwd=repository)
    run("git", "clone", "-q", str(repository), str(place / "clone"), cwd=place)
    assert (place / "clone" / "file").read_text() == "two\n"


@case(modules=("pip",))
def pip_install_of_a_wheel(place: Path) -> None:
    wheel = place / "tiny-1.0-py3-none-any.whl"
    files = {
        "tiny.py": "VALUE = 42\n",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(text)}\n"
    files["tiny-1.0.dist-info/RECORD"] = f"{record}tiny-1.0.dist-info/RECORD,,\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    restrict(
        place, NULL, read=PROGRAMS + PYTHON + existing("/etc/debian_version", "/etc/lsb-release", "/etc/mime.types")
    )
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    run(*pip, "--target", "site", wheel.name, cwd=place)
    code = "import sys; sys.path.insert(0, 'site'); import tiny; print(tiny.VALUE)"
    assert run(sys.executable, "-c", code, cwd=place) == "42\n"


@case()
def a_virtual_environment(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS + PYTHON)
    run(sys.executable, "-m", "venv", "--without-pip", "env", cwd=place)
    assert run("env/bin/python", "-c", "import sys; print(sys.prefix)", cwd=place).strip() == str(place / "env")


@case(programs=("timeout", "nice", "taskset", "ionice", "chrt", "prlimit", "setsid", "nohup"))
def programs_that_start_others(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS)
    for command in (
        "timeout 5",
        "nice -n 5",
        "taskset -c 0",
        "ionice -c 3",
        "chrt --batch 0",
        "chrt --idle 0",
        "prlimit --nofile=100",
        "setsid --wait",
        "nohup",
        "env -i",
    ):
        assert run(*command.split(), "/bin/echo", "started", cwd=place) == "started\n", command
    assert subprocess.run(["timeout", "0.05", "sleep", "10"]).returncode == 124


@case(programs=("cc", "gdb"))
def a_debugger_on_own_children(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS + existing("/proc"))
    (place / "main.c").write_text("int twice(int n) { return 2 * n; }\nint main(void) { return twice(21); }\n")
    run("cc", "-g", "-o", "main", "main.c", cwd=place)
    commands = ["-ex", "break twice", "-ex", "run", "-ex", "print n", "-ex", "finish", "-ex", "continue"]
    printed = run("gdb", "-batch", "-nx", *commands, "./main", cwd=place)
    assert "$1 = 21" in printed, printed
    assert "Value returned is $2 = 42" in printed, printed
    assert "exited with code 052" in printed, printed


@case(programs=("strace",))
def strace_of_own_children(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS)
    run("strace", "-f", "-o", "calls", "sh", "-c", "echo text >file; /bin/true", cwd=place)
    assert 'write(1, "text\\n", 5)' in (place / "calls").read_text()


@case(programs=("sqlite3", "perl", "awk", "openssl"))
def other_interpreters(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS + existing("/etc/ssl"))
    assert (
        run("sqlite3", "db", "create table t (v); insert into t values (41); select v + 1 from t;", cwd=place) == "42\n"
    )
    assert (
        run("perl", "-MFile::Temp=tempfile", "-e", 'my ($f) = tempfile(UNLINK => 1); print $f "x"; print 42', cwd=place)
        == "42"
    )
    assert run("awk", '{ print $1 * 2 | "sort" }', cwd=place, stdin="21\n") == "42\n"
    assert run("openssl", "dgst", "-sha256", "-r", "db", cwd=place).endswith("*db\n")


@case(programs=("node",))
def node_with_worker_threads(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS + existing("/etc/ssl"))
    code = """
    const { Worker } = require("worker_threads"), fs = require("fs");
    const worker = new Worker("require('worker_threads').parentPort.postMessage(6 * 7)", { eval: true });
    worker.on("message", (value) => fs.promises.writeFile("answer", String(value)));
    """
    run("node", "-e", code, cwd=place)
    assert (place / "answer").read_text() == "42"


@case(programs=("java",))
def a_java_virtual_machine(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS + existing("/proc", "/etc/java-17-openjdk"))
    assert "openjdk" in run("sh", "-c", "java -version 2>&1", cwd=place).lower()
