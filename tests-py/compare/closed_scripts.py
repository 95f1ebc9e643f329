# SPDX-License-Identifier: Apache-2.0
"""Scripts for what the original leaves open: other threads, other sockets, other system calls."""

from contrast import Contrast

OLD_THREAD = """
turn, done = threading.Event(), threading.Event()
def old():
    turn.wait(60)
    show(attempt(read, "f.txt"))
    done.set()
threading.Thread(target=old).start()
show(attempt(apply, caps), attempt(read, "f.txt"))
turn.set()
done.wait(60)
"""

SOCKETS = """
caps.block_network()
apply(caps)
kinds = (socket.AF_INET, socket.SOCK_DGRAM, 0), (socket.AF_INET6, socket.SOCK_DGRAM, 0), (socket.AF_NETLINK, 3, 0)
show(*(attempt(lambda kind: socket.socket(*kind).close(), kind) for kind in kinds))
socket.socket(socket.AF_UNIX).close()
for end in socket.socketpair(): end.close()
"""

ABSTRACT = """
name = "\\0nono-compare-%d" % os.getpid()
ready, told = os.pipe()
ended, end = os.pipe()
server = os.fork()
if server == 0:
    os.close(end)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen()
    os.write(told, b"x")
    os.read(ended, 1)
    os._exit(0)
os.read(ready, 1)
apply(caps)
show(attempt(connect, socket.AF_UNIX, name))
"""

CALLS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) == -1: raise OSError(ctypes.get_errno(), "")
keyctl, shmget = {"x86_64": (250, 29), "aarch64": (219, 194)}[os.uname().machine]
apply(caps)
# The session keyring's number, and a segment of no bytes: neither needs a privilege, nor leaves anything.
show(attempt(call, keyctl, 0, -3, 0), attempt(call, shmget, 0, 0, 0o1000))
"""

FOREIGN = """
import ctypes
libc = ctypes.CDLL(None)
apply(caps)
child = os.fork()
if child == 0:
    libc.syscall(0x40000000 | 39)
    os._exit(0)
status = os.waitpid(child, 0)[1]
show("ended" if os.WIFSIGNALED(status) else "went on")
"""

CAPABILITIES = """
bounding = [line for line in open("/proc/self/status") if line.startswith("CapEff")][0].split()[1]
status = os.open("/proc/self/status", os.O_RDONLY)
apply(caps)
kept = [line for line in os.read(status, 65536).decode().splitlines() if line.startswith("CapEff")][0].split()[1]
sys_admin = 1 << 21
had = int(bounding, 16) & sys_admin
show("kept" if had and int(kept, 16) & sys_admin else "dropped" if had else "never had")
"""

CLOSED: tuple[Contrast, ...] = (
    Contrast("all-threads", OLD_THREAD, "ok EACCES\nok", "ok EACCES\nEACCES"),
    Contrast("blocked-network", SOCKETS, "ok ok ok", "EACCES EACCES EAFNOSUPPORT"),
    Contrast("abstract-unix-sockets", ABSTRACT, "ok", "EPERM"),
    Contrast("closed-calls", CALLS, "ok EINVAL", "EPERM EPERM"),
    Contrast("foreign-calls", FOREIGN, "went on", "ended", machine="x86_64"),
    Contrast("root-capabilities", CAPABILITIES, "kept", "dropped", as_root=True),
)
