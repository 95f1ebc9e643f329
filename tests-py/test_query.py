# SPDX-License-Identifier: Apache-2.0
"""Queries answer what the kernel would: all covering grants count together, paths lead where they really lead."""

import os
from pathlib import Path
from typing import Any

import pytest
from test_capability_set import granting

from nono_py import AccessMode, CapabilitySet, QueryContext

R, W, RW = AccessMode.READ, AccessMode.WRITE, AccessMode.READ_WRITE

NOT_GRANTED = {"status": "denied", "reason": "path_not_granted"}


def allowed(path: "str | Path", access: str) -> "dict[str, str]":
    return {"status": "allowed", "reason": "granted_path", "granted_path": str(path), "access": access}


def insufficient(granted: str, requested: str) -> "dict[str, str]":
    return {"status": "denied", "reason": "insufficient_access", "granted": granted, "requested": requested}


def query(caps: CapabilitySet, path: "str | Path", mode: AccessMode) -> "dict[str, Any]":
    result = QueryContext(caps).query_path(path, mode)
    assert type(result) is dict
    return dict(result)


@pytest.mark.parametrize(
    ("granted", "requested", "answer"),
    [
        (R, R, "read"),
        (W, W, "write"),
        (RW, R, "read+write"),
        (RW, W, "read+write"),
        (RW, RW, "read+write"),
        (R, W, None),
        (R, RW, None),
        (W, R, None),
        (W, RW, None),
    ],
)
def test_modes(tree: Path, granted: AccessMode, requested: AccessMode, answer: "str | None") -> None:
    caps = granting(("d", granted))
    expected = insufficient(str(granted), str(requested)) if answer is None else allowed(tree / "d", answer)
    for path in ("d", "d/f.txt", "ld/sub", "d/new"):
        assert query(caps, path, requested) == expected


def test_order_of_keys(tree: Path) -> None:
    assert list(query(granting(("d", R)), "d", R)) == ["status", "reason", "granted_path", "access"]
    assert list(query(granting(("d", R)), "d", W)) == ["status", "reason", "granted", "requested"]
    assert list(query(granting(("d", R)), "other", W)) == ["status", "reason"]


def test_results_are_the_callers_own(tree: Path) -> None:
    context = QueryContext(granting(("d", R)))
    for path, mode in (("d", R), ("d", W), ("other", R)):
        first: Any = context.query_path(path, mode)
        kept = dict(first)
        first.clear()
        assert context.query_path(path, mode) == kept
    network: Any = context.query_network()
    network.clear()
    assert context.query_network() == {"status": "allowed", "reason": "network_allowed"}
    assert context.query_path("d", R) == allowed(tree / "d", "read")


def test_network(caps: CapabilitySet) -> None:
    before = QueryContext(caps)
    caps.block_network()
    assert before.query_network() == {"status": "allowed", "reason": "network_allowed"}
    assert QueryContext(caps).query_network() == {"status": "denied", "reason": "network_blocked"}


def test_a_context_is_a_snapshot(tree: Path) -> None:
    caps = granting(("d", R))
    context = QueryContext(caps)
    caps.allow_path("other", R)
    assert context.query_path("other", R) == NOT_GRANTED
    del caps
    assert context.query_path("d", R) == allowed(tree / "d", "read")


def test_files(tree: Path) -> None:
    caps = granting(("f.txt", R))
    assert query(caps, "f.txt", R) == allowed(tree / "f.txt", "read")
    assert query(caps, "lf", R) == allowed(tree / "f.txt", "read")
    assert query(caps, "f.txt", W) == insufficient("read", "write")
    assert query(caps, "d/f.txt", R) == NOT_GRANTED
    assert query(caps, ".", R) == NOT_GRANTED


def test_the_first_sufficient_grant_is_named(tree: Path) -> None:
    assert query(granting((".", R), ("d", RW)), "d/x", W) == allowed(tree / "d", "read+write")
    assert query(granting(("d", RW), (".", RW)), "d/x", W) == allowed(tree / "d", "read+write")
    assert query(granting((".", RW), ("d", RW)), "d/x", W) == allowed(tree, "read+write")
    assert query(granting(("f.txt", R), (".", RW)), "f.txt", W) == allowed(tree, "read+write")


def test_grants_count_together(tree: Path) -> None:
    caps = granting((".", R), ("d", W))
    assert query(caps, "d/x", RW) == allowed(tree, "read+write")
    assert query(caps, "d/x", R) == allowed(tree, "read")
    assert query(caps, "d/x", W) == allowed(tree / "d", "write")
    assert query(caps, "other", RW) == insufficient("read", "read+write")


def test_dots_lead_where_they_lead(tree: Path) -> None:
    caps = granting(("d", RW))
    assert query(caps, "d/new/../../other", R) == NOT_GRANTED
    assert query(caps, "d/nope/../../../../../../../../etc/passwd", R) == NOT_GRANTED
    assert query(caps, "d/..", R) == NOT_GRANTED
    assert query(caps, "ld/../d", R) == allowed(tree / "d", "read+write")
    assert query(caps, "other/../d/new", W) == allowed(tree / "d", "read+write")


def test_spelling_of_the_grant_does_not_matter(tree: Path) -> None:
    caps = granting(("ld", R))
    for path in ("ld/x", "./ld/x", tree / "ld" / "nope", "d/x", "lld"):
        assert query(caps, path, R) == allowed(tree / "d", "read")


def test_the_working_directory_is_that_of_the_query(tree: Path) -> None:
    context = QueryContext(granting(("d", R)))
    assert context.query_path("f.txt", R) == NOT_GRANTED
    os.chdir("d")
    assert context.query_path("f.txt", R) == allowed(tree / "d", "read")


@pytest.mark.parametrize("path", ["", "a\0b", "loop", "loop/x", "dangling", "x" * 5000, "nowhere", "~", "f.txt/x"])
def test_a_query_never_raises(tree: Path, path: str) -> None:
    assert query(granting(("d", RW)), path, R) == NOT_GRANTED


def test_a_dangling_link_leads_to_what_it_names(tree: Path) -> None:
    (tree / "d" / "out").symlink_to(tree / "other" / "new")
    (tree / "other" / "in").symlink_to(tree / "d" / "new")
    caps = granting(("d", RW))
    assert query(caps, "d/out", W) == NOT_GRANTED
    assert query(caps, "other/in", W) == allowed(tree / "d", "read+write")


def test_a_name_that_is_no_text(tree: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    os.mkdir(name)
    assert query(granting((name, R)), f"{name}/x", R) == allowed(tree / name, "read")


def test_representation(caps: CapabilitySet) -> None:
    assert repr(QueryContext(caps)).startswith("<nono_py.QueryContext object at 0x")
