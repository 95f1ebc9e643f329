# SPDX-License-Identifier: Apache-2.0
"""Every Python and C block of the documentation runs, as it stands, and prints what its comments say.

A block is a whole program, run in a child and in an empty folder; it may apply a sandbox. A comment `prints: TEXT` at
the end of a line promises a line of output, in this order, and a block with such comments prints nothing else.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import nono_py

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = Path(nono_py.__file__).with_name("libnono.so")
FENCE = re.compile(r"^```(python|c)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMISE = re.compile(r"(?:#|//|/\*) prints: (.*?)(?: \*/)?$", re.MULTILINE)


class Block(NamedTuple):
    page: str
    line: int
    language: str
    text: str


def blocks() -> list[Block]:
    found = []
    for page in ("README.md", "docs/commands.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            found.append(Block(page, text.count("\n", 0, match.start()) + 2, match[1], match[2]))
    return found


def command(block: Block, folder: Path) -> list[str]:
    """Writes the block to a file of its own, compiles it if need be, and returns how to run it."""
    source = folder / f"block.{'py' if block.language == 'python' else 'c'}"
    source.write_text(block.text, encoding="utf-8")
    if block.language == "python":
        return [sys.executable, str(source)]
    program = folder / "block"
    compiler = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}"]
    linker = [f"-L{LIBRARY.parent}", "-lnono", f"-Wl,-rpath,{LIBRARY.parent}"]
    subprocess.run([*compiler, str(source), "-o", str(program), *linker], check=True)
    return [str(program)]


def test_the_readme_has_both_languages() -> None:
    assert {block.language for block in blocks()} == {"python", "c"}


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("block", blocks(), ids=lambda block: f"{block.page}:{block.line}")
def test_block(block: Block, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        command(block, tmp_path), cwd=empty, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    promised = PROMISE.findall(block.text)
    assert not promised or done.stdout.splitlines() == promised
