# SPDX-License-Identifier: Apache-2.0
"""Draws the chart of docs/benchmarks.svg: what a query costs as the grants grow in number."""

from __future__ import annotations

import math
from collections.abc import Iterator

from report import Line, number
from rows import FLOOR, OURS, SUBJECTS
from tree import SIZES

WIDTH, HEIGHT = 800, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 560, 62, 350
LEAST, MOST = 1.0, 10000.0  # microseconds
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


def draw(lines: list[Line]) -> str:
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
        "<title>Time of query_path over the number of granted paths</title>",
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
    return "\n".join((*svg, "</svg>", ""))
