# SPDX-License-Identifier: Apache-2.0
# The types of the extension module. QueryResult and its two halves exist here only: import them under TYPE_CHECKING.

from collections.abc import Callable
from typing import ClassVar, Literal, TypedDict, final, type_check_only

from _typeshed import StrOrBytesPath
from typing_extensions import NotRequired, TypeAlias

__all__ = [  # noqa: RUF022 (in the order of the original)
    "AccessMode",
    "CapabilitySource",
    "FsCapability",
    "CapabilitySet",
    "SupportInfo",
    "SandboxState",
    "QueryContext",
    "apply",
    "is_supported",
    "support_info",
]

__version__: str

@final
class AccessMode:
    """What a grant allows.

    READ: read files, list directories, execute files.
    WRITE: write, truncate, create, rename, link and remove; not read.
    READ_WRITE: both.
    """

    READ: ClassVar[AccessMode]
    WRITE: ClassVar[AccessMode]
    READ_WRITE: ClassVar[AccessMode]

    def __int__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class CapabilitySource:
    """Where a grant comes from.

    Grants made from Python, also those restored from a saved state, come from the user.
    """

    @staticmethod
    def user() -> CapabilitySource:
        """Return the source of grants that the user made."""

    @staticmethod
    def group(name: str) -> CapabilitySource:
        """Return the source of grants that belong to a named group."""

    @staticmethod
    def system() -> CapabilitySource:
        """Return the source of grants that the system needs."""

@final
class FsCapability:
    """One grant of a capability set, read-only.

    It does not follow later changes of the set.
    """

    @property
    def original(self) -> str:
        """The path as it was granted."""

    @property
    def resolved(self) -> str:
        """The absolute path it led to, without symbolic links."""

    @property
    def access(self) -> AccessMode:
        """What the grant allows."""

    @property
    def is_file(self) -> bool:
        """True for a grant of one file, false for a directory with all below it."""

    @property
    def source(self) -> CapabilitySource:
        """Where the grant comes from."""

@final
class CapabilitySet:
    """What a process still needs: paths, and the network unless it is blocked.

    A new set grants no path and allows the network. A set may be used by several threads at once.
    Paths are str, bytes or os.PathLike.
    """

    def __new__(cls) -> CapabilitySet: ...
    def allow_path(self, path: StrOrBytesPath, mode: AccessMode) -> None:
        """Grant a directory and everything below it, now and later.

        The path is resolved at once, through symbolic links: every part of it must exist.

        Raises FileNotFoundError if the path does not exist, another OSError if it cannot be
        resolved, and ValueError if it does not lead to a directory.
        """

    def allow_file(self, path: StrOrBytesPath, mode: AccessMode) -> None:
        """Grant one object that is not a directory: a file, a FIFO, a socket, a device.

        Raises FileNotFoundError if the path does not exist, another OSError if it cannot be
        resolved, and ValueError if it leads to a directory.
        """

    def allow_program(self, program: StrOrBytesPath, *, search_path: StrOrBytesPath | None = None) -> None:
        """Grant reading of all that a program needs to start: see program_requirements().

        Raises what that raises, and grants nothing then.
        """

    def block_network(self) -> None:
        """Block the network."""

    def block_unix_sockets(self) -> None:
        """Close unix sockets altogether, but for connected pairs.

        Without this a sandboxed process can connect to unix sockets by path, up to Landlock ABI 8.
        """

    @property
    def unix_sockets_blocked(self) -> bool:
        """True if unix sockets are closed altogether."""

    def allow_command(self, cmd: str) -> None:
        """Put the name of a program on the allow list: sandboxed_exec() runs it although it is blocked."""

    def block_command(self, cmd: str) -> None:
        """Put the name of a program on the block list: sandboxed_exec() and spawn() refuse it.

        A guard rail and not containment: whatever the command can read, it can run, by another name too.
        """

    def platform_rule(self, rule: str) -> None:
        """Add a Seatbelt rule, an S-expression, that macOS adds to the profile.

        Other systems ignore the rule. Every system raises ValueError for text that is not
        balanced and for a rule that would open the whole file system.
        """

    def deduplicate(self) -> None:
        """Merge grants of the same object; their access is united."""

    def path_covered(self, path: StrOrBytesPath) -> bool:
        """Tell whether a granted directory covers the path, with whatever access."""

    def fs_capabilities(self) -> list[FsCapability]:
        """Return the grants, in the order they were made."""

    @property
    def is_network_blocked(self) -> bool:
        """True if the network is blocked."""

    def summary(self) -> str:
        """Return a description for people, several lines."""

    def seatbelt_profile(self) -> str:
        """Return the profile with which macOS would enforce the set, on every system.

        It depends on HOME as it is now. Raises RuntimeError for what apply() would refuse on
        macOS: control characters in a path, a path that is not UTF-8, a NUL in a rule.
        """

