# SPDX-License-Identifier: Apache-2.0
"""Every exception that nono_py documents, and what a program does about each.

One rule covers them all: a call that raises has changed nothing. A set keeps the grants it had, and a process whose
apply() raised is not sandboxed; do not go on as if it were.
"""

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Callable

from nono_py import AccessMode, CapabilitySet, SandboxState, apply

READ = AccessMode.READ


def advice(action: Callable[[], object]) -> str:
    """Does something that fails, and tells what to do about it."""
    try:
        action()
    except FileNotFoundError as error:
        return f"{error}\n    -> FileNotFoundError: create it first, or leave the grant out"
    except OSError as error:
        return f"{error}\n    -> OSError, errno {error.errno}: the path cannot be resolved; correct it"
    except ValueError as error:
        return f"{error}\n    -> ValueError: the input is wrong; reject it"
    except TypeError as error:
        return f"{error}\n    -> TypeError: the calling code is wrong; mypy finds it"
    except RuntimeError as error:
        return f"{error}\n    -> RuntimeError: there is no sandbox; run nothing untrusted"
    raise AssertionError("nothing failed")


def removed_since() -> CapabilitySet:
    """A set with a folder that is gone by the time the set is applied."""
    Path("gone").mkdir()
    caps = CapabilitySet()
    caps.allow_path("gone", READ)
    Path("gone").rmdir()
    return caps


def saved(access: str) -> SandboxState:
    entry = f'{{"original": "folder", "resolved": "folder", "access": "{access}", "is_file": false}}'
    return SandboxState.from_json(f'{{"fs": [{entry}], "net_blocked": true}}')


def main() -> None:
    caps = CapabilitySet()
    no_mode: Any = "read"  # Any, because the type checker would not let this mistake pass
    failures: list[tuple[str, Callable[[], object]]] = [
        ("A path that does not exist", partial(caps.allow_path, "missing", READ)),
        ("A path that runs through a file", partial(caps.allow_path, "file.txt/sub", READ)),
        ("A file granted as a folder", partial(caps.allow_path, "file.txt", READ)),
        ("A folder granted as a file", partial(caps.allow_file, "folder", READ)),
        ("A mode that is none", partial(caps.allow_path, "folder", no_mode)),
        ("A macOS rule that opens all", partial(caps.platform_rule, '(allow file-read* (subpath "/"))')),
        ("A saved state that is not JSON", partial(SandboxState.from_json, "{not json}")),
        ("A saved state with a wrong mode", saved("everything").to_caps),
        ("A folder removed before apply()", partial(apply, removed_since())),
    ]
    for title, failure in failures:
        print(f"{title}\n    {advice(failure)}")
    print(f"Nothing was changed: {caps!r}")


if __name__ == "__main__":
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        Path("file.txt").touch()
        Path("folder").mkdir()
        main()
        os.chdir(home)
