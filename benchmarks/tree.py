# SPDX-License-Identifier: Apache-2.0
"""The directories that are granted, and what is asked about them: the same for all implementations and the floor."""

from __future__ import annotations

from pathlib import Path

SIZES = (10, 100, 1000, 10000)
LONG = 30
SHORT = 10
RULES = (1, 10, 1000, 10000)


class Tree:
    """Directories and links below a root, which has few components."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.short_branch = self.branch(SHORT)
        self.long_branch = self.branch(LONG)

    def branch(self, components: int) -> Path:
        return self.root.joinpath(*(f"c{number:02}" for number in range(components - len(self.root.parts) + 1)))

    def directory(self, number: int) -> Path:
        return self.root / f"d{number:05}"

    def build(self) -> None:
        for number in range(SIZES[-1]):
            self.directory(number).mkdir()
        (self.root / "ungranted").mkdir()
        self.long_branch.mkdir(parents=True)
        (self.root / "file").touch()
        self.long_file.touch()
        (self.root / "link").symlink_to(self.directory(0))
        (self.root / "linked").symlink_to(self.root / "c00")

    @property
    def long_file(self) -> Path:
        return self.long_branch.parent / "file"

    def grants(self) -> dict[str, tuple[str, Path]]:
        """What is granted to measure granting: the method and the path, by row."""
        linked = self.root / "linked" / self.long_branch.relative_to(self.root / "c00")
        return {
            "allow_path/one": ("allow_path", Path("/usr")),
            "allow_path/short": ("allow_path", self.directory(0)),
            "allow_path/long": ("allow_path", self.long_branch),
            "allow_file/short": ("allow_file", self.root / "file"),
            "allow_file/long": ("allow_file", self.long_file),
            "allow_path/short-link": ("allow_path", self.root / "link"),
            "allow_path/long-link": ("allow_path", linked),
        }

    def questions(self, size: int) -> dict[str, Path]:
        """What is asked about a set of the first so many directories."""
        return {
            "first": self.directory(0),
            "last": self.directory(size - 1),
            "miss": self.root / "ungranted",
            "existing": self.short_branch,
            "missing": self.short_branch.joinpath(*(f"m{number:02}" for number in range(LONG - SHORT))),
        }

    def floor_operations(self) -> dict[str, str]:
        """The same for the floor of paths.c by section, a line for each operation."""
        grants = [
            f"{'grant_link' if row.endswith('link') else 'grant'} {row} {path}"
            for row, (_, path) in self.grants().items()
        ]
        questions = []
        granted = 0
        for size in SIZES:
            questions += [f"add - {self.directory(number)}" for number in range(granted, size)]
            granted = size
            for question, path in self.questions(size).items():
                operation = "query_missing" if question == "missing" else "query"
                questions += [
                    f"{operation} {method}/{question}/{size} {path}" for method in ("query_path", "path_covered")
                ]
        return {"grant": "\n".join(grants), "query": "\n".join(questions)}


def apply_times(rules: int, milliseconds: float) -> int:
    """How often so many rules are applied, each time in a new process, to take about so long: at least three times."""
    return max(3, min(50, round(milliseconds * 1000 / (100 + 6 * rules))))
