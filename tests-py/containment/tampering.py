# SPDX-License-Identifier: Apache-2.0
"""The sandbox itself: what is granted is replaced before it is applied, or it is applied again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import nono_py
from containment.registry import hole
from containment.stage import Enter, Stage, read
from containment.threads import Worker

if TYPE_CHECKING:
    from nono_py import CapabilitySet

MOST_LAYERS = 16


def grants_another(stage: Stage, granted: Path, secret: Path, replace: Callable[[], object]) -> bool:
    """Tell whether the secret is granted when something takes the place of what was granted."""

    def act(enter: Enter) -> bytes:
        caps = stage.capabilities(granted)
        replace()
        enter(caps)
        return read(secret)

    return stage.reads_secret(act)


def restores_another(stage: Stage, granted: Path, secret: Path, replace: Callable[[], object]) -> bool:
    """The same with a set that was saved before and is restored after."""

    def act(enter: Enter) -> bytes:
        text = nono_py.SandboxState.from_caps(stage.capabilities(granted)).to_json()
        replace()
        enter(lambda: nono_py.SandboxState.from_json(text).to_caps())
        return read(secret)

    return stage.reads_secret(act)


Try = Callable[[Stage, Path, Path, Callable[[], object]], bool]


def swap_directory(stage: Stage, grants: Try) -> bool:
    granted = stage.project / "granted"
    granted.mkdir()

    def replace() -> None:
        granted.rmdir()
        granted.symlink_to(stage.outside)

    return grants(stage, granted, granted / "secret", replace)


def move_directory(stage: Stage, grants: Try) -> bool:
    granted = stage.project / "granted"
    granted.mkdir()

    def replace() -> None:
        granted.rename(stage.project / "aside")
        stage.outside.rename(granted)

    return grants(stage, granted, granted / "secret", replace)


def swap_parent(stage: Stage, grants: Try) -> bool:
    granted = stage.project / "parent" / "granted"
    granted.mkdir(parents=True)
    (stage.outside / "granted").mkdir()
    shutil.copy(stage.secret_file, stage.outside / "granted")

    def replace() -> None:
        granted.parent.rename(stage.project / "aside")
        granted.parent.symlink_to(stage.outside)

    return grants(stage, granted, granted / "secret", replace)


def swap_file(stage: Stage, grants: Try, link: Callable[[Path, Path], None]) -> bool:
    granted = stage.project / "granted"
    granted.touch()

    def replace() -> None:
        granted.unlink()
        link(granted, stage.secret_file)

    return grants(stage, granted, granted, replace)


def swap_file_for_directory(stage: Stage, grants: Try) -> bool:
    granted = stage.project / "granted"
    granted.touch()

    def replace() -> None:
        granted.unlink()
        stage.outside.rename(granted)

    return grants(stage, granted, granted / "secret", replace)


def hard_link(name: Path, target: Path) -> None:
    os.link(target, name)


@hole("swap-directory", "puts a link to the secret in place of a granted directory", may_refuse=True)
def case_swap_directory(stage: Stage) -> bool:
    return swap_directory(stage, grants_another)


@hole("swap-moved", "moves the secret's directory into the place of a granted one", may_refuse=True)
def case_move_directory(stage: Stage) -> bool:
    return move_directory(stage, grants_another)


@hole("swap-parent", "puts a link in place of the directory above a granted one", may_refuse=True)
def case_swap_parent(stage: Stage) -> bool:
    return swap_parent(stage, grants_another)


@hole("swap-file", "puts a link to the secret in place of a granted file", may_refuse=True)
def case_swap_file(stage: Stage) -> bool:
    return swap_file(stage, grants_another, Path.symlink_to)


@hole("swap-hard-link", "puts the secret itself in place of a granted file", may_refuse=True)
def case_swap_hard_link(stage: Stage) -> bool:
    return swap_file(stage, grants_another, hard_link)


@hole("swap-file-directory", "puts a directory in place of a granted file", may_refuse=True)
def case_swap_file_for_directory(stage: Stage) -> bool:
    return swap_file_for_directory(stage, grants_another)


@hole("state-directory", "puts a link in place of a directory of a saved state", may_refuse=True)
def case_state_directory(stage: Stage) -> bool:
    return swap_directory(stage, restores_another)


@hole("state-parent", "puts a link in place of the directory above one of a saved state", may_refuse=True)
def case_state_parent(stage: Stage) -> bool:
    return swap_parent(stage, restores_another)


@hole("state-file", "puts a link to the secret in place of a file of a saved state", may_refuse=True)
def case_state_file(stage: Stage) -> bool:
    return swap_file(stage, restores_another, Path.symlink_to)


@hole("state-file-directory", "puts a directory in place of a file of a saved state", may_refuse=True)
def case_state_file_for_directory(stage: Stage) -> bool:
    return swap_file_for_directory(stage, restores_another)


@hole(
    "state-moved",
    "moves the secret's directory into the place of one of a saved state",
    by_design="a saved state holds names, and grants what bears them when it is restored",
)
def case_state_moved(stage: Stage) -> bool:
    return move_directory(stage, restores_another)


def narrows(stage: Stage, *paths: tuple[Path, ...]) -> bool:
    """Tell whether the secret is left after sandboxes that grant these paths, one within another."""

    def grant(granted: tuple[Path, ...]) -> CapabilitySet:
        return stage.capabilities(*granted)

    sets = [grant(granted) for granted in paths]

    def act(enter: Enter) -> bytes:
        for caps in sets:
            enter(caps)
        return read(stage.secret_file)

    return stage.reads_secret(act)


@hole("again-wider", "grants itself the secret in a second sandbox")
def again_wider(stage: Stage) -> bool:
    return narrows(stage, (stage.project,), (stage.project, stage.outside))


@hole("again-narrower", "reads what the first sandbox grants and the second does not")
def again_narrower(stage: Stage) -> bool:
    return narrows(stage, (stage.project, stage.outside), (stage.project,))


@hole("again-other", "reads what one of three sandboxes does not grant")
def again_other(stage: Stage) -> bool:
    both = (stage.project, stage.outside)
    return narrows(stage, both, (stage.project,), both)


@hole("layers", "has more sandboxes than the kernel takes, of which the last does not grant it", may_refuse=True)
def layers(stage: Stage) -> bool:
    both = (stage.project, stage.outside)
    return narrows(stage, *[both] * MOST_LAYERS, (stage.project,))


@hole("again-thread", "a thread from before reads what the second sandbox does not grant")
def again_thread(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        worker = Worker()
        enter(stage.capabilities(stage.project, stage.outside))
        enter()
        return worker.do(lambda: read(stage.secret_file))

    return stage.reads_secret(act)
