# SPDX-License-Identifier: Apache-2.0
"""The two implementations, each in interpreters of its own."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import tree
from programs import PRELUDE, Case, Outcome, Program

ORIGINAL = "nono-py==0.4.0"
HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build" / "compare"


class ProcessDied(Exception):
    pass


def install_original() -> Path:
    """The interpreter of an environment with the original in it, which is made once."""
    environment = BUILD / "original"
    python = environment / "bin" / "python"
    installed = environment / f"{ORIGINAL}-{sys.implementation.cache_tag}"
    if not installed.exists():
        venv.create(environment, clear=True, with_pip=True)
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:")
        subprocess.run((*pip, ORIGINAL), check=True)
        installed.touch()
    return python


class Implementation:
    """Runs programs in one process that lives on, and scripts in processes of their own."""

    def __init__(self, name: str, python: Path, root: Path) -> None:
        self.name = name
        self.python = python
        self.root = root
        self.process: Optional[subprocess.Popen[str]] = None
        self.environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}

    def run_program(self, program: Program) -> Sequence[dict[str, Any]]:
        """How each step ends. The tree must be as new, and is not afterwards."""
        if self.process is None:
            self.process = subprocess.Popen(
                (self.python, HERE / "worker.py"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=self.environment,
            )
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        request = {"root": str(self.root), "steps": [step.request() for step in program]}
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        reply = process.stdout.readline()
        if not reply:
            self.process = None
            raise ProcessDied(f"the process under {self.name} ended with status {process.wait()}")
        outcomes: Sequence[dict[str, Any]] = json.loads(reply)
        return outcomes

    def run_script(self, code: str) -> str:
        """What a process of its own prints that runs the code, in a new tree."""
        tree.build(self.root)
        child = subprocess.run(
            (self.python, "-c", code),
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            errors="surrogateescape",
        )
        return child.stdout.strip() + (f"\nstatus {child.returncode}" if child.returncode != 0 else "")

    def close(self) -> None:
        if self.process is not None:
            self.process.communicate()


class Pair:
    """The original and ours, on the same tree."""

    def __init__(self) -> None:
        self.root = BUILD / "tree"
        self.original = Implementation("the original", install_original(), self.root)
        self.ours = Implementation("ours", Path(sys.executable), self.root)
        self.tree_is_new = False

    def run(self, program: Program) -> list[Case]:
        """The steps that end differently."""
        replies = []
        for implementation in (self.original, self.ours):
            if not self.tree_is_new:
                tree.build(self.root)
            self.tree_is_new = not any(step.function in tree.CHANGES for step in program)
            replies.append(implementation.run_program((*PRELUDE, *program)))
        return differing_cases((*PRELUDE, *program), *replies)

    def close(self) -> None:
        self.original.close()
        self.ours.close()


def differing_cases(program: Program, original: Sequence[dict[str, Any]], ours: Sequence[dict[str, Any]]) -> list[Case]:
    """Where only one of both succeeds, the object concerned is another one from then on and is not compared further."""
    cases: list[Case] = []
    diverged: set[str] = set()
    for position, (step, original_reply, our_reply) in enumerate(zip(program, original, ours)):
        assigned = set() if step.name is None else {step.name}
        if step.uses & diverged:
            diverged |= assigned
            continue
        case = Case(
            position,
            step,
            Outcome.from_reply(original_reply),
            Outcome.from_reply(our_reply),
            original_reply.get("exists", False),
            original_reply.get("located"),
        )
        if bool(case.original.raised) != bool(case.ours.raised):
            diverged |= assigned or step.uses
        elif not case.ours.raised:
            diverged -= assigned
        if case.original != case.ours:
            cases.append(case)
    return cases
