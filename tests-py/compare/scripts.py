# SPDX-License-Identifier: Apache-2.0
"""What cannot be undone, or needs a process of its own: scripts, each run under both.

A script prints what it can still do. Those without an entry must print the same under both; the others show an entry
of docs/differences.md, and what they print under each is fixed.
"""

from contrast import Contrast, Script

SURVEY = "survey('d/f.txt', 'd/sub', 'd/new', 'f.txt', 'other/g.txt', 'other', 'ld/f.txt', 'lf')"


def granting(name: str, *grants: str, then: str = SURVEY) -> Script:
    return Script(name, "\n".join((*(f"caps.{grant}" for grant in grants), "show(attempt(apply, caps))", then)))


TCP = """
listener = socket.create_server(("127.0.0.1", 0))
free = socket.create_server(("127.0.0.1", 0)); address = free.getsockname(); free.close()
{block}
show(attempt(apply, caps))
show(attempt(connect, socket.AF_INET, listener.getsockname()), attempt(bind, socket.AF_INET, address))
"""

EXECUTION = """
for path in "/usr", "/bin", "/lib", "/lib64", "/etc":
    if os.path.isdir(path): caps.allow_path(path, {mode})
caps.allow_path(".", W)
apply(caps)
show(attempt(execute, "/bin/true"))
"""

SIGNALS = """
def wait_for_input():
    return subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE)
before = wait_for_input()
caps.allow_path("/", R)
apply(caps)
after = wait_for_input()
show(attempt(os.kill, os.getppid(), 0), attempt(os.kill, before.pid, 0), attempt(os.kill, after.pid, 0))
"""

RENAMES = """
show(attempt(os.rename, "d/f.txt", "d/moved"), attempt(os.rename, "d/moved", "d/sub/moved"))
show(attempt(os.rename, "d/sub/moved", "other/moved"), attempt(os.link, "other/g.txt", "d/linked"))
show(attempt(os.symlink, "x", "d/link"), attempt(os.mkfifo, "d/fifo"), attempt(bind, socket.AF_UNIX, "d/socket"))
show(attempt(os.chmod, "f.txt", 0o600), attempt(os.stat, "f.txt") != "EACCES", attempt(os.readlink, "lf"))
"""

OTHER_KINDS = (
    "show(*(attempt(*call) for call in ((read, '/dev/null'), (both, '/dev/null'), (both, 'fifo'), (both, 'f.txt'))))"
)

LAYERS = """
caps.allow_path("d", R)
apply(caps)
caps.allow_path(".", RW)
apply(caps)
"""

MANY_LAYERS = """
caps.allow_path("/", RW)
for _ in range(16):
    apply(caps)
show(attempt(apply, caps), is_supported())
"""

GONE = """
caps.allow_file("f.txt", R)
os.unlink("f.txt")
show(attempt(apply, caps))
"""

SAVED = """
caps.allow_path("ld", R)
caps.block_network()
apply(SandboxState.from_json(SandboxState.from_caps(caps).to_json()).to_caps())
"""

CHANGED_LATER = """
caps.allow_path("d", R)
apply(caps)
caps.allow_path("other", R)
"""

NO_DIRECTORY = """
os.mkdir("x")
os.chdir("x")
os.rmdir("../x")
for path in ".", "y", "", "..":
    try:
        caps.allow_path(path, R)
    except OSError as error:
        show(error)
"""

REFUSED = """
try:
    apply(None)
except TypeError as error:
    show(error)
"""

