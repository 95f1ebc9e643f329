# SPDX-License-Identifier: Apache-2.0
"""Restores the sandbox that another process saved in NONO_STATE, applies it and becomes another program.

usage: contain_saved.py PROGRAM [ARGUMENT...]
"""

import os
import sys

from nono_py import SandboxState, apply

apply(SandboxState.from_json(os.environ["NONO_STATE"]).to_caps())
os.execvp(sys.argv[1], sys.argv[1:])
