# SPDX-License-Identifier: Apache-2.0
"""The profile for macOS, which every system shows; and on macOS, what it does."""

import os
import re
import sys
from pathlib import Path

import pytest
from conftest import RunChild

from nono_py import AccessMode, CapabilitySet

R, W, RW = AccessMode.READ, AccessMode.WRITE, AccessMode.READ_WRITE

on_macos = pytest.mark.skipif(sys.platform != "darwin", reason="Seatbelt is part of macOS")


def test_a_profile_is_text(caps: CapabilitySet, tree: Path) -> None:
    caps.allow_path("ld", R)
    caps.allow_file(b"f.txt", RW)
    caps.platform_rule("(deny file-write-unlink)")
    caps.block_network()
    lines = caps.seatbelt_profile().splitlines()
    assert lines[:2] == ["(version 1)", "(deny default)"]
    assert lines[-6:] == [
        f'(allow file-read* (subpath "{tree}/d"))',
        f'(allow file-read* (subpath "{tree}/ld"))',
        f'(allow file-read* (literal "{tree}/f.txt"))',
        "(deny file-write-unlink)",
        f'(allow file-write* (literal "{tree}/f.txt"))',
        "(deny network*)",
    ]


def test_asking_changes_nothing(caps: CapabilitySet, tree: Path) -> None:
    caps.allow_path("d", R)
    assert caps.seatbelt_profile() == caps.seatbelt_profile()
    assert repr(caps) == "CapabilitySet(fs=1, network=allowed)"


def test_unicode_stays(caps: CapabilitySet, tree: Path) -> None:
    (tree / "é中\u2028").mkdir()
    caps.allow_path("é中\u2028", R)
    assert f'(subpath "{tree}/é中\u2028")' in caps.seatbelt_profile()


def test_home_is_read_when_asked(caps: CapabilitySet, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keychain = tree / "Library/Keychains/login.keychain-db"
    keychain.parent.mkdir(parents=True)
    keychain.touch()
    caps.allow_file(keychain, R)
    monkeypatch.setenv("HOME", "/nowhere")
    assert "com.apple.securityd" in caps.seatbelt_profile()
    monkeypatch.setenv("HOME", str(tree))
    assert "com.apple.securityd" not in caps.seatbelt_profile()


def test_what_cannot_be_written_down(caps: CapabilitySet, tree: Path) -> None:
    (tree / "a\nb").mkdir()
    caps.allow_path("a\nb", R)
    expected = f"Sandbox initialization failed: path contains control character 0x0A: {tree}/a\nb"
    with pytest.raises(RuntimeError, match=f"^{re.escape(expected)}$"):
        caps.seatbelt_profile()


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems demand UTF-8")
def test_a_path_that_is_not_text(caps: CapabilitySet, tree: Path) -> None:
    os.mkdir(b"caf\xe9")
    caps.allow_path(b"caf\xe9", R)
    with pytest.raises(RuntimeError, match=r"path contains non-UTF-8 bytes: .*/caf\ufffd$"):
        caps.seatbelt_profile()


def test_a_nul_in_a_rule(caps: CapabilitySet) -> None:
    caps.platform_rule("(allow \0)")
    with pytest.raises(RuntimeError, match=r"nul byte found in provided data at position: \d+$"):
        caps.seatbelt_profile()


@on_macos
def test_files_in_a_sandbox(run_child: RunChild, tree: Path) -> None:
    output = run_child(
        """
        caps = CapabilitySet()
        caps.allow_path(args[0] + "/d", R)
        caps.allow_path(args[0] + "/other", RW)
        apply(caps)
        print(attempt(read, args[0] + "/d/f.txt"), attempt(write, args[0] + "/d/f.txt"))
        print(attempt(write, args[0] + "/other/new"), attempt(read, args[0] + "/f.txt"))
        print(attempt(read, os.path.expanduser("~/.zshrc")), attempt(read, "/etc/passwd"))
        """,
        tree,
    )
    assert output.split() == ["ok", "EPERM", "ok", "EPERM", "EPERM", "EPERM"]


@on_macos
def test_the_network_in_a_sandbox(run_child: RunChild) -> None:
    output = run_child(
        """
        import socket, threading
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        def connect():
            socket.create_connection(("127.0.0.1", port)).close()
        print(attempt(connect))
        caps = CapabilitySet()
        caps.block_network()
        found = []
        ready, applied = threading.Event(), threading.Event()
        def work():
            ready.set()
            applied.wait()
            found.append(attempt(connect))
        thread = threading.Thread(target=work)
        thread.start()
        ready.wait()
        apply(caps)
        applied.set()
        thread.join()
        print(attempt(connect), *found)
        """
    )
    assert output.split() == ["ok", "EPERM", "EPERM"]


@on_macos
def test_what_is_in_force(run_child: RunChild) -> None:
    output = run_child(
        """
        caps = CapabilitySet()
        caps.block_network()
        apply(caps)
        status = sandbox_status()
        print(status["layers"], status["network"])
        """
    )
    assert output == "1 blocked"
