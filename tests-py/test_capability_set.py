# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from nono_py import AccessMode, CapabilitySet, CapabilitySource

R, W, RW = AccessMode.READ, AccessMode.WRITE, AccessMode.READ_WRITE
MODES = {"r": R, "w": W, "rw": RW}


def granting(*grants: "tuple[str, AccessMode]") -> CapabilitySet:
    caps = CapabilitySet()
    for path, mode in grants:
        (caps.allow_path if os.path.isdir(path) else caps.allow_file)(path, mode)
    return caps


def grants_of(caps: CapabilitySet) -> "list[tuple[str, str]]":
    """What was asked for and what it gives: ("d", "read+write")."""
    return [(capability.original, str(capability.access)) for capability in caps.fs_capabilities()]


def test_a_new_set_is_empty(caps: CapabilitySet) -> None:
    assert repr(caps) == str(caps) == "CapabilitySet(fs=0, network=allowed)"
    assert caps.fs_capabilities() == []
    assert caps.is_network_blocked is False
    assert caps.summary() == "(no capabilities granted)\nNetwork:\n  outbound: allowed"


def test_block_network(caps: CapabilitySet) -> None:
    assert caps.block_network() is None  # type: ignore[func-returns-value]
    caps.block_network()
    assert caps.is_network_blocked is True
    assert repr(caps) == "CapabilitySet(fs=0, network=blocked)"
    assert caps.summary() == "(no capabilities granted)\nNetwork:\n  outbound: blocked"


def test_grants_keep_their_order_and_are_kept_twice(tree: Path) -> None:
    caps = granting(("other", R), ("d", W), ("other", R), ("f.txt", RW))
    assert grants_of(caps) == [("other", "read"), ("d", "write"), ("other", "read"), ("f.txt", "read+write")]
    assert repr(caps) == "CapabilitySet(fs=4, network=allowed)"


def test_summary(tree: Path) -> None:
    caps = granting(("d", R), ("f.txt", W), ("ld", RW))
    caps.block_network()
    assert caps.summary() == (
        f"Filesystem:\n  {tree}/d [read] (dir)\n  {tree}/f.txt [write] (file)\n  {tree}/d [read+write] (dir)\n"
        "Network:\n  outbound: blocked"
    )


def test_summary_is_text(tree: Path) -> None:
    os.mkdir(b"caf\xe9")
    caps = granting((os.fsdecode(b"caf\xe9"), R))
    assert f"  {tree}/caf\ufffd [read] (dir)\n" in caps.summary()


def test_grant_texts(tree: Path) -> None:
    directory, file = granting(("d", R), ("f.txt", W)).fs_capabilities()
    assert repr(directory) == f"FsCapability(path='{tree}/d', access=read, is_file=false)"
    assert str(directory) == f"{tree}/d (read)"
    assert repr(file) == f"FsCapability(path='{tree}/f.txt', access=write, is_file=true)"
    assert str(file) == f"{tree}/f.txt (write)"


def test_grants_are_snapshots(tree: Path) -> None:
    caps = granting(("ld", R))
    (before,) = caps.fs_capabilities()
    caps.allow_path("d", W)
    caps.deduplicate()
    assert before.access == R
    assert caps.fs_capabilities()[0].access == RW
    assert caps.fs_capabilities() is not caps.fs_capabilities()


def test_source(tree: Path) -> None:
    (capability,) = granting(("d", R)).fs_capabilities()
    assert str(capability.source) == "user"
    assert capability.source is not capability.source


def test_sources() -> None:
    assert (str(CapabilitySource.user()), repr(CapabilitySource.user())) == ("user", "CapabilitySource(user)")
    assert (str(CapabilitySource.system()), repr(CapabilitySource.system())) == ("system", "CapabilitySource(system)")
    group = CapabilitySource.group("g")
    assert (str(group), repr(group)) == ("group:g", "CapabilitySource(group:g)")


