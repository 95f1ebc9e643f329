# SPDX-License-Identifier: Apache-2.0
"""The process in the sandbox for test_query_kernel.py: applies the grants it is given, then answers questions."""

import json
import os
import sys
from typing import Any

from nono_py import AccessMode, CapabilitySet, QueryContext, apply

FLAGS = {
    "READ": os.O_RDONLY,
    "WRITE": os.O_WRONLY | os.O_APPEND | os.O_CREAT,
    "READ_WRITE": os.O_RDWR | os.O_APPEND | os.O_CREAT,
}


def attempt(path: str, mode: str) -> int:
    """Accesses a path in earnest. Returns 0 or an errno."""
    try:
        if not os.path.isdir(path):
            os.close(os.open(path, FLAGS[mode], 0o600))
            return 0
        if mode != "WRITE":
            os.listdir(path)
        if mode != "READ":
            os.close(os.open(os.path.join(path, "made"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        return error.errno or -1
    return 0


def answer(context: QueryContext, request: dict[str, Any]) -> dict[str, Any]:
    path, mode = request["path"], request["mode"]
    reply: dict[str, Any] = {"answer": context.query_path(path, getattr(AccessMode, mode))}
    if request["attempt"]:
        reply["errno"] = attempt(path, mode)
    return reply


def main() -> None:
    caps = CapabilitySet()
    for path, mode in json.loads(sys.stdin.readline()):
        grant = caps.allow_path if os.path.isdir(path) else caps.allow_file
        grant(path, getattr(AccessMode, mode))
    context = QueryContext(caps)
    apply(caps)
    for line in sys.stdin:
        print(json.dumps(answer(context, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
