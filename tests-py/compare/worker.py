# SPDX-License-Identifier: Apache-2.0
"""Runs programs under the nono_py of this interpreter: one JSON line in, one JSON line out.

A program is a list of steps, each an expression and perhaps a name to assign it to. The answer tells how each step
ended, in values of JSON that are equal if and only if a program could not tell the results apart.
"""

import copy
import faulthandler
import inspect
import json
import os
import pickle
import re
import sys
import weakref
from pathlib import Path
from typing import Any, Optional

import tree

import nono_py

LONGEST_PROGRAM_SECONDS = 60


def describe(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(describe, value)]
    if isinstance(value, dict):
        return ["dict", *([describe(key), describe(item)] for key, item in value.items())]
    if isinstance(value, nono_py.AccessMode):
        return [type(value).__name__, repr(value), str(value), int(value), hash(value)]
    if isinstance(value, nono_py.FsCapability):
        fields = [value.original, value.resolved, describe(value.access), value.is_file, describe(value.source)]
        return [type(value).__name__, repr(value), str(value), *fields]
    if isinstance(value, nono_py.SupportInfo):
        return [type(value).__name__, repr(value), value.is_supported, value.platform, value.details]
    if isinstance(value, nono_py.QueryContext):
        return [type(value).__name__]  # It has nothing to show, and programs make many.
    texts = (re.sub(r" at 0x[0-9a-f]+", "", text) for text in (repr(value), str(value)))
    return [type(value).__name__, *texts]


def locate(path: str) -> Optional[str]:
    """Where an access of the path would arrive, which need not exist."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return None


def run_step(step: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    outcome: dict[str, Any] = {}
    if step["path"] is not None:
        outcome["exists"] = os.path.exists(step["path"])
        outcome["located"] = locate(step["path"])
    try:
        value = eval(step["code"], names)
        outcome["value"] = describe(value)
        if step["name"] is not None:
            names[step["name"]] = value
    except Exception as error:
        outcome["raised"] = [kind.__name__ for kind in type(error).__mro__]
        outcome["text"] = str(error)
        outcome["errno"] = getattr(error, "errno", None)
    return outcome


def run_program(root: str, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    os.chdir(root)
    names: dict[str, Any] = {name: getattr(nono_py, name) for name in nono_py.__all__}
    names.update(nono_py=nono_py, Path=Path, copy=copy, inspect=inspect, pickle=pickle, weakref=weakref, **tree.CHANGES)
    return [run_step(step, names) for step in steps]


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        faulthandler.dump_traceback_later(LONGEST_PROGRAM_SECONDS, exit=True)
        outcomes = run_program(request["root"], request["steps"])
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(outcomes), flush=True)


if __name__ == "__main__":
    main()
