# SPDX-License-Identifier: Apache-2.0
"""Every hole of tests-py/containment, as root and as a user, on this kernel and on older ones.

An act that has no effect without a sandbox either proves nothing, and is skipped with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

import pytest
from containment.implementations import Verdict, judge
from containment.registry import load
from containment.table import is_as_documented

from nono_py import support_info

pytestmark = pytest.mark.usefixtures("sandbox")

HOLES = load()


class Group(NamedTuple):
    who: str
    # The Landlock ABI that is emulated, or None for that of the kernel.
    abi: int | None


class Case(NamedTuple):
    name: str
    group: Group

    def __str__(self) -> str:
        abi = f"-abi{self.group.abi}" if self.group.abi is not None else ""
        return f"{self.name}-{self.group.who}{abi}"


def cases() -> list[Case]:
    older = [
        Case(name, Group("root", abi))
        for name, hole in HOLES.items()
        for abi in hole.abis
        if abi < support_info().kernel_abi
    ]
    return [Case(name, Group(who, None)) for name in HOLES for who in ("root", "user")] + older


@pytest.fixture(scope="session")
def verdict_on(request: pytest.FixtureRequest) -> Callable[[Case], Verdict]:
    """All selected cases of a group share one process, from which each attempt is forked."""
    selected: list[Case] = [
        callspec.params["case"]
        for item in request.session.items
        if (callspec := getattr(item, "callspec", None)) and isinstance(callspec.params.get("case"), Case)
    ]
    verdicts: dict[Case, Verdict] = {}

    def find(case: Case) -> Verdict:
        if case not in verdicts:
            group = [other for other in selected if other.group == case.group]
            found = judge([other.name for other in group], as_user=case.group.who == "user", abi=case.group.abi)
            verdicts.update(zip(group, found))
        return verdicts[case]

    return find


@pytest.mark.parametrize("case", cases(), ids=str)
def test_hole(case: Case, verdict_on: Callable[[Case], Verdict]) -> None:
    if case.group.who == "root" and os.getuid() != 0:
        pytest.skip("only root can try what root can do")
    verdict = verdict_on(case)
    if verdict.state == "unprovable":
        pytest.skip(verdict.reason)
    hole = HOLES[case.name]
    assert is_as_documented(hole, verdict), f"{hole.act}: {verdict.state}, {verdict.reason or 'no error'}"