@final
class SupportInfo:
    """Whether and how this system can sandbox."""

    @property
    def is_supported(self) -> bool:
        """True if apply() can work here."""

    @property
    def platform(self) -> str:
        """The operating system: "linux" or "macos"."""

    @property
    def details(self) -> str:
        """One line for people."""

    @property
    def kernel_abi(self) -> int:
        """The Landlock ABI of the running kernel, 0 if there is none."""

    @property
    def used_abi(self) -> int:
        """The Landlock ABI whose rights are used of it."""

    @property
    def unenforced(self) -> list[str]:
        """What this kernel leaves open in a sandbox that grants nothing, by name; see unenforced()."""

@final
class SandboxState:
    """A capability set that can be saved as text."""

    @staticmethod
    def from_caps(caps: CapabilitySet) -> SandboxState:
        """Take a snapshot of a set."""

    @staticmethod
    def from_json(json: str) -> SandboxState:
        """Read what to_json() wrote. Raises ValueError if it is no such text."""

    def to_json(self) -> str:
        """Return the state as JSON. Raises ValueError if a path is not UTF-8."""

    def to_caps(self) -> CapabilitySet:
        """Grant again what was saved, resolving every path now.

        Raises what allow_path() and allow_file() raise, and ValueError if a path now leads
        elsewhere than it did.
        """

    @property
    def net_blocked(self) -> bool:
        """True if the saved set blocks the network."""

@type_check_only
class QueryResultAllowed(TypedDict):
    """The answer to a query: allowed."""

    status: Literal["allowed"]
    reason: Literal["granted_path", "network_allowed"]
    # With "granted_path":
    granted_path: NotRequired[str]
    access: NotRequired[str]

@type_check_only
class QueryResultDenied(TypedDict):
    """The answer to a query: denied."""

    status: Literal["denied"]
    reason: Literal["path_not_granted", "insufficient_access", "network_blocked"]
    # With "insufficient_access":
    granted: NotRequired[str]
    requested: NotRequired[str]

QueryResult: TypeAlias = QueryResultAllowed | QueryResultDenied

@final
class QueryContext:
    """Answers what the sandbox of a set would allow, without applying it.

    It is made from the set as it is now; later changes of the set do not show.
    """

    def __new__(cls, caps: CapabilitySet) -> QueryContext: ...
    def query_path(self, path: StrOrBytesPath, mode: AccessMode) -> QueryResult:
        """Tell whether access to a path would be allowed.

        All grants that cover the path count together, as in the kernel.
        """

    def query_network(self) -> QueryResult:
        """Tell whether the network would be allowed."""

def apply(
    caps: CapabilitySet,
    *,
    allow_keyrings: bool = False,
    allow_sysv_ipc: bool = False,
    allow_terminal_input: bool = False,
    allow_bpf: bool = False,
    allow_perf_events: bool = False,
    allow_userfaultfd: bool = False,
    allow_kernel_administration: bool = False,
    allow_mounts: bool = False,
    allow_file_handles: bool = False,
    allow_clock_and_hostname: bool = False,
    allow_other_processes: bool = False,
    allow_capabilities: bool = False,
    allow_signals: bool = False,
    allow_abstract_unix_sockets: bool = False,
) -> None:
    """Put the sandbox in force. There is no way back.

    From now on the kernel refuses everything that the set does not grant, to every thread of this
    process and to the children they start. It may be called again: each time only narrows.

    What a sandbox closes besides can be left open, one thing for each keyword: kernel keyrings;
    System V IPC; TIOCSTI and TIOCLINUX; bpf(); perf_event_open(); userfaultfd(); modules, kexec, swap,
    reboot, quotas, I/O ports and the kernel log; mount() and its kin; open_by_handle_at() and fanotify;
    setting the clock and the host name; limits, priority and scheduling of other processes; the
    capabilities (of root) that lead out of a sandbox; signals to processes outside; abstract unix
    sockets of processes outside.

    Raises RuntimeError if this system cannot enforce the set, or if a thread does not answer;
    nothing is restricted then.
    """

def is_supported() -> bool:
    """Tell whether this system can sandbox at all."""

def support_info() -> SupportInfo:
    """Tell whether and how this system can sandbox."""