AGREEING = (
    granting("nothing granted"),
    granting("read a directory", "allow_path('d', R)"),
    granting("write a directory", "allow_path('d', W)"),
    granting("read and write a directory", "allow_path('d', RW)"),
    granting("two grants of a directory", "allow_path('d', R)", "allow_path('d', W)"),
    granting("nested grants", "allow_path('.', R)", "allow_path('d/sub', W)"),
    granting("read a file", "allow_file('d/f.txt', R)"),
    granting("write a file", "allow_file('d/f.txt', W)"),
    granting("read and write a file", "allow_file('d/f.txt', RW)"),
    granting("a link to a directory", "allow_path('ld', RW)"),
    granting("a link to a file", "allow_file('lf', RW)"),
    granting("a parent by dots", "allow_path('d/..', RW)"),
    granting("everything", "allow_path('/', RW)"),
    granting("merged grants", "allow_path('d', R)", "allow_path('ld', W)", "deduplicate()"),
    granting("a name that is not text", "allow_path('lbytes', R)", then="survey(b'byt\\xe9s/f.txt', 'lbytes')"),
    granting("other kinds of files", "allow_file('fifo', RW)", "allow_file('/dev/null', RW)", then=OTHER_KINDS),
    granting("commands and rules", "block_command('x')", "allow_command('x')", "platform_rule('(deny network*)')"),
    granting("making and moving", "allow_path('d', RW)", then=RENAMES),
    granting("moving between grants", "allow_path('d', RW)", "allow_path('other', RW)", then=RENAMES),
    granting("linking out of a grant", "allow_path('d', RW)", "allow_path('other', R)", then=RENAMES),
    Script("the network is open", TCP.format(block="")),
    Script("TCP is blocked", TCP.format(block="caps.block_network()")),
    Script("execution with read", EXECUTION.format(mode="R")),
    Script("execution without read", EXECUTION.format(mode="W")),
    Script("signals", SIGNALS),
    Script("layers narrow", LAYERS + SURVEY),
    Script("layers end", MANY_LAYERS),
    Script("a grant is gone", GONE + SURVEY),
    Script("no descriptor left", "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\nshow(attempt(apply, caps))"),
    Script("a saved state", SAVED + SURVEY),
    Script("a set changed later", CHANGED_LATER + SURVEY),
    Script("the working directory is gone", NO_DIRECTORY),
    Script("a refused argument", REFUSED + SURVEY),
)

SWAPPED_FILE = """
caps.allow_file("f.txt", R)
os.unlink("f.txt")
os.symlink("other", "f.txt")
show(attempt(apply, caps))
show(attempt(read, "other/g.txt"))
"""

REPLACED_DIRECTORY = """
caps.allow_path("d", R)
os.rename("d", "moved")
os.mkdir("d")
show(attempt(apply, caps))
"""

GIL = """
sys.setswitchinterval(1000)
path, turns = "d/../" * 800 + "d", []
def take_turns():
    while True:
        turns.append(1)
        time.sleep(0)
threading.Thread(target=take_turns, daemon=True).start()
before = len(turns)
for _ in range(200): caps.allow_path(path, R)
show("others ran" if len(turns) > before else "others waited")
"""

SUBINTERPRETER = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
try:
    failure = interpreters.run_string(interpreters.create(), "import nono_py; nono_py.CapabilitySet().summary()")
except Exception as error:
    failure = error
show("works" if failure is None else "fails")
"""

DESCRIPTORS = """
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
show(is_supported(), support_info().is_supported)
"""

DEVICES = """
caps.allow_path("d", RW)
apply(caps)
show(attempt(os.mknod, "d/device", stat.S_IFCHR, os.makedev(0, 0)))
"""

CONTRASTS: tuple[Contrast, ...] = (
    Contrast(
        "replaced-objects",
        SWAPPED_FILE,
        "ok\nok",
        "RuntimeError: Sandbox initialization failed: /tree/f.txt is not the regular file that was granted: "
        "a symbolic link is on the way to it. Grant the path again if it is meant.\nok",
    ),
    Contrast(
        "replaced-objects",
        REPLACED_DIRECTORY,
        "ok",
        "RuntimeError: Sandbox initialization failed: /tree/d is not the directory that was granted: "
        "a directory with another identity is there now. Grant the path again if it is meant.",
    ),
    # A device 0, 0 is one that anybody may make, mknod(2).
    Contrast("device-nodes", DEVICES, "ok", "EACCES"),
    Contrast("supported-without-descriptors", DESCRIPTORS, "False False", "True True"),
    Contrast("sub-interpreters", SUBINTERPRETER, "fails", "works"),
    Contrast("released-gil", GIL, "others waited", "others ran"),
)
