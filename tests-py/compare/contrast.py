# SPDX-License-Identifier: Apache-2.0
"""What every script begins with, and the kinds of scripts."""

import os
from dataclasses import dataclass

PRELUDE = """
import errno, os, resource, socket, stat, subprocess, sys, threading, time
from nono_py import *
R, W, RW = AccessMode.READ, AccessMode.WRITE, AccessMode.READ_WRITE
caps = CapabilitySet()

def attempt(action, *arguments):
    try:
        result = action(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except RuntimeError as error:
        return "RuntimeError: " + str(error).replace(os.path.dirname(os.getcwd()), "")
    return "ok" if result is None else result

def read(path):
    with open(path, "rb") as file: file.read()
def write(path):
    with open(path, "r+b" if os.path.exists(path) else "xb") as file: file.write(b"x")
def append(path):
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
def both(path):
    os.close(os.open(path, os.O_RDWR))
def listing(path):
    os.listdir(path)
def execute(path):
    subprocess.run([path], check=True)
def connect(family, address):
    with socket.socket(family) as client: client.connect(address)
def bind(family, address):
    with socket.socket(family) as server: server.bind(address)
def show(*results):
    print(*results)
def survey(*paths):
    for path in paths:
        actions = (read, append, both, listing, os.truncate, os.mkdir, os.rmdir, os.unlink)
        calls = ((path, 1) if action is os.truncate else (path,) for action in actions)
        print(path, *(attempt(action, *arguments) for action, arguments in zip(actions, calls)))
"""


@dataclass(frozen=True)
class Script:
    name: str
    code: str

    @property
    def text(self) -> str:
        return PRELUDE + self.code


@dataclass(frozen=True)
class Contrast:
    """A script that shows an entry of docs/differences.md, with what it prints under each."""

    id: str
    code: str
    original: str
    ours: str
    machine: str = ""  # on others there is nothing to show
    as_root: bool = False

    @property
    def text(self) -> str:
        return PRELUDE + self.code

    @property
    def can_show(self) -> bool:
        return self.machine in ("", os.uname().machine) and not (self.as_root and os.getuid() != 0)
