# SPDX-License-Identifier: Apache-2.0
"""What can be left open, what cannot be enforced, and what is in force."""

import ctypes
import json
from typing import Any

import pytest
from conftest import RunChild

import nono_py
from nono_py import CapabilitySet, SandboxState, support_info

pytestmark = pytest.mark.usefixtures("sandbox")

NOTHING_IN_FORCE = {
    "layers": 0,
    "network": "allowed",
    "unix_sockets_blocked": False,
    "landlock_abi": 0,
    "is_incomplete": False,
    "allowed": [],
    "unenforced": [],
}

# Each calls into the kernel without a privilege and without leaving anything, and prints an errno's name or "ok".
CALLS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) == -1: raise OSError(ctypes.get_errno(), "")
machine = ("x86_64", "aarch64").index(os.uname().machine)
def keyring(): call((250, 219)[machine], 0, -3, 0)
def segment(): call((29, 194)[machine], 0, 0, 0o1000)
def mount(): call((165, 40)[machine], 0, 0, 0, 0, 0)
"""


def test_unknown_options_are_errors(caps: CapabilitySet) -> None:
    function: Any = nono_py.apply
    with pytest.raises(TypeError, match=r"^apply\(\) got an unexpected keyword argument 'allow_everything'$"):
        function(caps, allow_everything=True)
    with pytest.raises(TypeError, match=r"^argument 'allow_bpf': 'int' object cannot be converted to 'bool'$"):
        function(caps, allow_bpf=1)
    with pytest.raises(TypeError, match=r"^apply\(\) takes 1 positional arguments but 2 were given$"):
        function(caps, True)
    unenforced: Any = nono_py.unenforced
    with pytest.raises(TypeError, match=r"^unenforced\(\) missing 1 required positional argument: 'caps'$"):
        unenforced(allow_bpf=True)


def test_one_group_is_left_open(run_child: RunChild) -> None:
    code = """
    apply(CapabilitySet(){options})
    print(attempt(keyring), attempt(segment), attempt(mount))
    """
    assert run_child(CALLS + code.replace("    ", "").format(options="")) == "EPERM EPERM EPERM"
    assert run_child(CALLS + code.replace("    ", "").format(options=", allow_keyrings=True")) == "ok EPERM EPERM"
    assert run_child(CALLS + code.replace("    ", "").format(options=", allow_sysv_ipc=True")) == "EPERM EINVAL EPERM"


def test_a_second_layer_opens_nothing(run_child: RunChild) -> None:
    code = """
apply(CapabilitySet(), allow_keyrings=True, allow_sysv_ipc=True)
apply(CapabilitySet(), allow_keyrings=True)
apply(CapabilitySet(), allow_keyrings=True, allow_sysv_ipc=True)
print(attempt(keyring), attempt(segment))
status = __import__("nono_py").sandbox_status()
print(status["layers"], status["allowed"])
"""
    assert run_child(CALLS + code).splitlines() == ["ok EPERM", "3 ['allow_keyrings']"]


def test_nothing_is_in_force() -> None:
    status = dict(nono_py.sandbox_status())
    # These two are the kernel's word, and the tests may run in somebody's sandbox.
    assert isinstance(status.pop("no_new_privs"), bool)
    assert status.pop("seccomp_mode") in (0, 2)
    assert status == NOTHING_IN_FORCE


def test_what_is_in_force(run_child: RunChild) -> None:
    code = """
    import json, nono_py
    caps = CapabilitySet()
    caps.block_network()
    caps.block_unix_sockets()
    apply(caps, allow_bpf=True, allow_signals=True)
    print(json.dumps(nono_py.sandbox_status()))
    """
    status = json.loads(run_child(code))
    unenforced = status.pop("unenforced")
    assert "metadata" in unenforced
    assert "pathname_unix_sockets" not in unenforced
    assert status == {
        "layers": 1,
        "network": "blocked",
        "unix_sockets_blocked": True,
        "landlock_abi": support_info().used_abi,
        "seccomp_mode": 2,
        "no_new_privs": True,
        "is_incomplete": False,
        "allowed": ["allow_bpf", "allow_signals"],
    }


def test_a_failed_apply_is_not_in_force(run_child: RunChild) -> None:
    code = """
    import nono_py
    caps = CapabilitySet()
    caps.allow_file(sys.argv[0] if os.path.exists(sys.argv[0]) else "/etc/passwd", R)
    os.mkdir("gone")
    caps.allow_path("gone", R)
    os.rmdir("gone")
    try:
        apply(caps)
    except RuntimeError:
        print(nono_py.sandbox_status()["layers"], attempt(read, "/etc/passwd"))
    """
    assert run_child(code) == "0 ok"


def test_what_cannot_be_enforced(caps: CapabilitySet) -> None:
    open_by_default = nono_py.unenforced(caps)
    assert open_by_default == support_info().unenforced
    assert "metadata" in open_by_default
    abi = support_info().kernel_abi
    assert ("signals" in open_by_default) == (abi < 6)
    assert ("pathname_unix_sockets" in open_by_default) == (abi < 9)
    caps.block_unix_sockets()
    assert "pathname_unix_sockets" not in nono_py.unenforced(caps)
    # What is left open on purpose is not what cannot be enforced.
    assert "signals" not in nono_py.unenforced(caps, allow_signals=True)


def test_the_abi_is_the_kernels_own() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    info = support_info()
    assert info.kernel_abi == libc.syscall(444, None, 0, 1)
    assert 1 <= info.used_abi <= info.kernel_abi


def test_blocked_unix_sockets_are_saved(caps: CapabilitySet) -> None:
    assert caps.unix_sockets_blocked is False
    assert "unix_sockets_blocked" not in SandboxState.from_caps(caps).to_json()
    caps.block_unix_sockets()
    text = SandboxState.from_caps(caps).to_json()
    assert json.loads(text) == {"fs": [], "net_blocked": False, "unix_sockets_blocked": True}
    assert SandboxState.from_json(text).to_caps().unix_sockets_blocked is True


def test_blocked_unix_sockets(run_child: RunChild) -> None:
    code = """
    import socket
    caps = CapabilitySet()
    caps.allow_path(".", RW)
    caps.block_unix_sockets()
    apply(caps)
    def pair(kind): [end.close() for end in socket.socketpair(socket.AF_UNIX, kind)]
    print(attempt(socket.socket, socket.AF_UNIX), attempt(pair, socket.SOCK_STREAM), attempt(pair, socket.SOCK_DGRAM))
    print(attempt(socket.socket, socket.AF_INET))
    """
    assert run_child(code).splitlines() == ["EACCES ok EACCES", "ok"]