def test_lists_do_not_show(caps: CapabilitySet) -> None:
    caps.allow_command("ls")
    caps.block_command("rm")
    caps.platform_rule("(allow mach-lookup)")
    assert repr(caps) == "CapabilitySet(fs=0, network=allowed)"
    assert caps.summary() == "(no capabilities granted)\nNetwork:\n  outbound: allowed"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("", "platform rule must be an S-expression starting with '(': "),
        ("allow", "platform rule must be an S-expression starting with '(': allow"),
        ("x\0y", "platform rule must be an S-expression starting with '(': x\0y"),
        ("(a", "platform rule has unbalanced parentheses: (a"),
        ("(a))", "platform rule has unbalanced parentheses: (a))"),
        ('(a "b', "platform rule has unterminated string"),
        ("(a #| b", "platform rule has unterminated block comment"),
        ('(allow file-read* (subpath "/"))', "platform rule must not grant root-level read access"),
        ('(allow file-write* (subpath "/"))', "platform rule must not grant root-level write access"),
    ],
)
def test_platform_rules_that_are_refused(caps: CapabilitySet, rule: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^Sandbox initialization failed: platform rule ") as caught:
        caps.platform_rule(rule)
    assert str(caught.value) == f"Sandbox initialization failed: {reason}"
    assert type(caught.value) is ValueError


@pytest.mark.parametrize("rule", ["(version 1)", " (deny default) ", '(allow file-read* (subpath "/tmp"))', "(x)(y)"])
def test_platform_rules_that_are_accepted(caps: CapabilitySet, rule: str) -> None:
    caps.platform_rule(rule)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("d r, d w", "d rw"),
        ("d w, d r", "d rw"),
        ("d r, d r", "d r"),
        ("d r, d rw", "d rw"),
        ("d rw, d w", "d rw"),
        ("d r, other r, d rw", "other r, d rw"),
        ("d r, other r, d w", "d rw, other r"),
        ("d r, ld r", "ld r"),
        ("ld r, d r", "ld r"),
        ("ld r, lld r", "ld r"),
        ("d r, ld r, lld r", "lld r"),
        ("ld r, lld rw", "lld rw"),
        ("ld r, d rw, lld w", "lld rw"),
        ("./d r, d/ r, d/../d r", "./d r"),
        ("d r, d/sub r", "d r, d/sub r"),
        ("f.txt r, f.txt w", "f.txt rw"),
        ("d r, f.txt r", "d r, f.txt r"),
    ],
)
def test_deduplicate(tree: Path, before: str, after: str) -> None:
    def entries(text: str) -> "list[tuple[str, AccessMode]]":
        return [(path, MODES[mode]) for path, mode in (entry.split() for entry in text.split(", "))]

    # The original of the reference's examples is the absolute, resolved path where it is the plain name here.
    def absolute(grants: "list[tuple[str, AccessMode]]") -> "list[tuple[str, AccessMode]]":
        plain = {"d", "other", "d/sub", "f.txt"}
        return [(str(tree / path) if path in plain else path, mode) for path, mode in grants]

    caps = granting(*absolute(entries(before)))
    expected = [(path, str(mode)) for path, mode in absolute(entries(after))]
    caps.deduplicate()
    assert grants_of(caps) == expected
    caps.deduplicate()
    assert grants_of(caps) == expected


def test_path_covered(tree: Path) -> None:
    caps = granting((str(tree / "d"), W), (str(tree / "f.txt"), RW))
    inside = ["d", "d/", "./d", "d/sub", "d/sub/..", "d/f.txt", "ld", "ld/sub", "d/new", "d/new/../sub", f"{tree}/d"]
    outside = ["", "..", "other", "dd", "d/..", "d/../other", "d/new/../../other", "ld/..", "f.txt", "loop", "/"]
    assert {path: caps.path_covered(path) for path in inside} == dict.fromkeys(inside, True)
    assert {path: caps.path_covered(path) for path in outside} == dict.fromkeys(outside, False)


def test_a_path_that_holds_nul_is_not_covered(tree: Path) -> None:
    assert granting(("d", R)).path_covered("other/a\0b") is False


def test_the_root_covers_everything() -> None:
    caps = granting(("/", R))
    for path in ("/", "/nowhere", "/usr/../etc", "."):
        assert caps.path_covered(path)
