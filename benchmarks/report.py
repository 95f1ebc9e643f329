# SPDX-License-Identifier: Apache-2.0
"""Makes medians and ratios of the rounds, holds them against the budgets, and writes the table."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rows import FLOOR, ORIGINALS, OURS, SECTIONS, SUBJECTS, Row

# What each subject measured, round by round.
Rounds = dict[str, list[dict[str, float]]]


@dataclass(frozen=True)
class Spread:
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass
class Verdict:
    against: str
    limit: float
    value: float

    @property
    def is_met(self) -> bool:
        return self.value <= self.limit


@dataclass
class Line:
    """One row with what came out."""

    row: Row
    values: dict[str, Spread] = field(default_factory=dict)
    ratios: dict[str, Spread] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)


def value_of(row: Row, values: dict[str, float]) -> float | None:
    if row.ratio_of[0] in values and row.ratio_of[1] in values:
        return values[row.ratio_of[0]] / values[row.ratio_of[1]]
    if row.difference_of[0] in values and row.difference_of[1] in values:
        return (values[row.difference_of[0]] - values[row.difference_of[1]]) / row.difference_of[2]
    return values.get(row.key)


def line_of(row: Row, rounds: Rounds) -> Line:
    line = Line(row)
    series = {name: [value_of(row, values) for values in rounds.get(name, [])] for name in SUBJECTS}
    for name, values in series.items():
        present = [value for value in values if value is not None]
        if present:
            line.values[name] = Spread.of(present)
    for name in (*ORIGINALS, FLOOR):
        pairs = zip(series[OURS], series[name])
        ratios = [ours / other for ours, other in pairs if ours is not None and other is not None and other > 0]
        if ratios:
            line.ratios[name] = Spread.of(ratios)
    for budget in row.budgets:
        found = line.ratios.get(budget.of) if budget.of else line.values.get(OURS)
        if found is not None:
            line.verdicts.append(Verdict(budget.of, budget.limit, found.median))
    return line


def lines_of(rounds: dict[str, Rounds]) -> dict[str, list[Line]]:
    """Of every section that was measured."""
    return {
        section.title: [line for row in section.rows if (line := line_of(row, rounds[section.name])).values]
        for section in SECTIONS
        if section.name in rounds
    }


def number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def budget_text(verdict: Verdict) -> str:
    state = "PASS" if verdict.is_met else "OVER"
    return f"{state} {number(verdict.limit)}" + (f" x {verdict.against}" if verdict.against else "")


def cells(line: Line) -> list[str]:
    unit = f" [{line.row.unit}]" if line.row.unit else ""
    values = [number(line.values[name].median) if name in line.values else "" for name in SUBJECTS]
    ratios = []
    for name in (*ORIGINALS, FLOOR):
        spread = line.ratios.get(name)
        ratios.append(f"{number(spread.median)} ({number(spread.low)}-{number(spread.high)})" if spread else "")
    return [line.row.title + unit, *values, *ratios, ", ".join(budget_text(verdict) for verdict in line.verdicts)]


HEADINGS = ("", *SUBJECTS, *(f"ours / {name}" for name in (*ORIGINALS, FLOOR)), "budget")


def markdown(lines: dict[str, list[Line]]) -> Iterator[str]:
    for title, section in lines.items():
        yield f"#### {title}"
        yield ""
        table = [list(HEADINGS), *(cells(line) for line in section)]
        widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS))]
        for position, row in enumerate(table):
            yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
            if position == 0:
                yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
        yield ""


def machine() -> dict[str, str]:
    processor = platform.machine()
    for text in Path("/proc/cpuinfo").read_text().splitlines():
        if text.startswith("model name"):
            processor = text.partition(":")[2].strip()
            break
    return {
        "processor": f"{os.cpu_count()} x {processor}",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()),
    }


def as_json(lines: dict[str, list[Line]]) -> list[dict[str, Any]]:
    return [
        {
            "section": title,
            "row": line.row.key,
            "title": line.row.title,
            "unit": line.row.unit,
            "values": {name: vars(spread) for name, spread in line.values.items()},
            "ratios": {name: vars(spread) for name, spread in line.ratios.items()},
            "budgets": [{**vars(verdict), "met": verdict.is_met} for verdict in line.verdicts],
        }
        for title, section in lines.items()
        for line in section
    ]


def over(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if any(not verdict.is_met for verdict in line.verdicts)]
