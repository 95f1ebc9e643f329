# SPDX-License-Identifier: Apache-2.0
"""Calls that do not fit, and values of the wrong kind, for every function. The texts are those of nono_py 0.4.0."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nono_py
from nono_py import AccessMode, CapabilitySet, CapabilitySource, QueryContext, SandboxState

R = AccessMode.READ


def function(name: str) -> Callable[..., Any]:
    if name == "apply":
        return nono_py.apply
    cls, method = name.split(".")
    if cls == "CapabilitySource" or cls == "SandboxState":
        found = getattr(getattr(nono_py, cls), method)
    elif method == "__new__":
        found = getattr(nono_py, cls)
    elif cls == "QueryContext":
        found = getattr(QueryContext(CapabilitySet()), method)
    else:
        found = getattr(CapabilitySet(), method)
    assert callable(found)
    return found  # type: ignore[no-any-return]


PARAMETERS = {
    "CapabilitySet.__new__": [],
    "CapabilitySet.allow_path": ["path", "mode"],
    "CapabilitySet.allow_file": ["path", "mode"],
    "CapabilitySet.allow_command": ["cmd"],
    "CapabilitySet.block_command": ["cmd"],
    "CapabilitySet.platform_rule": ["rule"],
    "CapabilitySet.path_covered": ["path"],
    "CapabilitySource.group": ["name"],
    "QueryContext.__new__": ["caps"],
    "QueryContext.query_path": ["path", "mode"],
    "SandboxState.from_caps": ["caps"],
    "SandboxState.from_json": ["json"],
    "apply": ["caps"],
}
GOOD = {
    "path": "/",
    "mode": R,
    "cmd": "ls",
    "rule": "(version 1)",
    "name": "group",
    "json": '{"fs": [], "net_blocked": false}',
}
EXPECTED = {"mode": "AccessMode", "caps": "CapabilitySet"}

ALL = sorted(PARAMETERS)
WITH_PARAMETERS = [name for name in ALL if PARAMETERS[name]]
TEXT_PARAMETERS = [(name, p) for name in ALL for p in PARAMETERS[name] if p in ("cmd", "rule", "name", "json")]
PATH_FUNCTIONS = [name for name in ALL if "path" in PARAMETERS[name]]


def fails(_name: str, _text: str, *args: object, **keywords: object) -> None:
    with pytest.raises(TypeError) as caught:
        function(_name)(*args, **keywords)
    assert str(caught.value) == _text
    assert caught.value.args == (_text,)


@pytest.mark.parametrize("name", ALL)
def test_too_many(name: str) -> None:
    count = len(PARAMETERS[name])
    given = "1 was" if count == 0 else f"{count + 1} were"
    text = f"{name}() takes {count} positional arguments but {given} given"
    fails(name, text, *[object()] * (count + 1))
    fails(name, text, *[object()] * (count + 1), unknown=1)


@pytest.mark.parametrize("name", ALL)
def test_unknown_keyword(name: str) -> None:
    text = f"{name}() got an unexpected keyword argument 'z'"
    fails(name, text, z=1, y=2)
    fails(name, text, *[object()] * len(PARAMETERS[name]), z=1)


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_duplicate(name: str) -> None:
    first = PARAMETERS[name][0]
    fails(name, f"{name}() got multiple values for argument '{first}'", object(), **{first: 1})
    fails(name, f"{name}() got multiple values for argument '{first}'", object(), **{first: 1, "z": 1})
    fails(name, f"{name}() got an unexpected keyword argument 'z'", object(), **{"z": 1, first: 1})


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_missing(name: str) -> None:
    parameters = PARAMETERS[name]
    if len(parameters) == 1:
        fails(name, f"{name}() missing 1 required positional argument: '{parameters[0]}'")
        return
    fails(name, f"{name}() missing 2 required positional arguments: 'path' and 'mode'")
    fails(name, f"{name}() missing 1 required positional argument: 'mode'", "/")
    fails(name, f"{name}() missing 1 required positional argument: 'mode'", path="/")
    fails(name, f"{name}() missing 1 required positional argument: 'path'", mode=R)


@pytest.mark.parametrize("name", [name for name in WITH_PARAMETERS if "caps" not in PARAMETERS[name]])
def test_keywords(name: str) -> None:
    if name == "CapabilitySet.allow_file":
        GOOD["path"] = "/dev/null"
    arguments = {parameter: GOOD[parameter] for parameter in PARAMETERS[name]}
    function(name)(**arguments)
    function(name)(**dict(reversed(arguments.items())))
    GOOD["path"] = "/"


def test_the_caps_keyword() -> None:
    caps = CapabilitySet()
    assert QueryContext(caps=caps).query_network()["status"] == "allowed"
    assert SandboxState.from_caps(caps=caps).net_blocked is False


class Local:
    class Inner:
        pass


@pytest.mark.parametrize(
    ("value", "kind"),
    [(1, "int"), (None, "NoneType"), (1.5, "float"), ([], "list"), (Local.Inner(), "Local.Inner"), (int, "type")],
)
@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_wrong_type(name: str, value: object, kind: str) -> None:
    for parameter in PARAMETERS[name]:
        arguments = {p: value if p == parameter else GOOD.get(p) for p in PARAMETERS[name]}
        expected = EXPECTED.get(parameter, "PyString")
        fails(name, f"argument '{parameter}': '{kind}' object cannot be converted to '{expected}'", **arguments)


def test_the_first_wrong_argument_is_reported() -> None:
    fails("CapabilitySet.allow_path", "argument 'path': 'int' object cannot be converted to 'PyString'", 1, 1)
    fails("CapabilitySet.allow_path", "argument 'path': 'int' object cannot be converted to 'PyString'", mode=1, path=1)


@pytest.mark.parametrize("value", [0, 1, "read", "READ", True])
@pytest.mark.parametrize("name", [name for name in ALL if "mode" in PARAMETERS[name]])
def test_a_mode_has_no_other_spelling(name: str, value: object) -> None:
    kind = type(value).__name__
    fails(name, f"argument 'mode': '{kind}' object cannot be converted to 'AccessMode'", "/", value)


@pytest.mark.parametrize("value", [b"text", bytearray(b"text"), Path("text")])
@pytest.mark.parametrize(("name", "parameter"), TEXT_PARAMETERS)
def test_text_must_be_str(name: str, parameter: str, value: object) -> None:
    text = f"argument '{parameter}': '{type(value).__qualname__}' object cannot be converted to 'PyString'"
    fails(name, text, value)


@pytest.mark.parametrize("text", ["\ud800", "ab\udcff", "(version 1)\udfff"])
@pytest.mark.parametrize(("name", "parameter"), TEXT_PARAMETERS)
def test_text_with_a_surrogate(name: str, parameter: str, text: str) -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        function(name)(text)
    assert caught.value.encoding == "utf-8"
    assert caught.value.start == len(text) - 1
    assert caught.value.reason == "surrogates not allowed"


class Text(str):
    pass


@pytest.mark.parametrize("name", [name for name in WITH_PARAMETERS if "caps" not in PARAMETERS[name]])
def test_a_subclass_of_str_will_do(name: str) -> None:
    path = "/dev/null" if name == "CapabilitySet.allow_file" else "/"
    arguments = [Text({**GOOD, "path": path}[p]) if p != "mode" else R for p in PARAMETERS[name]]
    function(name)(*arguments)


@pytest.mark.parametrize("name", ["CapabilitySet.allow_command", "CapabilitySet.block_command"])
@pytest.mark.parametrize("text", ["", "a\0b", "é", "x" * 5000, "a b"])
def test_commands_may_be_any_text(name: str, text: str) -> None:
    assert function(name)(text) is None


@pytest.mark.parametrize("text", ["", "a\0b", "a\nb:c", "é", "x" * 5000])
def test_groups_may_have_any_name(text: str) -> None:
    source = CapabilitySource.group(text)
    assert str(source) == f"group:{text}"
    assert repr(source) == f"CapabilitySource(group:{text})"


@pytest.mark.parametrize(
    "name",
    ["CapabilitySet.summary", "CapabilitySet.deduplicate", "QueryContext.query_network", "CapabilitySource.user"],
)
def test_methods_without_parameters(name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{re.escape(name)}\(\) takes no arguments \(1 given\)$"):
        function(name)(1)
    with pytest.raises(TypeError, match=rf"^{re.escape(name)}\(\) takes no keyword arguments$"):
        function(name)(x=1)


def test_functions_without_parameters() -> None:
    with pytest.raises(TypeError, match=r"is_supported\(\) takes no arguments \(1 given\)"):
        nono_py.is_supported(1)  # type: ignore[call-arg]


def test_methods_need_their_object() -> None:
    with pytest.raises(TypeError, match=r"descriptor 'summary' for 'nono_py\.CapabilitySet' objects doesn't apply to"):
        CapabilitySet.summary(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"unbound method CapabilitySet\.summary\(\) needs an argument"):
        CapabilitySet.summary()  # type: ignore[call-arg]


class FsPath:
    def __init__(self, answer: object) -> None:
        self.answer = answer

    def __fspath__(self) -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("name", PATH_FUNCTIONS)
@pytest.mark.parametrize("kind", [str, os.fsencode, Path, FsPath, lambda path: FsPath(os.fsencode(path))])
def test_paths_may_be_bytes_or_path_like(name: str, kind: Callable[[str], Any]) -> None:
    path = "/dev/null" if name == "CapabilitySet.allow_file" else "/"
    function(name)(kind(path), *[R] * (len(PARAMETERS[name]) - 1))


@pytest.mark.parametrize("name", PATH_FUNCTIONS)
def test_paths_that_are_not(name: str) -> None:
    mode = [R] * (len(PARAMETERS[name]) - 1)
    fails(name, "argument 'path': 'bytearray' object cannot be converted to 'PyString'", bytearray(b"/"), *mode)
    with pytest.raises(TypeError, match=r"__fspath__\(\) to return str or bytes, not int"):
        function(name)(FsPath(1), *mode)
    with pytest.raises(ZeroDivisionError):
        function(name)(FsPath(ZeroDivisionError()), *mode)


@pytest.mark.parametrize("name", PATH_FUNCTIONS)
def test_a_path_that_cannot_be_encoded(name: str) -> None:
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        function(name)("/\ud800", *[R] * (len(PARAMETERS[name]) - 1))
