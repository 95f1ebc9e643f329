# SPDX-License-Identifier: Apache-2.0
"""Who is measured: ours, the originals in environments of their own, and the floors in C."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import rows
import tree

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "bench"
PYTHONS = {rows.OURS: Path(sys.executable), **{name: BUILD / f"nono-py-{name}/bin/python" for name in rows.ORIGINALS}}


def install_originals() -> None:
    """Once for each version of Python. Wheels only: nothing of them is built here."""
    for name in rows.ORIGINALS:
        environment = BUILD / f"nono-py-{name}"
        installed = environment / f"installed-{sys.implementation.cache_tag}"
        if installed.exists():
            continue
        print(f"installing nono-py {name}", flush=True)
        venv.create(environment, clear=True, with_pip=True)
        pip = (PYTHONS[name], "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:")
        subprocess.run((*pip, f"nono-py=={name}"), check=True)
        installed.touch()


def package() -> Path:
    """Where our package is installed."""
    return Path(sysconfig.get_paths()["platlib"]) / "nono_py"


def build_floors() -> None:
    compiler = (os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror")
    floors = HERE / "floors"
    library = (f"-I{HERE.parent / 'include'}", package() / "libnono.so", f"-Wl,-rpath,{package()}")
    commands: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("paths", ()),
        ("apply", ()),
        ("run", ()),
        ("apply_nono", library),
        ("query_nono", library),
        ("run_nono", library),
        ("capture", ("-shared", "-fPIC", "-ldl", "-lpthread")),
    )
    for name, options in commands:
        command = (*compiler, "-o", BUILD / name, floors / f"{name}.c", *options)
        subprocess.run([str(word) for word in command], check=True)


ONE_PROCESSOR = ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0))))


def run(command: tuple[object, ...], text: str = "") -> str:
    child = subprocess.run([str(word) for word in command], input=text, stdout=subprocess.PIPE, check=True, text=True)
    return child.stdout


def record_apply(place: tree.Tree) -> Path:
    """Lets our apply() write down its system calls, with one rule, for the floor."""
    recording = BUILD / "apply.calls"
    recording.unlink(missing_ok=True)
    environment = {**os.environ, "LD_PRELOAD": str(BUILD / "capture"), "NONO_BENCH_RECORDING": str(recording)}
    command = (str(BUILD / "apply_nono"), "1", "1")
    subprocess.run(
        command, input=f"{place.directory(0)}\n", env=environment, stdout=subprocess.DEVNULL, check=True, text=True
    )
    return recording


class Floor:
    def __init__(self, place: tree.Tree) -> None:
        self.operations = place.floor_operations()
        self.paths = "".join(f"{place.directory(number)}\n" for number in range(tree.SIZES[-1]))
        self.recording = record_apply(place)

    def measure(self, section: str, milliseconds: float) -> dict[str, float]:
        if section in self.operations:
            values: dict[str, float] = json.loads(run((BUILD / "paths", milliseconds), self.operations[section]))
            if section == "query":
                values["query_path/c"] = values[f"query_path/last/{tree.SIZES[-1]}"]
            return values
        if section == "apply":
            values = {}
            for rules in tree.RULES:
                command = (BUILD / "apply", self.recording, rules, tree.apply_times(rules, milliseconds))
                values[f"apply/{rules}"] = values[f"apply/c/{rules}"] = float(run(command, self.paths))
            return values
        if section == "run":
            return self.measure_run(int(milliseconds))
        return {}

    def measure_run(self, times: int) -> dict[str, float]:
        def run_floor(rules: int, mebibytes: int = 0, is_prepared: int = 0) -> float:
            return float(run((BUILD / "run", rules, times, mebibytes, is_prepared), self.paths))

        values = {f"run/{rules}": run_floor(rules) for rules in rows.RUN_RULES}
        values["run/c"] = values["run/10"]
        values["run/c/one"] = float(run((*ONE_PROCESSOR, BUILD / "run", 10, times, 0, 0), self.paths))
        # The least that can be done knows of no timeout: poll(2) has one for nothing.
        values["run/timeout"] = values["run/10"]
        values["run/large"] = run_floor(10, rows.LARGE)
        for rules in rows.PREPARED_RULES:
            values[f"run/prepared/{rules}"] = run_floor(rules, is_prepared=1)
        return values

    def measure_library(self, section: str, milliseconds: float) -> dict[str, float]:
        """Ours, as a C program calls it."""
        if section == "query":
            return {"query_path/c": float(run((BUILD / "query_nono", milliseconds, tree.SIZES[-1]), self.paths))}
        if section == "apply":
            values = {}
            for rules in tree.RULES:
                command = (BUILD / "apply_nono", rules, tree.apply_times(rules, milliseconds))
                values[f"apply/c/{rules}"] = float(run(command, self.paths))
            return values
        if section == "run":
            command = (BUILD / "run_nono", 10, int(milliseconds))
            return {
                "run/c": float(run(command, self.paths)),
                "run/c/one": float(run((*ONE_PROCESSOR, *command), self.paths)),
            }
        return {}


def measure_worker(name: str, section: str, place: tree.Tree, amount: float) -> dict[str, float]:
    command = (PYTHONS[name], HERE / "worker.py", section, place.root, amount)
    values: dict[str, float] = json.loads(run(command))
    return values
