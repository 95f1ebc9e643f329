# SPDX-License-Identifier: Apache-2.0
"""The list of holes. A module registers its cases with @hole; load() imports all of them, in the order of the table."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from containment.stage import Stage

# The modules, with the titles that the table gives them.
SUBJECTS = {
    "threads": "Threads from before",
    "files": "Files",
    "rings": "Files by other doors",
    "devices": "Devices and metadata",
    "network": "The network, blocked",
    "packets": "Beside and below TCP and UDP",
    "unix_sockets": "Unix sockets",
    "ipc": "What else programs of one user share",
    "processes": "Processes outside",
    "signals": "Signals to processes outside",
    "kernel": "The kernel",
    "tampering": "The sandbox itself",
}

Attack = Callable[["Stage"], bool]


@dataclass(frozen=True)
class Policy:
    """What the sandbox of a case allows, besides a project to work in and the system's programs and libraries."""

    network: bool = False
    unix_sockets: bool = True
    read: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hole:
    name: str
    # One line for the table, with the attacker as the subject.
    act: str
    attack: Attack
    subject: str
    policy: Policy
    # The name that unenforced() has for it: open exactly where the library says so.
    unenforced: str | None
    # Why it stays open on every kernel, as the documents say.
    by_design: str | None
    # The library may refuse to sandbox such a process, and the kernel may end it.
    may_refuse: bool
    may_die: bool
    # Landlock ABIs with which it is tried besides that of the kernel.
    abis: tuple[int, ...]


HOLES: dict[str, Hole] = {}


def hole(
    name: str,
    act: str,
    *,
    policy: Policy | None = None,
    unenforced: str | None = None,
    by_design: str | None = None,
    may_refuse: bool = False,
    may_die: bool = False,
    abis: tuple[int, ...] = (),
) -> Callable[[Attack], Attack]:
    """Register a function that performs an act on a stage and tells whether it had its effect."""

    def register(attack: Attack) -> Attack:
        assert name not in HOLES, name
        subject = SUBJECTS[attack.__module__.rpartition(".")[2]]
        HOLES[name] = Hole(
            name, act, attack, subject, policy or Policy(), unenforced, by_design, may_refuse, may_die, abis
        )
        return attack

    return register


def load() -> dict[str, Hole]:
    for module in SUBJECTS:
        importlib.import_module(f"containment.{module}")
    return HOLES
