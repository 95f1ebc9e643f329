# SPDX-License-Identifier: Apache-2.0
"""What may differ: every entry of docs/differences.md, as a test on a step and as a program that shows it.

A test must be true of what its entry describes and of nothing else. What an entry describes beyond single calls, such
as the effects of apply(), is held by a script instead, see scripts.py: its output under both is written down.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tree
from programs import READ, READ_WRITE, WRITE, Case, Code, Program, Step
from rule_differences import RULE_DIFFERENCES, RuleDifference

EXTRA_FIELDS = ("unix_sockets_blocked", "allowed_commands", "blocked_commands", "platform_rules")


@dataclass(frozen=True)
class Difference:
    """An entry of docs/differences.md."""

    id: str
    explains: Callable[[Case], bool]
    witness: Program


def is_class_module(case: Case) -> bool:
    """Everything is the same but the module, in what a step returns or in CPython's own messages."""

    def moved(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("builtins.", "nono_py.")
        return [moved(item) for item in value] if isinstance(value, list) else value

    if case.original.raised != case.ours.raised or case.original.errno != case.ours.errno:
        return False
    if case.step.code.endswith(".__module__"):
        return (case.original.value, case.ours.value) == ("builtins", "nono_py")
    return (case.ours.text, case.ours.value) == (moved(case.original.text), moved(case.original.value))


def is_version(case: Case) -> bool:
    return case.step.code == "nono_py.__version__" and (case.original.value, case.ours.value) == ("0.1.0", "0.4.0")


def is_apply_keywords(case: Case) -> bool:
    """The signature has keyword-only parameters more, each with a default."""
    if case.step.code != "inspect.signature(apply)" or not isinstance(case.ours.value, list):
        return False
    return (
        str(case.original.value[-1]) == "(caps)"
        and re.fullmatch(r"\(caps, \*(, allow_[a-z_]+=False)+\)", str(case.ours.value[-1])) is not None
    )


ADDED_MEMBERS = {
    "CapabilitySet": {"allow_program", "block_unix_sockets", "seatbelt_profile", "unix_sockets_blocked"},
    "SupportInfo": {"kernel_abi", "used_abi", "unenforced"},
}


def is_added_members(case: Case) -> bool:
    """A class has these members more."""
    listed = re.fullmatch(r"\[name for name in dir\((\w+)\) if name\[0\] != '_'\]", case.step.code)
    if listed is None or not isinstance(case.ours.value, list) or not isinstance(case.original.value, list):
        return False
    return set(case.ours.value) - set(case.original.value) == ADDED_MEMBERS.get(listed[1], set()) and set(
        case.original.value
    ) < set(case.ours.value)


def is_mode_identity(case: Case) -> bool:
    found, ours = case.original.value, case.ours.value
    is_comparison = ".access is AccessMode." in case.step.code and isinstance(found, list) and isinstance(ours, list)
    return is_comparison and len(found) == len(ours) and not any(found[1:])


def is_path_type(case: Case) -> bool:
    """bytes and os.PathLike, which the original refuses before it looks at anything else."""
    refused = r"argument 'path': '(bytes|PosixPath)' object cannot be converted to 'PyString'"
    return case.original.is_error("TypeError") and re.fullmatch(refused, case.original.text) is not None


def is_path_not_text(case: Case) -> bool:
    """A path with escapes of bytes in it (U+DC80 and above), and no other surrogates."""
    if not case.original.is_error("UnicodeEncodeError") or not isinstance(case.step.path, str):
        return False
    surrogates = re.findall("[\ud800-\udfff]", case.step.path)
    return bool(surrogates) and all("\udc80" <= surrogate <= "\udcff" for surrogate in surrogates)


def is_lossless_getter(case: Case) -> bool:
    def lossy(value: Any) -> Any:
        if isinstance(value, str):
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return [lossy(item) for item in value] if isinstance(value, list) else value

    return case.ours.value is not None and not case.ours.raised and lossy(case.ours.value) == case.original.value


def is_os_error_detail(case: Case) -> bool:
    """The same message, with an errno, and of the class that goes with it."""
    found, ours = case.original, case.ours
    if not found.is_error("OSError") or found.errno is not None or ours.errno is None or found.text != ours.text:
        return False
    expected = type(OSError(ours.errno, "")).__name__
    return ours.raised[0] == expected and set(found.raised) <= set(ours.raised)


def answer(value: Any) -> dict[str, str]:
    """A query's answer; empty for anything else."""
    return dict(value[1:]) if isinstance(value, list) and value[:1] == ["dict"] else {}


def is_united_grants(case: Case) -> bool:
    """Denied by the first grant, allowed by another, or by both together."""
    found, ours = answer(case.original.value), answer(case.ours.value)
    denied = found.get("reason") == "insufficient_access"
    return denied and case.exists and ours.get("status") == "allowed" and ours.get("access") != found.get("granted")


def is_missing_path(case: Case) -> bool:
    """Any two answers about a path that does not exist."""
    return bool(answer(case.original.value)) and bool(answer(case.ours.value)) and not case.exists


def is_resolved_coverage(case: Case) -> bool:
    """Another answer about a path that leads to another place than its text says."""
    if case.step.method != "path_covered" or not isinstance(case.original.value, bool):
        return False
    text = case.step.path
    parts = [part for part in text.split("/") if part not in ("", ".")]
    canonical = text.startswith("/") and "/" + "/".join(parts) == case.located
    return case.ours.value is not case.original.value and not canonical


def is_moved_path(case: Case) -> bool:
    message = r"Configuration parse error: .* led to .* when the sandbox state was saved, and now leads to .*"
    refused = case.ours.is_error("ValueError") and re.fullmatch(message, case.ours.text, re.DOTALL) is not None
    return case.step.method == "to_caps" and refused


def is_saved_extra(case: Case) -> bool:
    """More in what is written; what is read of it is checked."""
    if case.step.method == "to_caps":
        return not case.original.raised and case.ours.text.startswith("Sandbox initialization failed: platform rule")
    if case.step.method == "from_json":
        text = case.step.argument("json", 0)
        return isinstance(text, str) and any(f'"{field}"' in text for field in EXTRA_FIELDS)
    if not isinstance(case.ours.value, str) or not isinstance(case.original.value, str):
        return False
    beginning = case.original.value[: -len("\n}")]
    if not case.original.value.startswith("{") or not case.ours.value.startswith(beginning + ","):
        return False
    saved = json.loads(case.ours.value)
    extra = {field: saved[field] for field in EXTRA_FIELDS if field in saved}
    return len(saved) == 2 + len(extra) and all(extra.values())


def grant(path: Any, mode: Code = READ) -> Step:
    return Step("caps.allow_path", (path, mode))


def query(path: str, mode: Code = READ) -> tuple[Step, Step]:
    return Step("QueryContext", (Code("caps"),), name="context"), Step("context.query_path", (path, mode))


SAVE = Step("SandboxState.from_caps", (Code("caps"),), name="state")
RESTORE = Step("state.to_caps", (), name="more")
BAD_RULE = json.dumps({"fs": [], "net_blocked": True, "platform_rules": ["(import)"]})

CALL_DIFFERENCES = (
    Difference("class-module", is_class_module, (Step("CapabilitySet.__module__"),)),
    Difference("version", is_version, (Step("nono_py.__version__"),)),
    Difference("added-members", is_added_members, (Step("[name for name in dir(CapabilitySet) if name[0] != '_']"),)),
    Difference("apply-keywords", is_apply_keywords, (Step("inspect.signature(apply)"),)),
    Difference(
        "mode-identity",
        is_mode_identity,
        (grant("d"), Step("[item.access is AccessMode.READ for item in caps.fs_capabilities()]")),
    ),
    Difference("path-types", is_path_type, (grant(b"d"),)),
    Difference("path-not-text", is_path_not_text, (grant(tree.NOT_TEXT),)),
    Difference("lossless-getters", is_lossless_getter, (grant("lbytes"), Step("caps.fs_capabilities()[0].resolved"))),
    Difference("os-error-details", is_os_error_detail, (grant("f.txt/"),)),
    Difference("united-grants", is_united_grants, (grant("d"), grant("d", WRITE), *query("d/f.txt", READ_WRITE))),
    Difference("missing-paths", is_missing_path, (grant("d"), *query("d/nope/../../../../etc/passwd"))),
    Difference(
        "resolved-coverage",
        is_resolved_coverage,
        (grant("d"), Step("caps.path_covered", ("d/../other",)), Step("caps.path_covered", ("d",))),
    ),
    Difference("moved-paths", is_moved_path, (grant("ld"), SAVE, Step("relink", ("ld", "other")), RESTORE)),
    Difference("saved-extras", is_saved_extra, (Step("caps.allow_command", ("ls",)), SAVE, Step("state.to_json", ()))),
    Difference("saved-extras", is_saved_extra, (Step("SandboxState.from_json", (BAD_RULE,), name="state"), RESTORE)),
)


def rule_difference(entry: RuleDifference) -> Difference:
    witness = tuple(Step("CapabilitySet().platform_rule", (rule,)) for rule in entry.rules)
    return Difference(entry.id, lambda case: case.step.method == "platform_rule" and entry.explains(case), witness)


DIFFERENCES = (*CALL_DIFFERENCES, *map(rule_difference, RULE_DIFFERENCES))


def explanations(case: Case) -> set[str]:
    """The entries that a differing step belongs to. None: it should not differ."""
    return {difference.id for difference in DIFFERENCES if difference.explains(case)}
