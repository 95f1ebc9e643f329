# SPDX-License-Identifier: Apache-2.0
"""The surface of the package: names, classes, signatures, as in nono_py 0.4.0."""

import copy
import gc
import inspect
import pickle
import subprocess
import sys
import weakref
from importlib import metadata
from typing import Any

import pytest

import nono_py
from nono_py import AccessMode, CapabilitySet, CapabilitySource, QueryContext, SandboxState, support_info

CLASSES = [
    "AccessMode",
    "CapabilitySet",
    "CapabilitySource",
    "FsCapability",
    "QueryContext",
    "SandboxState",
    "SupportInfo",
]
FUNCTIONS = ["apply", "is_supported", "support_info"]

# Not in __all__: `import *` brings what the original's does.
ADDED_FUNCTIONS = ["unenforced", "sandbox_status", "program_requirements", "explain_exec_failure"]

OPTIONS = (
    "*, allow_keyrings=False, allow_sysv_ipc=False, allow_terminal_input=False, allow_bpf=False, "
    "allow_perf_events=False, allow_userfaultfd=False, allow_kernel_administration=False, allow_mounts=False, "
    "allow_file_handles=False, allow_clock_and_hostname=False, allow_other_processes=False, "
    "allow_capabilities=False, allow_signals=False, allow_abstract_unix_sockets=False"
)

MEMBERS = {
    "AccessMode": {"READ", "WRITE", "READ_WRITE"},
    "CapabilitySet": {
        "allow_path",
        "allow_file",
        "block_network",
        "allow_command",
        "block_command",
        "platform_rule",
        "deduplicate",
        "path_covered",
        "fs_capabilities",
        "is_network_blocked",
        "summary",
        # Not in the original:
        "block_unix_sockets",
        "seatbelt_profile",
        "unix_sockets_blocked",
        "allow_program",
    },
    "CapabilitySource": {"user", "group", "system"},
    "FsCapability": {"original", "resolved", "access", "is_file", "source"},
    "QueryContext": {"query_path", "query_network"},
    "SandboxState": {"from_caps", "from_json", "to_json", "to_caps", "net_blocked"},
    "SupportInfo": {"is_supported", "platform", "details", "kernel_abi", "used_abi", "unenforced"},
}

SIGNATURES = {
    "CapabilitySet": "()",
    "QueryContext": "(caps)",
    "apply": f"(caps, {OPTIONS})",
    "is_supported": "()",
    "support_info": "()",
    "unenforced": f"(caps, {OPTIONS})",
    "sandbox_status": "()",
    "program_requirements": "(program, *, search_path=None)",
    "explain_exec_failure": "(caps, program, errno, *, search_path=None)",
    "CapabilitySet.allow_program": "(self, /, program, *, search_path=None)",
    "CapabilitySet.block_unix_sockets": "(self, /)",
    "CapabilitySet.allow_path": "(self, /, path, mode)",
    "CapabilitySet.allow_file": "(self, /, path, mode)",
    "CapabilitySet.block_network": "(self, /)",
    "CapabilitySet.allow_command": "(self, /, cmd)",
    "CapabilitySet.block_command": "(self, /, cmd)",
    "CapabilitySet.platform_rule": "(self, /, rule)",
    "CapabilitySet.deduplicate": "(self, /)",
    "CapabilitySet.path_covered": "(self, /, path)",
    "CapabilitySet.fs_capabilities": "(self, /)",
    "CapabilitySet.summary": "(self, /)",
    "CapabilitySet.seatbelt_profile": "(self, /)",
    "CapabilitySource.user": "()",
    "CapabilitySource.group": "(name)",
    "CapabilitySource.system": "()",
    "QueryContext.query_path": "(self, /, path, mode)",
    "QueryContext.query_network": "(self, /)",
    "SandboxState.from_caps": "(caps)",
    "SandboxState.from_json": "(json)",
    "SandboxState.to_json": "(self, /)",
    "SandboxState.to_caps": "(self, /)",
}


def instance(name: str) -> Any:
    caps = CapabilitySet()
    caps.allow_path("/", AccessMode.READ)
    return {
        "AccessMode": AccessMode.READ,
        "CapabilitySet": caps,
        "CapabilitySource": CapabilitySource.user(),
        "FsCapability": caps.fs_capabilities()[0],
        "QueryContext": QueryContext(caps),
        "SandboxState": SandboxState.from_caps(caps),
        "SupportInfo": support_info(),
    }[name]


def lookup(dotted: str) -> Any:
    found: Any = nono_py
    for name in dotted.split("."):
        found = getattr(found, name)
    return found


def test_names() -> None:
    assert nono_py.__all__ == [*CLASSES, *FUNCTIONS]
    assert set(nono_py._nono_py.__all__) == set(nono_py.__all__)
    assert nono_py._nono_py.__name__ == "nono_py._nono_py"


def test_version_is_that_of_the_distribution() -> None:
    assert nono_py.__version__ == "0.4.0" == metadata.version("nono-py")


def test_import_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import nono_py; print(sorted(set(sys.modules) - before))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "['nono_py', 'nono_py._nono_py']"


