# SPDX-License-Identifier: Apache-2.0
"""A pool of worker processes in which every worker gives up its rights before its first task.

Parsers of foreign files are a good reason: whatever a malicious file makes the parser do, it happens in a process that
can read the inbox and nothing else. The main process is not bound, and gets results and errors as from any pool.
"""

import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from nono_py import AccessMode, CapabilitySet, apply


def confine(inbox: Path) -> None:
    """Runs once in each worker."""
    caps = CapabilitySet()
    caps.allow_path(inbox, AccessMode.READ)
    for place in {sys.prefix, sys.base_prefix}:  # for modules that are imported while a task runs
        caps.allow_path(place, AccessMode.READ)
    caps.block_network()
    apply(caps)


def count_words(path: Path) -> int:
    return len(path.read_text().split())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder, "inbox")
        inbox.mkdir()
        letters = [inbox / "short.txt", inbox / "long.txt"]
        letters[0].write_text("a few words")
        letters[1].write_text("many " * 1000)
        password = Path(folder, "password.txt")
        password.write_text("do not count me")

        # A spawned worker starts from a fresh interpreter and inherits no open files; a forked one would.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, mp_context=context, initializer=confine, initargs=(inbox,)) as pool:
            for path, words in zip(letters, pool.map(count_words, letters)):
                print(f"{path.name}: {words} words")
            error = pool.submit(count_words, password).exception()
            print(f"{password.name}: {type(error).__name__} in the worker")
        print(f"{password.name}: {count_words(password)} words, counted by the main process, which is not bound")


if __name__ == "__main__":
    main()