def unenforced(
    caps: CapabilitySet,
    *,
    allow_keyrings: bool = False,
    allow_sysv_ipc: bool = False,
    allow_terminal_input: bool = False,
    allow_bpf: bool = False,
    allow_perf_events: bool = False,
    allow_userfaultfd: bool = False,
    allow_kernel_administration: bool = False,
    allow_mounts: bool = False,
    allow_file_handles: bool = False,
    allow_clock_and_hostname: bool = False,
    allow_other_processes: bool = False,
    allow_capabilities: bool = False,
    allow_signals: bool = False,
    allow_abstract_unix_sockets: bool = False,
) -> list[str]:
    """Tell what this kernel would leave open in a sandbox of the set, by name.

    "metadata": chmod, chown, times, extended attributes; "truncation" of files that may not be written;
    "device_control": ioctl() on devices; "signals" and "abstract_unix_sockets" of processes outside;
    "pathname_unix_sockets" that are not granted.

    Raises RuntimeError if the kernel cannot enforce the set at all.
    """
@type_check_only
class SandboxStatus(TypedDict):
    """What is in force on a process."""

    layers: int
    network: Literal["allowed", "blocked", "proxy-only"]
    unix_sockets_blocked: bool
    landlock_abi: int
    seccomp_mode: int
    no_new_privs: bool
    is_incomplete: bool
    allowed: list[str]
    unenforced: list[str]

def sandbox_status() -> SandboxStatus:
    """Tell what is in force on this process, as far as it was put there since the program was started.

    A sandbox survives exec, the record of it does not: only `seccomp_mode` and `no_new_privs` come from
    the kernel itself. `is_incomplete` means that an apply() failed halfway; end the process then.
    """

def program_requirements(program: StrOrBytesPath, *, search_path: StrOrBytesPath | None = None) -> list[FsCapability]:
    """Return the grants that a program needs to start.

    Itself, the interpreters of its "#!" lines, its dynamic loader, its libraries, and for CPython its library
    directories. The program is not run. A name without a slash is looked up in `search_path`, directories with colons
    between them, or else in PATH.

    Raises FileNotFoundError if something of it does not exist, and names it; another OSError if something cannot be
    read or is no program.
    """

def explain_exec_failure(
    caps: CapabilitySet, program: StrOrBytesPath, errno: int, *, search_path: StrOrBytesPath | None = None
) -> str:
    """Tell in a line why a program could not be started in a sandbox of the set.

    `errno` is that of execve(), or 0 if the program did start and its loader failed.
    """

def diagnostic_report_json(exit_code: int, /) -> str: ...
def session_diagnostics_json(
    exit_code: int, stderr: bytes, caps: CapabilitySet, cwd: StrOrBytesPath | None = None, /
) -> str: ...
def merged_diagnostic_report_json(session_report_json: str, proxy_diagnostics_json: str | None, /) -> str: ...
@final
class SandboxHandle:
    """A sandbox that the kernel already knows."""

    @property
    def caps(self) -> CapabilitySet:
        """What was granted when the sandbox was prepared."""

    def start(
        self,
        argv: list[bytes],
        environment: list[bytes],
        directory: bytes | None,
        search_path: bytes | None,
        set: int,
        streams: tuple[int, ...],
        numbers: tuple[int, ...],
        /,
    ) -> ProcessHandle:
        """Start a command and return its ProcessHandle."""

@final
class ProcessHandle:
    """A command that was started. Losing the object ends the command."""

    def wait(self, timeout_ns: int, /) -> tuple[bool, int, int, int, int, int, str | None, int, int, bool, list[str]]:
        """Wait so many nanoseconds for the end, for ever if negative; return how it is."""

    def signal(self, number: int, /) -> None:
        """Send a signal to the command itself, unless it has ended."""

    def kill(self) -> None:
        """Have the command and all that it started killed."""

    def fileno(self) -> int:
        """Return a descriptor that polls as readable when the command has ended."""

    def take(self, stream: int, /) -> int:
        """Return our end of a pipe, to be closed by the caller, or -1."""

    def communicate(
        self, input: bytes, max_output: int, listener: Callable[[int, bytes], object] | None, /
    ) -> tuple[bytes, int, bytes, int]:
        """Feed and drain the pipes until the command has ended."""

def prepare(
    caps: CapabilitySet,
    *,
    allow_keyrings: bool = False,
    allow_sysv_ipc: bool = False,
    allow_terminal_input: bool = False,
    allow_bpf: bool = False,
    allow_perf_events: bool = False,
    allow_userfaultfd: bool = False,
    allow_kernel_administration: bool = False,
    allow_mounts: bool = False,
    allow_file_handles: bool = False,
    allow_clock_and_hostname: bool = False,
    allow_other_processes: bool = False,
    allow_capabilities: bool = False,
    allow_signals: bool = False,
    allow_abstract_unix_sockets: bool = False,
) -> SandboxHandle:
    """Prepare the sandbox of a set, for running commands in it; a SandboxHandle."""
