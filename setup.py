# SPDX-License-Identifier: Apache-2.0
"""Builds libnono, which needs Swift, and the extension that links to it, side by side in the package."""

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import cast

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import SetupError

ROOT = Path(__file__).parent
LIBRARY = "libnono.dylib" if sys.platform == "darwin" else "libnono.so"

if sys.platform == "darwin":
    # The library is for this processor and for the macOS that Package.swift names, whatever this Python was built for.
    os.environ.setdefault("MACOSX_DEPLOYMENT_TARGET", "13.0")
    os.environ.setdefault("ARCHFLAGS", f"-arch {platform.machine()}")
    os.environ.setdefault("_PYTHON_HOST_PLATFORM", f"macosx-13.0-{platform.machine()}")

# The stable ABI from 3.10 on, the first that has the vectorcall convention. Free-threaded builds have none.
STABLE_ABI = sys.version_info >= (3, 10) and not sysconfig.get_config_var("Py_GIL_DISABLED")


def version() -> str:
    header = (ROOT / "include" / "nono.h").read_text(encoding="utf-8")
    match = re.search(r'^#define NONO_VERSION "(.+)"$', header, re.MULTILINE)
    if match is None:
        raise SetupError("include/nono.h does not define NONO_VERSION")
    return match.group(1)


def check_tools() -> None:
    """Stops with one sentence, before minutes of compiling, if something is missing."""
    if shutil.which("swift") is None:
        raise SetupError(
            "building nono-py needs the Swift toolchain 6.1 or newer, and there is no 'swift' on PATH: "
            "install it from https://www.swift.org/install"
        )
    include = sysconfig.get_paths()["include"]
    if not Path(include, "Python.h").is_file():
        raise SetupError(
            f"building nono-py needs Python's C headers, and there is no Python.h in {include}: "
            "install the development package of this Python (python3-dev on Debian, python3-devel on Fedora)"
        )


class BuildExtension(build_ext):
    def library_path(self, extension: Extension) -> Path:
        return Path(self.get_ext_fullpath(extension.name)).with_name(LIBRARY)

    def run(self) -> None:
        check_tools()
        super().run()

    def build_extension(self, ext: Extension) -> None:
        library = self.library_path(ext).absolute()
        command = ["sh", "scripts/build-library.sh", str(library)]
        if subprocess.run(command, cwd=ROOT).returncode != 0:
            raise SetupError(f"{' '.join(command)} failed; its output is above")
        if sys.platform == "darwin":
            ext.extra_link_args = [str(library), "-Wl,-rpath,@loader_path"]
        else:
            ext.extra_link_args = ["-Wl,--no-as-needed", str(self.stand_in())]
        super().build_extension(ext)

    def stand_in(self) -> Path:
        """An empty library to link to, whose name says where the real one is.

        The extension then needs `$ORIGIN/libnono.so`, a path, which the loader opens, ld.so(8); for a bare name it
        would look into some twenty directories first. What the extension calls is checked when it is imported.
        """
        path = Path(self.build_temp, LIBRARY).absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
        name = f"-Wl,-soname,$ORIGIN/{LIBRARY}"
        subprocess.run([*compiler, "-shared", "-nostdlib", name, "-x", "c", os.devnull, "-o", str(path)], check=True)
        return path

    def copy_extensions_to_source(self) -> None:
        """Of an editable installation; setuptools knows of the extension only."""
        super().copy_extensions_to_source()
        package = cast(build_py, self.get_finalized_command("build_py")).get_package_dir("nono_py")
        for extension in self.extensions:
            built = Path(self.build_lib, *extension.name.split(".")).with_name(LIBRARY)
            self.copy_file(str(built), str(Path(package, LIBRARY)))

    def get_outputs(self) -> list[str]:
        return [*super().get_outputs(), *(str(self.library_path(extension)) for extension in self.extensions)]


setup(
    version=version(),
    cmdclass={"build_ext": BuildExtension},
    ext_modules=[
        Extension(
            "nono_py._nono_py",
            sources=sorted(str(path.relative_to(ROOT)) for path in (ROOT / "python" / "src").glob("*.c")),
            depends=["include/nono.h", "python/src/extension.h", "setup.py"],
            include_dirs=["include"],
            define_macros=[("Py_LIMITED_API", "0x030A0000")] if STABLE_ABI else [],
            py_limited_api=STABLE_ABI,
            extra_compile_args=["-std=c11", "-Wall", "-Wextra", "-fvisibility=hidden", "-g0"],
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if STABLE_ABI else {},
)
