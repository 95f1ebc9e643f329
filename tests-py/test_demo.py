# SPDX-License-Identifier: Apache-2.0
"""The demo passes, and it can fail: without a sandbox, with a library that pretends, with one that refuses."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DEMO = [sys.executable, str(ROOT / "demo" / "demo.py")]

pytestmark = pytest.mark.usefixtures("sandbox")

# As much of libnono as the C and ctypes programs of the demo use. It contains nothing.
IMPOSTOR = """
#include <nono.h>
struct NonoCapabilitySet *nono_capability_set_new(void) { return 0; }
void nono_capability_set_free(struct NonoCapabilitySet *c) { (void)c; }
enum NonoErrorCode nono_capability_set_allow_path(struct NonoCapabilitySet *c, const char *p, uint32_t m)
{ (void)c; (void)p; (void)m; return 0; }
enum NonoErrorCode nono_capability_set_allow_file(struct NonoCapabilitySet *c, const char *p, uint32_t m)
{ (void)c; (void)p; (void)m; return 0; }
enum NonoErrorCode nono_capability_set_set_network_blocked(struct NonoCapabilitySet *c, bool b)
{ (void)c; (void)b; return 0; }
enum NonoErrorCode nono_sandbox_apply(const struct NonoCapabilitySet *c) { (void)c; return ANSWER; }
char *nono_last_error(void) { return "not today"; }
void nono_string_free(char *s) { (void)s; }
"""


def run_demo(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    done = subprocess.run([*DEMO, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert list(scratch.iterdir()) == []
    return done


def impostor(tmp_path: Path, answer: str) -> Path:
    (tmp_path / "impostor.c").write_text(IMPOSTOR)
    library = tmp_path / "libnono.so"
    command = ["cc", "-shared", "-fPIC", f"-DANSWER={answer}", f"-I{ROOT / 'include'}", "-Wl,-soname,libnono.so"]
    subprocess.run([*command, tmp_path / "impostor.c", "-o", library], check=True)
    return library


def test_everything_is_contained(tmp_path: Path) -> None:
    done = run_demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "CONTAINED: the kernel refused 20 of 20 acts, and 4 of 4 programs did their job."
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 120
    assert "\033" not in done.stdout
    assert str(tmp_path) not in done.stdout
    assert done.stderr == ""


def test_without_sandbox_nothing_is_contained(tmp_path: Path) -> None:
    done = run_demo(tmp_path, "--without-sandbox")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == (
        "NOT CONTAINED: the kernel refused 0 of 20 acts, and 4 of 4 programs did their job."
    )


def test_a_library_that_pretends_is_found_out(tmp_path: Path) -> None:
    """Two programs use it, two the real one."""
    done = run_demo(tmp_path, "--library", str(impostor(tmp_path, "NONO_ERROR_CODE_OK")))
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == (
        "NOT CONTAINED: the kernel refused 10 of 20 acts, and 4 of 4 programs did their job."
    )


def test_a_library_that_refuses_is_no_success(tmp_path: Path) -> None:
    """Nothing untrusted runs then, which does not count as contained."""
    done = run_demo(tmp_path, "--library", str(impostor(tmp_path, "NONO_ERROR_CODE_ERR_SANDBOX_INIT")))
    assert done.returncode == 1
    assert "   not today" in done.stdout.splitlines()
    assert done.stdout.splitlines()[-1] == (
        "BROKEN: the kernel refused 10 of 20 acts, and 2 of 4 programs did their job."
    )


@pytest.mark.parametrize(("no_color", "is_coloured"), [("", True), ("1", False)])
def test_colour_is_for_terminals(no_color: str, is_coloured: bool) -> None:
    try:
        master, slave = pty.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo-terminals here: {error}")
    environment = {**os.environ, "NO_COLOR": no_color, "TERM": "xterm"}
    with subprocess.Popen(DEMO, env=environment, stdout=slave) as demo:
        os.close(slave)
        output = b""
        try:
            while chunk := os.read(master, 65536):
                output += chunk
        except OSError:  # how a pseudo-terminal says that the other end is closed
            pass
        finally:
            os.close(master)
    assert demo.returncode == 0
    assert b"CONTAINED" in output
    assert (b"\033[32m" in output) == is_coloured
