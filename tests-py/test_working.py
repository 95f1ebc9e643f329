# SPDX-License-Identifier: Apache-2.0
"""What must keep working inside a sandbox: the cases of `working`, as root and as an ordinary user."""

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from working.cases import ORDINARY, PYTHON, ROOT, Case, cases

pytestmark = pytest.mark.usefixtures("sandbox")

TESTS = Path(__file__).parent
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOBODY = 65534
MODULES = sorted(path.stem for path in (TESTS / "working").glob("*_cases.py"))
BECOME_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]

# Makes directories reachable for all users though they lie below one that is root's alone: in a mount namespace of its
# own, an empty directory that all may search takes the place of that one, with those directories in it.
# Arguments: pairs of such a directory and what is wanted in it, "--", and the command to go on with.
REVEAL = """
set -eu
hidden= count=0 held=$(mktemp -d)
mount -t tmpfs tmpfs "$held"
for argument; do
    if [ "$argument" = -- ]; then break; fi
    if [ -z "$hidden" ]; then hidden=$argument; continue; fi
    mkdir "$held/$count"
    mount --bind "$argument" "$held/$count"
    count=$((count + 1)) hidden=
done
count=0
while [ "$1" != -- ]; do
    if [ -r "$1/.hidden" ]; then :; else mount -t tmpfs -o mode=755 tmpfs "$1" && touch "$1/.hidden"; fi
    mkdir -p "$2"
    mount --move "$held/$count" "$2"
    count=$((count + 1))
    shift 2
done
umount "$held"
rmdir "$held"
shift
exec "$@"
"""


def hidden_directories() -> list[tuple[str, str]]:
    """Pairs: a directory that an ordinary user cannot enter, and what these tests need below it."""
    found = []
    for path in PYTHON:
        for above in [*reversed(path.parents), path]:
            if above.stat().st_mode & 0o001 == 0:
                found.append((str(above), str(path)))
                break
    return found


def command_of(user: str) -> list[str]:
    """What to start a command of the user with."""
    if user == ROOT or os.getuid() != 0:
        return []
    hidden = hidden_directories()
    if not hidden:
        return BECOME_NOBODY
    pairs = [path for pair in hidden for path in pair]
    return ["unshare", "--mount", "sh", "-c", REVEAL, "sh", *pairs, "--", *BECOME_NOBODY]


def all_cases() -> Iterator[tuple[str, str, str, Case]]:
    for module in MODULES:
        for name, case in cases(vars(importlib.import_module(f"working.{module}"))):
            for user in case.users:
                yield module, name, user, case


@pytest.fixture
def directories() -> Iterator[tuple[Path, Path]]:
    """One for the case, and one that it must not see, where every user can reach them, as in tmp_path none but ours."""
    with tempfile.TemporaryDirectory(prefix="nono-working-", dir="/tmp") as root:
        os.chmod(root, 0o755)
        own, other = Path(root).resolve() / "own", Path(root).resolve() / "other"
        own.mkdir()
        other.mkdir()
        (own / "tmp").mkdir()
        (other / "secret").write_text("secret")
        yield own, other / "secret"


@pytest.mark.parametrize(
    ("module", "name", "user", "case"),
    [pytest.param(*found, id=f"{found[0].removesuffix('_cases')}-{found[1]}-{found[2]}") for found in all_cases()],
)
def test_it_works(module: str, name: str, user: str, case: Case, directories: tuple[Path, Path]) -> None:
    if user == ROOT and os.getuid() != 0:
        pytest.skip("takes root")
    for program in case.programs:
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{program} is not installed")
    for wanted in case.modules:
        if importlib.util.find_spec(wanted) is None:
            pytest.skip(f"{wanted} is not installed: see requirements-test-extra.txt")
    own, secret = directories
    if user == ORDINARY and os.getuid() == 0:
        for path in own, own / "tmp":
            os.chown(path, NOBODY, NOBODY)
    environment = {
        "HOME": str(own),
        "LANG": "C.UTF-8",
        "PATH": PATH,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(TESTS),
        "TMPDIR": str(own / "tmp"),
    }
    command = [*command_of(user), sys.executable, "-m", "working", module, name, os.fspath(own), os.fspath(secret)]
    # In a session of its own, so that no signal of a case can reach us.
    child = subprocess.run(
        command, cwd=own, env=environment, capture_output=True, text=True, timeout=60, start_new_session=True
    )
    if "unshare failed" in child.stderr:
        pytest.skip("an ordinary user cannot reach this Python, and there is no mount namespace to change that")
    assert child.returncode == 0, child.stdout + child.stderr
