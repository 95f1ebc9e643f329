# SPDX-License-Identifier: Apache-2.0
"""Runs every suite, shows what it prints, and closes with how many tests ran."""

from __future__ import annotations

import re
import subprocess
import sys
import time

# What the closing line of each kind of runner looks like: passed, failed, skipped.
CLOSINGS = (
    re.compile(r"Test run with (?P<run>\d+) tests? .*?(?:with (?P<failed>\d+) issues?)?"),
    re.compile(r"^(?:C tests: )?(?P<passed>\d+) passed, (?P<failed>\d+) failed(?:, (?P<skipped>\d+) skipped)?$"),
    re.compile(r"^=*\s*(?P<summary>(?:\d+ (?:passed|failed|skipped|errors?|xfailed)(?:, )?)+) in [\d.]+s"),
)

SUITES = (
    ("Swift", ("make", "--no-print-directory", "test-swift")),
    ("C", ("make", "--no-print-directory", "test-c")),
    ("Python", ("make", "--no-print-directory", "test-python")),
    ("installing", ("make", "--no-print-directory", "test-install")),
    ("beside 0.4.0", ("make", "--no-print-directory", "compare")),
)


def counts(line: str) -> tuple[int, int, int] | None:
    """Passed, failed and skipped, if the line closes a run."""
    if match := CLOSINGS[0].search(line):
        failed = 1 if "failed" in line else 0
        return int(match["run"]) - failed, failed, 0
    if match := CLOSINGS[1].match(line):
        return int(match["passed"]), int(match["failed"]), int(match["skipped"] or 0)
    if match := CLOSINGS[2].match(line):
        found = {word.rstrip("s"): int(number) for number, word in re.findall(r"(\d+) (\w+)", match["summary"])}
        return found.get("passed", 0), found.get("failed", 0) + found.get("error", 0), found.get("skipped", 0)
    return None


def run(name: str, command: tuple[str, ...]) -> tuple[int, int, int]:
    """Runs one suite; one that fails without counting a failure, or counts nothing at all, counts as one failure."""
    print(f"\n--- {name}", flush=True)
    total = (0, 0, 0)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(line, end="", flush=True)
            if found := counts(line.strip()):
                total = (total[0] + found[0], total[1] + found[1], total[2] + found[2])
    if (child.returncode != 0 or total[0] == 0) and total[1] == 0:
        print(f"{name}: exit status {child.returncode}, {total[0]} tests counted", flush=True)
        total = (total[0], 1, total[2])
    return total


def main() -> int:
    results = []
    for name, command in SUITES:
        started = time.monotonic()
        results.append((name, run(name, command), time.monotonic() - started))
    print()
    for name, (passed, failed, skipped), seconds in results:
        print(f"{name:14} {passed:6} passed {failed:4} failed {skipped:4} skipped  {seconds:5.0f} s")
    passed, failed, skipped = (sum(result[1][kind] for result in results) for kind in range(3))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
