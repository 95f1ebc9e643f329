# SPDX-License-Identifier: Apache-2.0
"""Programs, how they end under one implementation, and what there is to compare."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional


class Code(str):
    """An expression; other values stand for themselves."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


READ, WRITE, READ_WRITE = (Code(f"AccessMode.{name}") for name in ("READ", "WRITE", "READ_WRITE"))

TAKES_PATH = ("allow_path", "allow_file", "path_covered", "query_path")


@dataclass(frozen=True)
class Step:
    """One call, as in `caps.allow_path('d', AccessMode.READ)`. Without `args` it is just the expression."""

    function: str
    args: Optional[tuple[Any, ...]] = None
    keywords: tuple[tuple[str, Any], ...] = ()
    name: Optional[str] = None

    @property
    def code(self) -> str:
        if self.args is None:
            return self.function
        keywords = (f"{name}={value!r}" for name, value in self.keywords)
        return f"{self.function}({', '.join([*map(repr, self.args), *keywords])})"

    def __str__(self) -> str:
        return self.code if self.name is None else f"{self.name} = {self.code}"

    @property
    def method(self) -> str:
        return self.function.rpartition(".")[2]

    def argument(self, name: str, position: int) -> Any:
        """An argument, however it is passed; None if it is not."""
        if self.args is not None and position < len(self.args):
            return self.args[position]
        return dict(self.keywords).get(name)

    @property
    def path(self) -> Any:
        return self.argument("path", 0) if self.method in TAKES_PATH else None

    @property
    def uses(self) -> frozenset[str]:
        """The variables of the program that the step's expression names."""
        return frozenset(re.findall(r"\b(?:caps|more|context|state)\b", self.code))

    def request(self) -> dict[str, Any]:
        path = self.path
        plain = isinstance(path, str) and not isinstance(path, Code)
        return {"name": self.name, "code": self.code, "path": path if plain else None}


Program = Sequence[Step]

# Every program may use these from the first step on.
PRELUDE: Program = (
    Step("CapabilitySet", (), name="caps"),
    Step("CapabilitySet", (), name="more"),
    Step("QueryContext", (Code("caps"),), name="context"),
    Step("SandboxState.from_caps", (Code("caps"),), name="state"),
)


@dataclass(frozen=True)
class Outcome:
    """How a step ended: a value, or an exception with its class and the bases of that."""

    value: Any = None
    raised: tuple[str, ...] = ()
    text: str = ""
    errno: Optional[int] = None

    @staticmethod
    def from_reply(reply: dict[str, Any]) -> "Outcome":
        return Outcome(reply.get("value"), tuple(reply.get("raised", ())), reply.get("text", ""), reply.get("errno"))

    def __str__(self) -> str:
        if not self.raised:
            return f"returns {self.value!r}"
        number = "" if self.errno is None else f" with errno {self.errno}"
        return f"raises {self.raised[0]}({self.text!r}){number}"

    def is_error(self, kind: str) -> bool:
        return kind in self.raised


@dataclass(frozen=True)
class Case:
    """A step that ended in two ways. For a step that takes a path also what the system says about that path."""

    position: int
    step: Step
    original: Outcome
    ours: Outcome
    exists: bool = False
    located: Optional[str] = None
