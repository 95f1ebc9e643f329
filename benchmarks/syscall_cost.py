# SPDX-License-Identifier: Apache-2.0
"""What a sandbox costs: system calls inside and outside, and apply() with more and more threads.

Runs inside and outside take turns, so that what slows the machine down meets all. See docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "benchmarks"
SOURCES = ROOT / "benchmarks" / "syscall_cost"
ROUNDS = 15
VARIANTS = ("outside", "filter", "inside")
APPLY_ROUNDS = 40
THREADS = (1, 4, 50)


def build(name: str) -> Path:
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / name
    command = ["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-pthread", f"-I{ROOT / 'include'}", f"-o{program}"]
    library = ROOT / "build" / "libnono.so"
    subprocess.run(
        [*command, str(SOURCES / f"{name}.c"), str(library), f"-Wl,-rpath,{library.parent}"],
        check=True,
    )
    return program


def output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def quartiles(values: list[float]) -> dict[str, float]:
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"low": round(low, 3), "median": round(median, 3), "high": round(high, 3)}


def measure_calls(program: Path, file: Path) -> dict[str, dict[str, dict[str, float]]]:
    """For each call: its nanoseconds in every variant, and the ratios of inside to the others, round by round."""
    taken: dict[str, dict[str, list[float]]] = {}
    for number in range(ROUNDS):
        # A B C, B C A, C A B ...: none is always the first.
        first = number % len(VARIANTS)
        for variant in VARIANTS[first:] + VARIANTS[:first]:
            for line in output(program, file, variant).splitlines():
                name, value = line.split()
                taken.setdefault(name, {}).setdefault(variant, []).append(float(value))
    report = {}
    for name, values in taken.items():
        report[name] = {f"{variant}_ns": quartiles(values[variant]) for variant in VARIANTS}
        for other in "outside", "filter":
            ratios = [inside / base for inside, base in zip(values["inside"], values[other])]
            report[name][f"inside_to_{other}"] = quartiles(ratios)
    return report


def measure_apply(program: Path, directory: Path) -> dict[str, dict[str, float]]:
    """Microseconds of one apply(), by the number of threads."""
    taken: dict[int, list[float]] = {threads: [] for threads in THREADS}
    for _ in range(APPLY_ROUNDS):
        for threads in THREADS:
            taken[threads].append(float(output(program, directory, str(threads))))
    return {str(threads): quartiles(values) for threads, values in taken.items()}


def main() -> int:
    if not (ROOT / "build" / "libnono.so").exists():
        print("build/libnono.so is missing: run make first", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory).resolve() / "file"
        file.touch()
        calls = measure_calls(build("syscall_cost"), file)
        applying = measure_apply(build("apply_cost"), file.parent)

    print(f"Linux {platform.release()}, {platform.machine()}, {os.cpu_count()} processors")
    print(f"\n{'':18}{'nanoseconds':^36}{'inside to outside':^24}{'inside to filter':^24}")
    print(f"{'call':18}{'outside':>12}{'filter':>12}{'inside':>12}" + f"{'median':>10} {'quartiles':13}" * 2)
    for name, found in calls.items():
        line = f"{name:18}" + "".join(f"{found[f'{variant}_ns']['median']:12.1f}" for variant in VARIANTS)
        for ratio in found["inside_to_outside"], found["inside_to_filter"]:
            line += f"{ratio['median']:10.3f} {ratio['low']:.3f}..{ratio['high']:.3f}"
        print(line)
    print(f"\n{'threads':18}{'apply us':>12}{'per extra thread':>18}   quartiles of apply")
    alone = applying["1"]["median"]
    for threads, time in applying.items():
        extra = f"{(time['median'] - alone) / (int(threads) - 1):.1f}" if threads != "1" else "-"
        print(f"{threads:18}{time['median']:12.1f}{extra:>18}   {time['low']:.1f} to {time['high']:.1f}")

    report = {"kernel": platform.release(), "machine": platform.machine(), "calls": calls, "apply_us": applying}
    (BUILD / "syscall_cost.json").write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