@pytest.mark.parametrize("name", CLASSES)
def test_class(name: str) -> None:
    cls = getattr(nono_py, name)
    assert type(cls) is type
    assert cls.__bases__ == (object,)
    assert cls.__module__ == "nono_py"
    assert cls.__name__ == cls.__qualname__ == name
    assert repr(cls) == f"<class 'nono_py.{name}'>"
    assert cls.__doc__
    assert {member for member in vars(cls) if not member.startswith("_")} == MEMBERS[name]


@pytest.mark.parametrize("name", CLASSES)
def test_class_cannot_be_subclassed(name: str) -> None:
    with pytest.raises(TypeError, match=rf"type 'nono_py\.{name}' is not an acceptable base type"):
        type("Sub", (getattr(nono_py, name),), {})


@pytest.mark.parametrize("name", CLASSES)
def test_class_attributes_can_be_changed(name: str) -> None:
    cls = getattr(nono_py, name)
    cls.extra = 1
    assert cls.extra == 1
    del cls.extra


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"CapabilitySet", "QueryContext"}))
@pytest.mark.parametrize("arguments", [(), (0,), (1, 2, 3)])
def test_class_without_constructor(name: str, arguments: tuple[int, ...]) -> None:
    cls = getattr(nono_py, name)
    with pytest.raises(TypeError) as caught:
        cls(*arguments)
    assert str(caught.value) == f"No constructor defined for {name}"
    assert cls.__text_signature__ is None
    with pytest.raises(ValueError, match="no signature found"):
        inspect.signature(cls)


@pytest.mark.parametrize("name", CLASSES)
def test_instance(name: str) -> None:
    value = instance(name)
    assert bool(value)
    assert not hasattr(value, "__dict__")
    assert value.__sizeof__() >= object().__sizeof__()
    with pytest.raises(TypeError, match=f"cannot create weak reference to 'nono_py.{name}' object"):
        weakref.ref(value)
    with pytest.raises(AttributeError, match=f"'nono_py.{name}' object has no attribute 'extra'"):
        value.extra = 1
    with pytest.raises(TypeError, match="has no len"):
        len(value)
    with pytest.raises(TypeError, match="is not iterable"):
        iter(value)


@pytest.mark.parametrize("name", CLASSES)
def test_instance_cannot_be_copied_or_pickled(name: str) -> None:
    value = instance(name)
    with pytest.raises(TypeError, match=f"cannot pickle 'nono_py.{name}' object"):
        copy.copy(value)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(value, protocol)


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"AccessMode"}))
def test_instances_compare_by_identity(name: str) -> None:
    one, other = instance(name), instance(name)
    assert one == one
    assert one != other
    assert len({one, other}) == 2
    with pytest.raises(TypeError, match="not supported between instances"):
        one < other  # noqa: B015


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"AccessMode"}))
def test_instances_are_no_work_for_the_collector(name: str) -> None:
    assert not gc.is_tracked(instance(name))


@pytest.mark.parametrize(
    ("name", "getter"),
    [
        ("CapabilitySet", "is_network_blocked"),
        ("FsCapability", "original"),
        ("SandboxState", "net_blocked"),
        ("SupportInfo", "details"),
    ],
)
def test_getters_are_read_only(name: str, getter: str) -> None:
    value = instance(name)
    text = f"attribute '{getter}' of 'nono_py.{name}' objects is not writable"
    with pytest.raises(AttributeError, match=text):
        setattr(value, getter, 1)
    with pytest.raises(AttributeError, match=text):
        delattr(value, getter)


@pytest.mark.parametrize("dotted", sorted(SIGNATURES))
def test_signature(dotted: str) -> None:
    assert str(inspect.signature(lookup(dotted))) == SIGNATURES[dotted]


@pytest.mark.parametrize("dotted", [f"{name}.{member}" for name in MEMBERS for member in MEMBERS[name]] + FUNCTIONS)
def test_everything_has_a_docstring(dotted: str) -> None:
    assert lookup(dotted).__doc__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str) -> None:
    function = getattr(nono_py, name)
    assert inspect.isbuiltin(function)
    assert function.__module__ == "nono_py._nono_py"
    assert function.__qualname__ == name
    assert function.__self__ is nono_py._nono_py


@pytest.mark.parametrize(
    "dotted", ["CapabilitySource.user", "CapabilitySource.group", "SandboxState.from_caps", "SandboxState.from_json"]
)
def test_static_methods(dotted: str) -> None:
    cls, name = dotted.split(".")
    assert isinstance(vars(getattr(nono_py, cls))[name], staticmethod)
    assert lookup(dotted).__qualname__ == dotted


def test_static_methods_work_on_instances() -> None:
    assert str(CapabilitySource.user().system()) == "system"


def test_initialising_twice_does_nothing() -> None:
    caps = CapabilitySet()
    caps.allow_path("/", AccessMode.READ)
    caps.__init__()
    assert len(caps.fs_capabilities()) == 1


def test_objects_cannot_be_made_behind_the_constructor() -> None:
    for name in CLASSES:
        with pytest.raises(TypeError, match="is not safe"):
            object.__new__(getattr(nono_py, name))
