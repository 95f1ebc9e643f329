# SPDX-License-Identifier: Apache-2.0
import json
import os
from pathlib import Path
from typing import Any

import pytest
from test_capability_set import granting, grants_of

from nono_py import AccessMode, CapabilitySet, SandboxState

R, W, RW = AccessMode.READ, AccessMode.WRITE, AccessMode.READ_WRITE


def text_of(*entries: "dict[str, Any]", net_blocked: bool = False) -> str:
    return json.dumps({"fs": list(entries), "net_blocked": net_blocked})


def entry(original: str, resolved: str, access: str = "read", is_file: bool = False) -> "dict[str, Any]":
    return {"original": original, "resolved": resolved, "access": access, "is_file": is_file}


def test_of_an_empty_set(caps: CapabilitySet) -> None:
    state = SandboxState.from_caps(caps)
    assert repr(state) == "SandboxState(fs=0, net_blocked=false)"
    assert state.net_blocked is False
    assert state.to_json() == '{\n  "fs": [],\n  "net_blocked": false\n}'


def test_text(tree: Path) -> None:
    caps = granting(("ld", RW), ("f.txt", R))
    caps.block_network()
    state = SandboxState.from_caps(caps)
    assert repr(state) == "SandboxState(fs=2, net_blocked=true)"
    assert state.net_blocked is True
    assert state.to_json() == (
        "{\n"
        '  "fs": [\n'
        "    {\n"
        '      "original": "ld",\n'
        f'      "resolved": "{tree}/d",\n'
        '      "access": "read+write",\n'
        '      "is_file": false\n'
        "    },\n"
        "    {\n"
        '      "original": "f.txt",\n'
        f'      "resolved": "{tree}/f.txt",\n'
        '      "access": "read",\n'
        '      "is_file": true\n'
        "    }\n"
        "  ],\n"
        '  "net_blocked": true\n'
        "}"
    )


def test_a_state_is_a_snapshot(caps: CapabilitySet) -> None:
    state = SandboxState.from_caps(caps)
    caps.block_network()
    assert state.net_blocked is False


def test_there_and_back(tree: Path) -> None:
    caps = granting(("ld", RW), ("d", R), ("ld", RW), ("f.txt", W))
    caps.block_network()
    text = SandboxState.from_caps(caps).to_json()
    restored = SandboxState.from_json(text).to_caps()
    assert grants_of(restored) == grants_of(caps)
    assert restored.is_network_blocked
    assert restored.summary() == caps.summary()
    assert {str(capability.source) for capability in restored.fs_capabilities()} == {"user"}
    assert SandboxState.from_caps(restored).to_json() == text


def test_commands_and_rules_are_saved(caps: CapabilitySet) -> None:
    caps.allow_command("ls")
    caps.block_command("rm")
    caps.block_command("dd")
    caps.platform_rule("(version 1)")
    text = SandboxState.from_caps(caps).to_json()
    assert json.loads(text) == {
        "fs": [],
        "net_blocked": False,
        "allowed_commands": ["ls"],
        "blocked_commands": ["rm", "dd"],
        "platform_rules": ["(version 1)"],
    }
    assert SandboxState.from_caps(SandboxState.from_json(text).to_caps()).to_json() == text


def test_escapes(tree: Path) -> None:
    name = 'q"b\\n\n\t\x01\x7fé\u2028'
    os.mkdir(name)
    text = SandboxState.from_caps(granting((name, R))).to_json()
    assert '"original": "q\\"b\\\\n\\n\\t\\u0001\x7fé\u2028"' in text
    assert json.loads(text)["fs"][0]["resolved"] == f"{tree}/{name}"


def test_a_path_that_is_no_text(tree: Path) -> None:
    os.mkdir(b"caf\xe9")
    state = SandboxState.from_caps(granting((os.fsdecode(b"caf\xe9"), R)))
    with pytest.raises(ValueError, match="UTF-8") as caught:
        state.to_json()
    assert str(caught.value) == (
        "Configuration parse error: Failed to serialize sandbox state: path contains invalid UTF-8 characters"
    )
    assert grants_of(state.to_caps()) == [(os.fsdecode(b"caf\xe9"), "read")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{}", "missing field `fs` at line 1 column 2"),
        ('{"fs":[]}', "missing field `net_blocked` at line 1 column 9"),
        ('{"fs":{},"net_blocked":false}', "invalid type: map, expected a sequence at line 1 column 6"),
        ("null", "invalid type: null, expected struct SandboxState at line 1 column 4"),
        ("a\0b", "expected value at line 1 column 1"),
        ('{"fs":[],"net_blocked":false} x', "trailing characters at line 1 column 31"),
        ('{\n"fs":[],}', "trailing comma at line 2 column 9"),
    ],
)
def test_text_that_is_none(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^Invalid JSON: ") as caught:
        SandboxState.from_json(text)
    assert type(caught.value) is ValueError
    assert str(caught.value) == f"Invalid JSON: {reason}"


def test_other_spellings() -> None:
    state = SandboxState.from_json('[[["/","/","read",false]],true]')
    assert repr(state) == "SandboxState(fs=1, net_blocked=true)"
    assert grants_of(state.to_caps()) == [("/", "read")]
    assert SandboxState.from_json('{"extra": {"a": [1]}, "fs": [], "net_blocked": true}').net_blocked


def test_values_are_kept_as_they_are() -> None:
    text = '{\n  "fs": [\n    {\n      "original": "",\n      "resolved": "x",\n      "access": "any",\n' + (
        '      "is_file": true\n    }\n  ],\n  "net_blocked": false\n}'
    )
    assert SandboxState.from_json(text).to_json() == text


@pytest.mark.parametrize("access", ["", "READ", "readwrite", "read+write ", "r"])
def test_unknown_access(access: str) -> None:
    state = SandboxState.from_json(text_of(entry("/nowhere", "/nowhere", access)))
    with pytest.raises(ValueError, match=r"^Configuration parse error: ") as caught:
        state.to_caps()
    assert str(caught.value) == f"Configuration parse error: invalid access mode in sandbox state: {access}"


def test_paths_that_are_gone(tree: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        SandboxState.from_json(text_of(entry("gone", f"{tree}/gone"))).to_caps()
    assert str(missing.value) == "Path does not exist: gone"
    with pytest.raises(NotADirectoryError, match=r"Failed to canonicalize path f\.txt/x: Not a directory"):
        SandboxState.from_json(text_of(entry("f.txt/x", f"{tree}/f.txt/x"))).to_caps()
    with pytest.raises(OSError, match="Failed to canonicalize path a\0b: file name contained an unexpected NUL"):
        SandboxState.from_json(text_of(entry("a\0b", "a\0b"))).to_caps()


def test_paths_of_another_kind(tree: Path) -> None:
    with pytest.raises(ValueError, match=r"^Expected a directory but got a file: f\.txt$"):
        SandboxState.from_json(text_of(entry("f.txt", f"{tree}/f.txt"))).to_caps()
    with pytest.raises(ValueError, match=r"^Expected a file but got a directory: d$"):
        SandboxState.from_json(text_of(entry("d", f"{tree}/d", is_file=True))).to_caps()


def test_a_path_that_leads_elsewhere_now_is_refused(tree: Path) -> None:
    state = SandboxState.from_caps(granting(("ld", R)))
    (tree / "ld").unlink()
    (tree / "ld").symlink_to("other")
    with pytest.raises(ValueError, match="ld"):
        state.to_caps()
    with pytest.raises(ValueError, match="other"):
        SandboxState.from_json(text_of(entry(f"{tree}/other", f"{tree}/d"))).to_caps()
