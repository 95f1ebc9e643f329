# SPDX-License-Identifier: Apache-2.0
"""Measures ours beside the originals and the floors: `run.py [--quick]`; `make bench` runs it.

In every round each subject measures a section in a process of its own, in turns; ratios are made within a round, so
that what slows the machine down for a while slows all of them down.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import chart
import importing
import report
import subjects
from rows import FLOOR, ORIGINALS, OURS, SECTIONS, SUBJECTS
from tree import Tree

DOCS = subjects.HERE.parent / "docs"
BEGIN, END = "<!-- begin: written by make bench -->", "<!-- end: written by make bench -->"


@dataclass(frozen=True)
class Effort:
    rounds: int
    amount: float


# What each section takes: rounds, and milliseconds for a row; of imports, interpreters; of commands, runs; of leaks,
# objects.
FULL = {
    "import": Effort(5, 15),
    "grant": Effort(9, 20),
    "query": Effort(7, 10),
    "state": Effort(5, 20),
    "apply": Effort(5, 60),
    "run": Effort(9, 60),
    "memory": Effort(3, 1),
    "leak": Effort(1, 1e6),
}
QUICK = {
    "import": Effort(2, 8),
    "grant": Effort(3, 10),
    "query": Effort(2, 4),
    "state": Effort(2, 5),
    "apply": Effort(2, 20),
    "run": Effort(1, 40),
    "memory": Effort(1, 1),
    "leak": Effort(1, 2e4),
}


def measure(name: str, section: str, place: Tree, floor: subjects.Floor, amount: float) -> dict[str, float]:
    if name == FLOOR:
        return floor.measure(section, amount)
    if section == "import":
        return importing.measure(name, int(amount))
    # The originals have been shown not to leak, and their slower calls would take minutes.
    if section == "leak" and name in ORIGINALS:
        return {}
    values = subjects.measure_worker(name, section, place, amount)
    if name == OURS:
        values.update(floor.measure_library(section, amount))
    return values


def measure_all(place: Tree, efforts: dict[str, Effort], only: list[str]) -> dict[str, report.Rounds]:
    floor = subjects.Floor(place)
    found: dict[str, report.Rounds] = {}
    for section in SECTIONS:
        if only and section.name not in only:
            continue
        start = time.monotonic()
        effort = efforts[section.name]
        rounds: report.Rounds = {name: [] for name in SUBJECTS}
        for turn in range(effort.rounds):
            first = turn % len(SUBJECTS)
            for name in (*SUBJECTS[first:], *SUBJECTS[:first]):
                rounds[name].append(measure(name, section.name, place, floor, effort.amount))
        found[section.name] = rounds
        print(f"{section.title}: {effort.rounds} rounds, {time.monotonic() - start:.0f} s", flush=True)
    return found


def write_docs(table: str, machine: dict[str, str]) -> None:
    """Replaces what stands between the two marks in docs/benchmarks.md."""
    page = DOCS / "benchmarks.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    where = ", ".join(f"{key} {value}" for key, value in machine.items())
    page.write_text(f"{before}{BEGIN}\n\nMeasured on: {where}.\n\n{table}\n{END}{after}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and docs/ stays as it is")
    parser.add_argument("--only", action="append", default=[], choices=[section.name for section in SECTIONS])
    options = parser.parse_args()

    start = time.monotonic()
    subjects.BUILD.mkdir(parents=True, exist_ok=True)
    subjects.install_originals()
    subjects.build_floors()
    root = Path(tempfile.mkdtemp(prefix="nono-bench-")).resolve()
    try:
        place = Tree(root)
        place.build()
        rounds = measure_all(place, QUICK if options.quick else FULL, options.only)
    finally:
        shutil.rmtree(root)

    lines = report.lines_of(rounds)
    machine = report.machine()
    table = "\n".join(report.markdown(lines))
    print(f"\n{table}")
    results = {"machine": machine, "quick": options.quick, "rows": report.as_json(lines)}
    (subjects.BUILD / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if not options.quick and not options.only:
        write_docs(table, machine)
        (DOCS / "benchmarks.svg").write_text(chart.draw(lines["Asking"], lines["Running a command"]), encoding="utf-8")

    every = [line for section in lines.values() for line in section]
    verdicts = [verdict for line in every for verdict in line.verdicts]
    missed = [verdict for verdict in verdicts if not verdict.is_met]
    for line in report.over(every):
        print(f"OVER: {line.row.title}: {report.cells(line)[-1]}")
    print(f"{len(verdicts) - len(missed)} budgets met, {len(missed)} missed, {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
