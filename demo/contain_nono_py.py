# SPDX-License-Identifier: Apache-2.0
"""Contains itself with nono_py and becomes another program.

usage: contain_nono_py.py PROJECT PROGRAM [ARGUMENT...]
"""

import os
import sys

import grants

from nono_py import AccessMode, CapabilitySet, apply


def capabilities(project: str) -> CapabilitySet:
    caps = CapabilitySet()
    caps.allow_path(project, AccessMode.READ_WRITE)
    for folder in grants.FOLDERS:
        caps.allow_path(folder, AccessMode.READ)
    for file in grants.FILES:
        caps.allow_file(file, AccessMode.READ)
    caps.block_network()
    return caps


if __name__ == "__main__":
    apply(capabilities(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
