# SPDX-License-Identifier: Apache-2.0
"""Draws the chart of docs/benchmarks.svg: what a query costs as the grants grow in number, and what a command costs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from report import Line, number
from rows import FLOOR, OURS, SUBJECTS
from tree import SIZES

WIDTH, HEIGHT = 800, 680
LEFT, RIGHT, TOP, BOTTOM = 70, 560, 62, 350
LEAST, MOST = 1.0, 10000.0  # microseconds
# The second part: a row for each way to run a command, and a dot in it for each subject.
RUN_LEFT, RUN_TOP, RUN_STEP = 250, 470, 34
RUN_LEAST, RUN_MOST = 300.0, 100_000.0  # microseconds
RUNS = {
    "run/10": "10 rules",
    "run/timeout": "10 rules, with a timeout",
    "run/large": "10 rules, caller has 512 MiB",
    "run/1000": "1,000 rules",
    "run/prepared/10000": "10,000 rules, prepared",
}
NAMES = {OURS: "libnono", "0.4.0": "nono_py 0.4.0", "0.16.0": "nono_py 0.16.0", FLOOR: "C, system calls only"}

# Colours that stand out on white and on black alike; on a dark page only the text and the grid change.
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #333; }
  .title { font-size: 16px; font-weight: 600; }
  .grid { stroke: #8884; }
  .line { fill: none; stroke-width: 2.5; }
  .ours { --c: #0a7d4f; } .old { --c: #c2590c; } .new { --c: #9a4fd0; } .floor { --c: #7a7a7a; }
  .line { stroke: var(--c); } circle, .name { fill: var(--c); }
  .floor.line { stroke-dasharray: 5 4; }
  @media (prefers-color-scheme: dark) {
    text { fill: #ccc; }
    .ours { --c: #34c38a; } .old { --c: #f0914a; } .new { --c: #c08cf0; } .floor { --c: #a0a0a0; }
    .name { fill: var(--c); }
  }
"""
CLASSES = dict(zip(SUBJECTS, ("ours", "old", "new", "floor")))


def x(size: float) -> float:
    return LEFT + (RIGHT - LEFT) * math.log(size / SIZES[0]) / math.log(SIZES[-1] / SIZES[0])


def y(microseconds: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * math.log(microseconds / LEAST) / math.log(MOST / LEAST)


def grid() -> Iterator[str]:
    for power in range(round(math.log10(MOST / LEAST)) + 1):
        value = LEAST * 10**power
        label = f"{value:g} µs" if value < 1000 else f"{value / 1000:g} ms"
        yield f'<line class="grid" x1="{LEFT}" y1="{y(value):.1f}" x2="{RIGHT}" y2="{y(value):.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{label}</text>'
    for size in SIZES:
        yield f'<text x="{x(size):.1f}" y="{BOTTOM + 22}" text-anchor="middle">{size:,}</text>'
    yield f'<text x="{(LEFT + RIGHT) / 2}" y="{BOTTOM + 46}" text-anchor="middle">granted paths</text>'


def label_places(ends: dict[str, float]) -> dict[str, float]:
    """Where the names stand at the ends of the lines, so far apart that they can be read."""
    places: dict[str, float] = {}
    last = -math.inf
    for name in sorted(ends, key=ends.__getitem__):
        last = max(ends[name] + 4, last + 17)
        places[name] = last
    return places


def run_x(microseconds: float) -> float:
    return RUN_LEFT + (RIGHT - RUN_LEFT) * math.log(microseconds / RUN_LEAST) / math.log(RUN_MOST / RUN_LEAST)


def draw_runs(lines: list[Line]) -> Iterator[str]:
    found = {line.row.key: line for line in lines}
    bottom = RUN_TOP + RUN_STEP * len(RUNS)
    yield f'<text class="title" x="{LEFT}" y="{RUN_TOP - 32}">Running /bin/true, output captured</text>'
    for value, label in ((1000, "1 ms"), (10_000, "10 ms"), (100_000, "100 ms")):
        yield f'<line class="grid" x1="{run_x(value):.1f}" y1="{RUN_TOP - 12}" x2="{run_x(value):.1f}" y2="{bottom}"/>'
        yield f'<text x="{run_x(value):.1f}" y="{bottom + 18}" text-anchor="middle">{label}</text>'
    for position, (key, title) in enumerate(RUNS.items()):
        line = found[key]
        middle = RUN_TOP + RUN_STEP * position + RUN_STEP / 2
        yield f'<line class="grid" x1="{RUN_LEFT}" y1="{middle}" x2="{RIGHT}" y2="{middle}"/>'
        yield f'<text x="{RUN_LEFT - 12}" y="{middle + 4}" text-anchor="end">{title}</text>'
        for name in reversed(SUBJECTS):
            if name in line.values:
                place = run_x(line.values[name].median)
                yield f'<circle class="{CLASSES[name]}" cx="{place:.1f}" cy="{middle}" r="5"/>'
        text = f"{number(line.values[OURS].median)} µs"
        yield f'<text class="name ours" x="{RIGHT + 12}" y="{middle + 4}">{text}</text>'


def draw(lines: list[Line], runs: list[Line]) -> str:
    found = {line.row.key: line for line in lines}
    points = {
        name: [
            (size, line.values[name].median)
            for size in SIZES
            if (line := found[f"query_path/last/{size}"]) and name in line.values
        ]
        for name in SUBJECTS
    }
    points = {name: series for name, series in points.items() if series}
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<!-- SPDX-License-Identifier: Apache-2.0. Written by make bench. -->",
        "<title>Time of query_path over the number of granted paths, and of running a command</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="26">One query_path(), by how much is granted</text>',
        f'<text x="{LEFT}" y="45">median time, logarithmic scales</text>',
        *grid(),
    ]
    places = label_places({name: y(series[-1][1]) for name, series in points.items()})
    # Ours last: on top where lines meet.
    for name in reversed(list(points)):
        kind, series = CLASSES[name], points[name]
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in series)
        svg.append(f'<polyline class="line {kind}" points="{path}"/>')
        svg += [f'<circle class="{kind}" cx="{x(size):.1f}" cy="{y(value):.1f}" r="4"/>' for size, value in series]
        text = f"{NAMES[name]}, {number(series[-1][1])} µs"
        svg.append(f'<text class="name {kind}" x="{RIGHT + 12}" y="{places[name]:.1f}">{text}</text>')
    return "\n".join((*svg, *draw_runs(runs), "</svg>", ""))
