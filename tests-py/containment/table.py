# SPDX-License-Identifier: Apache-2.0
"""Compares what this library and the originals contain, as root, and writes the table into docs/containment.md."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import nono_py
from containment.implementations import ROOT, Verdict, judge, original
from containment.registry import Hole, load
from containment.stage import REFUSED

ORIGINALS = ("0.4.0", "0.16.0")
DOCUMENT = ROOT / "docs" / "containment.md"
BEGIN, END = "<!-- made by `make containment`: begin -->\n", "<!-- end -->\n"

Column = dict[str, Verdict]


def is_as_documented(hole: Hole, verdict: Verdict) -> bool:
    """Open is what the documents, or the library for this kernel, say is open, and nothing else."""
    is_open = hole.by_design is not None or hole.unenforced in verdict.unenforced
    return verdict.state == ("open" if is_open else "closed")


def cell(hole: Hole, verdict: Verdict, is_ours: bool) -> str:
    if verdict.state != "open":
        return "refused" if verdict.reason.startswith(REFUSED) else verdict.state
    return "open, documented" if is_ours and is_as_documented(hole, verdict) else "**open**"


def rows(holes: dict[str, Hole], columns: list[Column]) -> list[list[str]]:
    """One for each act that has an effect without a sandbox, below a row for its subject."""
    lines: list[list[str]] = []
    subject = ""
    for name, hole in holes.items():
        if columns[-1][name].state == "unprovable":
            continue
        if hole.subject != subject:
            subject = hole.subject
            lines.append([f"**{subject}**", *["" for _ in columns]])
        cells = [cell(hole, column[name], column is columns[-1]) for column in columns]
        lines.append([hole.act, *cells])
    return lines


def section(holes: dict[str, Hole], columns: list[Column]) -> str:
    """What goes into the document. Nothing in it changes from run to run on one kernel."""
    ours = columns[-1]
    headings = ["The program", *ORIGINALS, "this library"]
    table = [headings, ["---" for _ in headings], *rows(holes, columns)]
    provable = [name for name in holes if ours[name].state != "unprovable"]
    counts = [sum(column[name].state == "open" for name in provable) for column in columns]
    lines = [
        f"Linux {platform.release().split('-')[0]} on {platform.machine()}, Landlock ABI"
        f" {nono_py.support_info().kernel_abi}, as root. Of {len(provable)} acts {counts[0]} are open in"
        f" {ORIGINALS[0]}, {counts[1]} in {ORIGINALS[1]} and {counts[2]} in this library.",
        "",
        *(f"| {' | '.join(row)} |" for row in table),
        "",
        "Not provable on this system, since the act has no effect without a sandbox either:",
        "",
        *(f"- {hole.act}: {short(ours[name].reason)};" for name, hole in holes.items() if name not in provable),
    ]
    lines[-1] = lines[-1].rstrip(";") + "."
    return "\n".join([*lines, ""])


def short(reason: str) -> str:
    return reason.rpartition("either: ")[2]


def write(text: str) -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main() -> int:
    if os.getuid() != 0:
        sys.exit("containment: the table is about root; run it as root")
    holes = load()
    pythons = {version: original(version) for version in ORIGINALS}
    missing = [version for version, python in pythons.items() if python is None]
    if missing:
        sys.exit(f"containment: PyPI does not give nono-py {' and '.join(missing)}, so there is no table")
    columns: list[Column] = []
    for name, python in (*pythons.items(), ("this library", None)):
        print(f"{name}: {len(holes)} acts, each without a sandbox and with one", file=sys.stderr, flush=True)
        columns.append({verdict.name: verdict for verdict in judge(list(holes), python=python, as_user=False)})
    text = section(holes, columns)
    print(text)
    write(text)

    wrong = 0
    for name, hole in holes.items():
        for title, column in zip((*ORIGINALS, "this library"), columns):
            verdict = column[name]
            is_wrong = column is columns[-1] and verdict.state != "unprovable" and not is_as_documented(hole, verdict)
            if is_wrong or verdict.state == "broken":
                print(f"containment: {name} under {title} is {verdict.state}: {verdict.reason}", file=sys.stderr)
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
