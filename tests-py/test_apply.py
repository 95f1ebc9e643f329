# SPDX-License-Identifier: Apache-2.0
"""What is left to a process after apply(). Each test applies in a child of its own."""

from pathlib import Path

import pytest
from conftest import RunChild

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """tmp_path, the working directory of every child, with a project and a secret in it."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "notes.txt").write_text("notes")
    (tmp_path / "secret").write_text("secret")
    return tmp_path


def test_the_secret_is_not_read(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    caps.allow_path("project", RW)
    apply(caps)
    print(attempt(read, "secret"), attempt(write, "secret"), attempt(os.listdir, "."), attempt(os.unlink, "secret"))
    """
    assert run_child(code) == "EACCES EACCES EACCES EACCES"
    assert (project / "secret").read_text() == "secret"


def test_the_project_still_works(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    caps.allow_path("project", RW)
    assert apply(caps) is None
    os.chdir("project")
    print(attempt(read, "notes.txt"), attempt(write, "new.txt"), attempt(os.rename, "new.txt", "newer.txt"))
    print(attempt(os.mkdir, "d"), attempt(os.rmdir, "d"), attempt(os.unlink, "notes.txt"), os.listdir("."))
    """
    assert run_child(code).splitlines() == ["ok ok ok", "ok ok ok ['newer.txt']"]
    assert (project / "project" / "newer.txt").read_text() == "written"


def test_reading_is_not_writing(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    caps.allow_path("project", R)
    apply(caps)
    print(attempt(read, "project/notes.txt"), attempt(write, "project/notes.txt"), attempt(write, "project/new"))
    print(attempt(os.listdir, "project"), attempt(os.unlink, "project/notes.txt"))
    """
    assert run_child(code).splitlines() == ["ok EACCES EACCES", "ok EACCES"]
    assert (project / "project" / "notes.txt").read_text() == "notes"


def test_writing_is_not_reading(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    caps.allow_path("project", W)
    apply(caps)
    print(attempt(write, "project/new"), attempt(read, "project/notes.txt"), attempt(os.listdir, "project"))
    """
    assert run_child(code) == "ok EACCES EACCES"


def test_a_file_is_granted_alone(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    caps.allow_file("project/notes.txt", RW)
    apply(caps)
    print(attempt(read, "project/notes.txt"), attempt(write, "project/notes.txt"))
    print(attempt(os.unlink, "project/notes.txt"), attempt(write, "project/new"), attempt(os.listdir, "project"))
    """
    assert run_child(code).splitlines() == ["ok ok", "EACCES EACCES EACCES"]


def test_an_empty_set_refuses_everything(project: Path, run_child: RunChild) -> None:
    code = """
    apply(CapabilitySet())
    print(attempt(read, "project/notes.txt"), attempt(os.listdir, "/"), attempt(read, sys.executable))
    """
    assert run_child(code) == "EACCES EACCES EACCES"


def test_a_subprocess_is_contained(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    for path in "/usr", "/bin", "/lib", "/lib64", "/etc", "project":
        if os.path.isdir(path):
            caps.allow_path(path, R)
    caps.allow_file("/dev/null", RW)
    apply(caps)
    for path in "project/notes.txt", "secret":
        print(subprocess.run(["/bin/cat", path], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode)
    """
    assert run_child(code).splitlines() == ["0", "1"]


def test_a_saved_state_is_restored(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    caps.allow_path("project", RW)
    caps.block_network()
    print(SandboxState.from_caps(caps).to_json())
    """
    saved = run_child(code)
    code = """
    caps = SandboxState.from_json(args[0]).to_caps()
    apply(caps)
    print(caps.is_network_blocked, attempt(write, "project/new"), attempt(read, "secret"))
    """
    assert run_child(code, saved) == "True ok EACCES"


def test_names_that_are_no_text_are_granted(project: Path, run_child: RunChild) -> None:
    code = r"""
    os.mkdir(b"caf\xe9")
    caps = CapabilitySet()
    caps.allow_path(os.fsdecode(b"caf\xe9"), RW)
    apply(caps)
    print(attempt(write, b"caf\xe9/new"))
    """
    assert run_child(code) == "ok"


# Sockets only: create_connection() would import codecs, which the sandbox keeps it from reading.
SOCKETS = """
import socket
listener = socket.create_server(("127.0.0.1", 0))

def connect():
    with socket.socket() as client:
        client.connect(listener.getsockname())

def bind():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
"""


def test_tcp_is_blocked(project: Path, run_child: RunChild) -> None:
    code = SOCKETS + (
        "caps = CapabilitySet()\n"
        "caps.block_network()\n"
        "apply(caps)\n"
        "print({attempt(connect), attempt(bind)} <= {'EACCES', 'EPERM'})\n"
    )
    assert run_child(code) == "True"


def test_the_network_is_open_unless_blocked(project: Path, run_child: RunChild) -> None:
    code = SOCKETS + "apply(CapabilitySet())\nprint(attempt(connect), attempt(bind))\n"
    assert run_child(code) == "ok ok"


def test_each_layer_narrows(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    caps.allow_path("project", R)
    apply(caps)
    caps.allow_path(".", RW)
    apply(caps)
    print(attempt(read, "project/notes.txt"), attempt(write, "project/notes.txt"), attempt(read, "secret"))
    """
    assert run_child(code) == "ok EACCES EACCES"


def test_a_path_that_was_replaced_is_refused(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    caps.allow_path("project", R)
    os.rename("project", "moved")
    os.symlink(".", "project")
    try:
        apply(caps)
    except RuntimeError as error:
        print(type(error).__name__, "/project" in str(error))
    print(attempt(read, "secret"))
    """
    assert run_child(code).splitlines() == ["RuntimeError True", "ok"]


def test_a_path_that_is_gone_is_refused(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    caps.allow_file("secret", R)
    os.unlink("secret")
    try:
        apply(caps)
    except RuntimeError as error:
        print(error)
    """
    resolved = (project / "secret").resolve()
    assert run_child(code) == (
        f'Landlock path error: failed to open "{resolved}": No such file or directory (os error 2)'
    )


def test_the_seventeenth_layer_is_refused(project: Path, run_child: RunChild) -> None:
    code = """
    caps = CapabilitySet()
    caps.allow_path("/", RW)
    for _ in range(16):
        apply(caps)
    try:
        apply(caps)
    except RuntimeError as error:
        print(error)
    print(is_supported())
    """
    lines = run_child(code).splitlines()
    assert lines[0].startswith("Sandbox initialization failed: ")
    assert lines[0].endswith("Argument list too long (os error 7)")
    assert lines[1] == "True"
