# SPDX-License-Identifier: Apache-2.0
"""libnono from Python without the extension: ctypes and what include/nono.h says.

Any language that can call C functions does it like this. An argument, if there is one, is the path of libnono.so;
otherwise the library is taken from beside the installed nono_py, which is looked up but not imported.
"""

import ctypes
import importlib.util
import subprocess
import sys
import tempfile
from ctypes import c_bool, c_char_p, c_int, c_uint32, c_void_p
from functools import partial
from pathlib import Path

READ, READ_WRITE = 0, 2  # NONO_ACCESS_MODE_READ, NONO_ACCESS_MODE_READ_WRITE


def load() -> ctypes.CDLL:
    if len(sys.argv) > 1:
        path = Path(sys.argv[1])
    else:
        package = importlib.util.find_spec("nono_py")
        if package is None or package.origin is None:
            raise SystemExit("no nono_py here: give the path of libnono.so")
        path = Path(package.origin).with_name("libnono.so")
    nono = ctypes.CDLL(str(path))
    # Without its types, ctypes would cut every pointer to the size of an int.
    nono.nono_capability_set_new.restype = c_void_p
    nono.nono_capability_set_free.argtypes = [c_void_p]
    nono.nono_capability_set_allow_path.argtypes = [c_void_p, c_char_p, c_uint32]
    nono.nono_capability_set_allow_path.restype = c_int
    nono.nono_capability_set_set_network_blocked.argtypes = [c_void_p, c_bool]
    nono.nono_capability_set_set_network_blocked.restype = c_int
    nono.nono_sandbox_apply.argtypes = [c_void_p]
    nono.nono_sandbox_apply.restype = c_int
    # void * rather than char *, of which ctypes would make bytes and lose the pointer that has to be freed.
    nono.nono_last_error.restype = c_void_p
    nono.nono_version.restype = c_void_p
    nono.nono_string_free.argtypes = [c_void_p]
    return nono


def take_string(nono: ctypes.CDLL, address: int) -> str:
    """Copies a string that belongs to us, and gives it back to the library."""
    text = ctypes.string_at(address).decode()
    nono.nono_string_free(address)
    return text


def check(nono: ctypes.CDLL, code: int) -> None:
    if code != 0:
        raise RuntimeError(take_string(nono, nono.nono_last_error()))


def contain(nono: ctypes.CDLL, project: Path) -> None:
    caps = nono.nono_capability_set_new()
    try:
        for place in ("/usr", "/bin", "/lib", "/lib64"):  # for cat and its libraries
            if Path(place).is_dir():
                check(nono, nono.nono_capability_set_allow_path(caps, place.encode(), READ))
        check(nono, nono.nono_capability_set_allow_path(caps, bytes(project), READ_WRITE))
        check(nono, nono.nono_capability_set_set_network_blocked(caps, True))
        check(nono, nono.nono_sandbox_apply(caps))
    finally:
        nono.nono_capability_set_free(caps)


def main() -> None:
    nono = load()
    print(f"libnono {take_string(nono, nono.nono_version())}")
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "project")
        project.mkdir()
        for path in (project / "notes.txt", Path(folder, "secret.txt")):
            path.write_text(f"the text of {path.name}")
            # Between fork and exec: it binds cat, not this program.
            cat = subprocess.run(
                ["cat", path], preexec_fn=partial(contain, nono, project), capture_output=True, text=True
            )
            print(f"cat {path.name}: {cat.stdout or cat.stderr.strip().rpartition(': ')[2]}")


if __name__ == "__main__":
    main()
