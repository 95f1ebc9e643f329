# SPDX-License-Identifier: Apache-2.0
"""What every contained program of the demo may read: the Python installation and the libraries of the system.

READ includes running what is there, such as cat. The project, which it may also write, is named by the demo.
"""

import sys
from pathlib import Path

FOLDERS = [
    folder
    for folder in sorted({"/usr", "/bin", "/lib", "/lib64", sys.base_prefix, sys.prefix})
    if Path(folder).is_dir()  # not every system has every one
]
FILES = [file for file in ("/etc/ld.so.cache",) if Path(file).is_file()]
