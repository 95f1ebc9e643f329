# SPDX-License-Identifier: Apache-2.0
"""Runs the same programs under nono_py 0.4.0 and under ours, and explains every difference.

A difference is explained if an entry of docs/differences.md describes it. An entry that its own witness no longer shows
is a failure too: the document cannot outlive what it describes.
"""

import argparse
import re
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

from closed_scripts import CLOSED
from differences import DIFFERENCES, explanations
from hypothesis import HealthCheck, Phase, given, seed, settings
from implementations import ORIGINAL, Pair, ProcessDied
from programs import PRELUDE, Case, Program
from scripts import AGREEING, CONTRASTS
from strategies import programs

from nono_py import is_supported

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "differences.md"
FIELDS = ("Original", "Ours", "Why", "Opt-out")


class Unexplained(Exception):
    pass


class Report:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def check(self, what: str, problem: str) -> None:
        """Counts one check; it failed if there is a problem to tell."""
        if problem:
            self.failed += 1
            print(f"FAILED {what}\n{indent(problem)}")
        else:
            self.passed += 1


def indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def explain(program: Program, cases: list[Case]) -> str:
    """The program as one could run it, with both outcomes at each step that differs without an entry."""
    lines = []
    for position, step in enumerate((*PRELUDE, *program)):
        lines.append(str(step))
        for case in cases:
            if case.position == position:
                lines += [f"    # the original {case.original}", f"    # ours {case.ours}"]
    return "\n".join(lines)


def unexplained(pair: Pair, program: Program, seen: Counter[str]) -> str:
    """Runs a program. Returns what is wrong with it, and counts the entries that explain its differences."""
    try:
        cases = pair.run(program)
    except ProcessDied as death:
        return f"{explain(program, [])}\n# {death}"
    for case in cases:
        seen.update(explanations(case))
    surprising = [case for case in cases if not explanations(case)]
    return explain(program, surprising) if surprising else ""


def check_document(report: Report) -> None:
    """Each entry has its fields and a witness, and each witness an entry."""
    sections = re.split(r"^### `([a-z-]+)`", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    documented = dict(zip(sections[1::2], sections[2::2]))
    known = {difference.id for difference in DIFFERENCES} | {contrast.id for contrast in CONTRASTS + CLOSED}
    for id in sorted(known | set(documented)):
        text = documented.get(id, "")
        absent = [field for field in FIELDS if not re.search(rf"^- {field}: \S", text, re.MULTILINE)]
        problem = f"has no {', '.join(absent)}" if absent else "" if id in known else "has no witness"
        report.check(f"entry {id} of {DOCUMENT.name}", problem if id in documented else "is not there")


def check_witnesses(pair: Pair, report: Report) -> None:
    for difference in DIFFERENCES:
        seen: Counter[str] = Counter()
        problem = unexplained(pair, difference.witness, seen)
        if not problem and seen[difference.id] == 0:
            problem = f"does not differ any more:\n{explain(difference.witness, [])}"
        report.check(f"witness of {difference.id}", problem)


def check_scripts(pair: Pair, report: Report) -> None:
    if not is_supported():
        print("This system cannot sandbox: the scripts are left out.")
        return
    for script in AGREEING:
        original, ours = (implementation.run_script(script.text) for implementation in (pair.original, pair.ours))
        same = original == ours and "Traceback" not in ours
        report.check(f"script: {script.name}", "" if same else compare_outputs(script.code, original, ours))
    for contrast in CONTRASTS + CLOSED:
        if not contrast.can_show:
            print(f"left out: {contrast.id} cannot show here")
            continue
        original, ours = (implementation.run_script(contrast.text) for implementation in (pair.original, pair.ours))
        same = (original, ours) == (contrast.original, contrast.ours)
        report.check(f"witness of {contrast.id}", "" if same else compare_outputs(contrast.code, original, ours))


def compare_outputs(code: str, original: str, ours: str) -> str:
    return f"{code.strip()}\n# the original prints\n{indent(original)}\n# ours prints\n{indent(ours)}"


def check_random_programs(pair: Pair, report: Report, seed_value: int, examples: int, seen: Counter[str]) -> None:
    """Stops at the first program with a difference that no entry explains, and prints the smallest one like it."""

    @seed(seed_value)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(programs(pair.root))
    def check(program: Program) -> None:
        problem = unexplained(pair, program, seen)
        if problem:
            raise Unexplained(problem)
        report.passed += 1

    try:
        check()
    except Unexplained as surprise:
        report.check("random program", str(surprise))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="what the random programs are made from (%(default)s)")
    parser.add_argument("--examples", type=int, default=3000, help="how many random programs to run (%(default)s)")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="Generating overly large repr")  # of the odd paths
    started = time.monotonic()
    report = Report()
    seen: Counter[str] = Counter()
    pair = Pair()
    try:
        check_document(report)
        check_witnesses(pair, report)
        check_scripts(pair, report)
        print(f"{options.examples} random programs, seed {options.seed}, against {ORIGINAL}", flush=True)
        check_random_programs(pair, report, options.seed, options.examples, seen)
    finally:
        pair.close()
    for id, count in sorted(seen.items()):
        print(f"    {count:6}  {id}")
    print(f"{time.monotonic() - started:.0f} s")
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
