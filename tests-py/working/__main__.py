# SPDX-License-Identifier: Apache-2.0
"""python -m working MODULE NAME DIRECTORY SECRET: runs one case, and makes sure that it did restrict the process."""

import importlib
import sys
from pathlib import Path

from working.cases import cases, refused


def main() -> None:
    module, name, directory, secret = sys.argv[1:]
    assert Path(secret).read_text() == "secret"
    case = dict(cases(vars(importlib.import_module(f"working.{module}"))))[name]
    case.run(Path(directory))
    with refused():
        Path(secret).read_text()


# multiprocessing imports this module under another name in its children.
if __name__ == "__main__":
    main()
