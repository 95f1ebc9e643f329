# SPDX-License-Identifier: Apache-2.0
"""Limits, priority and scheduling: of the process itself, and of processes named by number."""

import os
import resource
import subprocess
from pathlib import Path

from working.cases import NULL, PROGRAMS, case, refused, restrict


@case()
def limits_of_itself(place: Path) -> None:
    restrict(place)
    before = os.nice(0)
    assert os.nice(1) == before + 1
    os.setpriority(os.PRIO_PROCESS, 0, before + 2)
    os.umask(0o77)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
    assert resource.prlimit(0, resource.RLIMIT_NOFILE) == (100, 200)
    assert resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE) == (100, 200)
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    assert os.sched_getaffinity(os.getpid()) == {min(processors)}
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    assert os.sched_getscheduler(0) == os.SCHED_BATCH


@case()
def limits_by_number(place: Path) -> None:
    # A filter cannot tell whose number it is: reading goes, setting takes an option, even for the process itself.
    restrict(place)
    own = os.getpid()
    assert resource.prlimit(own, resource.RLIMIT_NOFILE)[0] > 0
    assert os.sched_getaffinity(own) == os.sched_getaffinity(0)
    assert os.getpriority(os.PRIO_PROCESS, own) == os.nice(0)
    with refused():
        os.sched_setaffinity(own, os.sched_getaffinity(0))
    with refused():
        os.setpriority(os.PRIO_PROCESS, own, os.nice(0) + 1)


@case(programs=("renice", "taskset"))
def limits_by_number_if_they_are_left_open(place: Path) -> None:
    restrict(place, NULL, read=PROGRAMS, allow_other_processes=True)
    with subprocess.Popen(["/bin/sleep", "5"]) as child:
        os.setpriority(os.PRIO_PROCESS, child.pid, 15)
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == 15
        for command in ["renice", "-n", "16", "-p"], ["taskset", "-cp", "0"]:
            subprocess.run([*command, str(child.pid)], stdout=subprocess.DEVNULL, check=True)
        resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (50, 50))
        child.kill()
