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
    sandbox_status as sandbox_status,
)
from nono_py._nono_py import (
    unenforced as unenforced,
)

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
