# SPDX-License-Identifier: Apache-2.0
"""Runs untrusted programs on real files, each of them free and contained, and shows the difference.

Exits with 0 only if every act that was to be prevented was prevented, the programs could still do their job, and the
same acts succeeded without a sandbox.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from contain_nono_py import capabilities
from stage import ACTS, HERE, Act, Stage

import nono_py


class Options(argparse.Namespace):
    library: Path
    include: Path
    without_sandbox: bool


class Program(NamedTuple):
    title: str
    summary: str
    free: list[str]
    contained: list[str]


class Judgement(NamedTuple):
    text: str
    is_good: bool


WORKS = Judgement("still works", True)
BROKEN = Judgement("BROKEN", False)
CONTAINED = Judgement("contained", True)
NOT_CONTAINED = Judgement("NOT CONTAINED", False)
NOT_PROVEN = Judgement("NOT PROVEN", False)


def judge(act: Act, free: bool, contained: bool, finished: bool) -> Judgement:
    if act.is_job:
        return WORKS if contained else BROKEN
    if contained:
        return NOT_CONTAINED
    # An act that fails without a sandbox too, or that was perhaps never tried, proves nothing.
    return CONTAINED if free and finished else NOT_PROVEN


def paint(text: str, colour: int) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{colour}m{text}\033[0m"


def good_or_bad(text: str, is_good: bool) -> str:
    return paint(text, 32 if is_good else 31)


def compile_c_program(options: Options, output: Path) -> None:
    """As the users of the library do it, with all warnings on."""
    command = [os.environ.get("CC", "cc"), "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{options.include}"]
    command += [str(HERE / "untrusted.c"), "-o", str(output)]
    command += [str(options.library), f"-Wl,-rpath,{options.library.parent}"]
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"demo: the C program cannot be compiled: {error}")


def programs(options: Options, binary: Path) -> list[Program]:
    """The commands run in the project, with the arguments of the stage appended."""

    def launcher(name: str, *arguments: str) -> list[str]:
        return [sys.executable, str(HERE / name), *arguments]

    script = [sys.executable, "untrusted.py"]
    return [
        Program(
            "A Python script, contained with nono_py",
            "Python, nono_py",
            script,
            [*launcher("contain_nono_py.py", "."), *script],
        ),
        Program(
            "A C program that links libnono.so and contains itself",
            "C, libnono.so",
            [str(binary), "free"],
            [str(binary), "contained"],
        ),
        Program(
            "The script again, contained with ctypes and what nono.h says",
            "Python, ctypes and nono.h",
            script,
            [*launcher("contain_ctypes.py", str(options.library), "."), *script],
        ),
        Program(
            "The script again, in a process that restores a sandbox which the demo saved",
            "Python, a saved state",
            script,
            [*launcher("contain_saved.py"), *script],
        ),
    ]


def show(number: int, program: Program, folder: Path, without_sandbox: bool) -> list[Judgement]:
    """Runs one program both ways, on a stage of its own each, and prints what came of it."""
    free, _ = Stage(folder / "free").run(program.free)
    stage = Stage(folder / "contained")
    state = nono_py.SandboxState.from_caps(capabilities(str(stage.project))).to_json()
    command = program.free if without_sandbox else program.contained
    contained, complaint = stage.run(command, {"NONO_STATE": state})

    print(f"\n{paint(f'{number}. {program.title}', 1)}")
    print(f"   {'':<29}{'without':<18}with the sandbox")
    finished = contained[[act.is_job for act in ACTS].index(True)]  # the job comes last
    judgements = []
    for act, before, after in zip(ACTS, free, contained):
        judgement = judge(act, before, after, finished)
        effects = [act.effect if happened else act.no_effect for happened in (before, after)]
        print(f"   {act.title:<29}{effects[0]:<18}{effects[1]:<18}{good_or_bad(*judgement)}")
        judgements.append(judgement)
    if not finished and complaint:
        print(f"   {complaint.splitlines()[-1]}")
    return judgements


def conclude(results: dict[str, list[Judgement]]) -> bool:
    """Prints the verdict and tells whether it is good."""
    print(f"\n{paint('Verdict'.ljust(32), 1)}{'does its job':<15}contained")
    for summary, judgements in results.items():
        job = judgements.count(WORKS) == 1
        refused = judgements.count(CONTAINED)
        acts = len(judgements) - 1
        answer = good_or_bad("yes".ljust(15) if job else "NO".ljust(15), job)
        print(f"   {summary:<29}{answer}{good_or_bad(f'{refused} of {acts} acts', refused == acts)}")

    everything = [judgement for judgements in results.values() for judgement in judgements]
    # The worst there is decides.
    verdict = next(bad for bad in (NOT_CONTAINED, BROKEN, NOT_PROVEN, CONTAINED) if bad in everything)
    jobs, refused = everything.count(WORKS), everything.count(CONTAINED)
    print(
        f"\n{good_or_bad(verdict.text.upper(), verdict.is_good)}: the kernel refused {refused} of "
        f"{len(everything) - len(results)} acts, and {jobs} of {len(results)} programs did their job."
    )
    return verdict.is_good


def main() -> int:
    package = Path(nono_py.__file__).parent
    parser = argparse.ArgumentParser(description="Shows what libnono contains.")
    parser.add_argument("--library", type=Path, default=package / "libnono.so", help="default: beside nono_py")
    parser.add_argument("--include", type=Path, default=HERE.parent / "include", help="the folder of nono.h")
    parser.add_argument("--without-sandbox", action="store_true", help="leave the sandbox out: the demo has to fail")
    options = parser.parse_args(namespace=Options())
    options.library = options.library.resolve()

    support = nono_py.support_info()
    if not support.is_supported:
        sys.exit(f"demo: {support.details}")
    kernel = platform.release().split("-")[0]
    print(f"libnono on {platform.system()} {kernel}: untrusted programs on real files, without a sandbox and with one.")
    print("They get a project folder and no network. Around the project there are two secrets, a tool and a server.")
    if options.without_sandbox:
        print("Self-check: the sandbox is left out, so nothing is contained and the demo has to fail.")

    results = {}
    with tempfile.TemporaryDirectory(prefix="nono-demo-") as name:
        folder = Path(name).resolve()
        compile_c_program(options, folder / "untrusted")
        for number, program in enumerate(programs(options, folder / "untrusted"), 1):
            sys.stdout.flush()
            results[program.summary] = show(number, program, folder / str(number), options.without_sandbox)
    return 0 if conclude(results) else 1


if __name__ == "__main__":
    sys.exit(main())
