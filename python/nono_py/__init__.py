# SPDX-License-Identifier: Apache-2.0
"""A process gives up its own rights: the kernel then refuses it all that it did not say it needs.

    from nono_py import AccessMode, CapabilitySet, apply

    caps = CapabilitySet()
    caps.allow_path("project", AccessMode.READ_WRITE)
    caps.block_network()
    apply(caps)  # there is no way back

CapabilitySet is what the process still needs; apply() puts it in force, for the process and the children it starts.
QueryContext tells beforehand what would be allowed, SandboxState saves a set as text and restores it, is_supported()
and support_info() tell what this system can do.
"""

import nono_py._nono_py as _extension
from nono_py._nono_py import (
    AccessMode,
    CapabilitySet,
    CapabilitySource,
    FsCapability,
    QueryContext,
    SandboxState,
    SupportInfo,
    apply,
    is_supported,
    support_info,
)

# Not in __all__, which is that of the original: `import *` brings no new names into old programs.
from nono_py._nono_py import (
    __version__ as __version__,
)
from nono_py._nono_py import (
    explain_exec_failure as explain_exec_failure,
)
from nono_py._nono_py import (
    program_requirements as program_requirements,
)
from nono_py._nono_py import (
    sandbox_status as sandbox_status,
)
from nono_py._nono_py import (
    unenforced as unenforced,
)

TYPE_CHECKING = False  # typing itself takes longer to import than all of this
if TYPE_CHECKING:
    from typing import Any as _Any

    from nono_py._async import sandboxed_exec_async as sandboxed_exec_async
    from nono_py._async import spawn_async as spawn_async
    from nono_py._async_process import AsyncProcess as AsyncProcess
    from nono_py._process import Process as Process
    from nono_py._results import ExecResult as ExecResult
    from nono_py._results import SpawnError as SpawnError
    from nono_py._running import PreparedSandbox as PreparedSandbox
    from nono_py._running import prepare as prepare
    from nono_py._running import sandboxed_exec as sandboxed_exec
    from nono_py._running import spawn as spawn

# What runs commands is imported on its first use.
_LAZY = {
    "AsyncProcess": "_async_process",
    "ExecResult": "_results",
    "PreparedSandbox": "_running",
    "Process": "_process",
    "SpawnError": "_results",
    "prepare": "_running",
    "sandboxed_exec": "_running",
    "sandboxed_exec_async": "_async",
    "spawn": "_running",
    "spawn_async": "_async",
}

__all__ = [
    "AccessMode",
    "CapabilitySet",
    "CapabilitySource",
    "FsCapability",
    "QueryContext",
    "SandboxState",
    "SupportInfo",
    "apply",
    "is_supported",
    "support_info",
]


def build_session_diagnostic_report(exit_code: int) -> "dict[str, _Any]":
    """Return the report about a command of which only the exit code is known; see docs/diagnostics.md."""
    import json  # here, since it is the only import of the package that takes time

    report: dict[str, _Any] = json.loads(_extension.diagnostic_report_json(exit_code))
    return report


def merge_diagnostic_report_json(
    session_report_json: str, proxy_diagnostics_json: "str | None" = None
) -> "dict[str, _Any]":
    """Return a report and what a proxy has to say as one dict: "session" and, unless it is empty, "proxy".

    Raises ValueError if a text is not JSON.
    """
    import json

    merged = _extension.merged_diagnostic_report_json(session_report_json, proxy_diagnostics_json)
    report: dict[str, _Any] = json.loads(merged)
    return report


def __getattr__(name: str) -> object:
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module 'nono_py' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(f"nono_py.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted({*globals(), *_LAZY})
