# SPDX-License-Identifier: Apache-2.0
"""Tries holes, each without a sandbox and with one, and prints a verdict on each: one JSON object a line.

usage: python -m containment.case [--user] [--helper LIBRARY] HOLE...
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import nono_py
from containment.registry import Hole, load
from containment.stage import REFUSED, Stage, Unprovable
from containment.system import libc

NOBODY = 65534
PR_SET_DUMPABLE = 4


class Options(argparse.Namespace):
    holes: list[str]
    user: bool
    helper: Path | None


class Attempt(NamedTuple):
    has_effect: bool
    # What stopped the act, in a word.
    detail: str
    # Why nothing can be concluded from it.
    unprovable: str = ""
    broken: str = ""


def judge(hole: Hole, stage: Stage) -> Attempt:
    """Perform the act on the stage, in this process."""
    try:
        has_effect = hole.attack(stage)
    except Unprovable as reason:
        return Attempt(False, "", unprovable=str(reason))
    detail = next((end.stopped_by for end in stage.ends if end.stopped_by), "")
    for end in stage.ends:
        if end.is_broken or not end.has_entered:
            return Attempt(has_effect, detail, broken=end.stopped_by or "the act never entered the sandbox")
        if end.stopped_by.startswith(REFUSED) and not hole.may_refuse:
            return Attempt(has_effect, detail, broken=end.stopped_by)
        if stage.contained and end.stopped_by.startswith("SIG") and not hole.may_die:
            return Attempt(has_effect, detail, broken=f"the act ended by {end.stopped_by}")
    return Attempt(has_effect, detail)


def attempt(hole: Hole, options: Options, contained: bool) -> Attempt:
    """The same in a process and a folder of its own, which leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="nono-hole-")).resolve()
    if options.user and os.getuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        if options.user and os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as any program that this user starts
        os.chdir(folder)
        try:
            result = judge(hole, Stage(folder, hole.policy, contained, options.helper))
        except BaseException:
            result = Attempt(False, "", broken=traceback.format_exc())
        os.write(sender, json.dumps(result._asdict()).encode())
        os._exit(0)
    os.close(sender)
    os.waitpid(child, 0)
    with suppress(ProcessLookupError):  # whoever is left of the stage
        os.killpg(child, signal.SIGKILL)
    report = os.read(receiver, 65536)
    shutil.rmtree(folder, ignore_errors=True)
    return Attempt(**json.loads(report)) if report else Attempt(False, "", broken="the stage died")


def verdict(hole: Hole, options: Options) -> dict[str, object]:
    """`state` is open, closed, unprovable or broken; `reason` is what stopped the act, or why there is no answer."""
    free = attempt(hole, options, contained=False)
    state, reason = "unprovable", free.unprovable
    if free.broken:
        state, reason = "broken", f"without a sandbox: {free.broken}"
    elif not free.unprovable and not free.has_effect:
        reason = f"has no effect without a sandbox either: {free.detail or 'no error'}"
    elif not free.unprovable:
        contained = attempt(hole, options, contained=True)
        state, reason = ("open" if contained.has_effect else "closed"), contained.detail
        if contained.broken or contained.unprovable:
            state, reason = "broken", f"in the sandbox: {contained.broken or contained.unprovable}"
    return {"name": hole.name, "state": state, "reason": reason, "unenforced": unenforced(hole)}


def unenforced(hole: Hole) -> list[str]:
    """What the library says that this kernel leaves open."""
    if not hasattr(nono_py, "unenforced"):
        return []
    caps = nono_py.CapabilitySet()
    if not hole.policy.network:
        caps.block_network()
    if not hole.policy.unix_sockets:
        caps.block_unix_sockets()
    return nono_py.unenforced(caps)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("holes", nargs="+", metavar="HOLE")
    parser.add_argument("--user", action="store_true", help="as an ordinary user, if started by root")
    parser.add_argument("--helper", type=Path, help="helper.c, compiled")
    options = parser.parse_args(namespace=Options())
    holes = load()
    for name in options.holes:
        print(json.dumps(verdict(holes[name], options)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
