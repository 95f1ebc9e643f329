# SPDX-License-Identifier: Apache-2.0
"""Contains itself with ctypes and what include/nono.h says, without nono_py, and becomes another program.

usage: contain_ctypes.py LIBRARY PROJECT PROGRAM [ARGUMENT...]
"""

import ctypes
import os
import sys
from ctypes import c_bool, c_char_p, c_int, c_uint32, c_void_p

import grants

READ, READ_WRITE = 0, 2  # NONO_ACCESS_MODE_READ, NONO_ACCESS_MODE_READ_WRITE

nono = ctypes.CDLL(sys.argv[1])
nono.nono_capability_set_new.restype = c_void_p
nono.nono_last_error.restype = c_char_p  # never freed: this process is about to end or to become another
for name, types in {
    "allow_path": [c_void_p, c_char_p, c_uint32],
    "allow_file": [c_void_p, c_char_p, c_uint32],
    "set_network_blocked": [c_void_p, c_bool],
}.items():
    getattr(nono, f"nono_capability_set_{name}").argtypes = types
    getattr(nono, f"nono_capability_set_{name}").restype = c_int
nono.nono_sandbox_apply.argtypes = [c_void_p]


def check(code: int) -> None:
    if code != 0:
        sys.exit(nono.nono_last_error().decode())


caps = nono.nono_capability_set_new()
check(nono.nono_capability_set_allow_path(caps, os.fsencode(sys.argv[2]), READ_WRITE))
for folder in grants.FOLDERS:
    check(nono.nono_capability_set_allow_path(caps, os.fsencode(folder), READ))
for file in grants.FILES:
    check(nono.nono_capability_set_allow_file(caps, os.fsencode(file), READ))
check(nono.nono_capability_set_set_network_blocked(caps, True))
check(nono.nono_sandbox_apply(caps))
os.execvp(sys.argv[3], sys.argv[3:])
