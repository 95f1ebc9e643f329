# SPDX-License-Identifier: Apache-2.0
"""Installs from a clean clone and from the sdist, in a fresh virtual environment of every CPython that is here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")

# Run by the installed package, in the child that is contained.
PROBE = """
import os, sys, nono_py
from importlib.metadata import version
assert nono_py.__version__ == version("nono-py") == "0.4.0", nono_py.__version__
beside = os.listdir(os.path.dirname(nono_py.__file__))
assert "libnono.so" in beside, beside
assert "site-packages" in nono_py.__file__, nono_py.__file__
caps = nono_py.CapabilitySet()
caps.allow_path(sys.argv[1], nono_py.AccessMode.READ_WRITE)
nono_py.apply(caps)
open(os.path.join(sys.argv[1], "allowed"), "w").close()
try:
    open(sys.argv[2]).read()
except PermissionError:
    print("contained")
"""


def interpreters() -> dict[str, Path]:
    """One CPython for each version, from pyenv and from PATH."""
    candidates = [*Path.home().glob(".pyenv/versions/*/bin/python3"), *Path("/usr/bin").glob("python3.*")]
    candidates += [Path("/usr/local/bin") / f"python{version}" for version in VERSIONS]
    found: dict[str, Path] = {}
    for candidate in candidates:
        if not re.fullmatch(r"python3(\.\d+)?", candidate.name) or not candidate.exists():
            continue
        asked = subprocess.run(
            [
                candidate,
                "-c",
                "import sys, sysconfig, os, venv, ensurepip;"
                "assert sys.implementation.name == 'cpython';"
                "assert os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h'));"
                "print('%d.%d' % sys.version_info[:2])",
            ],
            capture_output=True,
            text=True,
        )
        version = asked.stdout.strip()
        if asked.returncode == 0 and version in VERSIONS:
            found.setdefault(version, candidate)
    return found


def run(*command: str | Path, cwd: Path | None = None) -> str:
    result = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(str(word) for word in command)}\n{result.stdout}{result.stderr}")
    return result.stdout


def install_and_probe(python: Path, what: Path, scratch: Path) -> None:
    environment = scratch / "venv"
    run(python, "-m", "venv", "--clear", environment)
    run(environment / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", what)
    granted = scratch / "granted"
    granted.mkdir(exist_ok=True)
    secret = scratch / "secret"
    secret.write_text("secret")
    # Not in the clone: what is tested is what was installed.
    output = run(environment / "bin/python", "-c", PROBE, granted, secret, cwd=granted)
    if output.strip() != "contained":
        raise RuntimeError(f"not contained: {output}")


def refusal(clone: Path, what: str, *arguments: str, **environment: str) -> str:
    """Builds where something is missing; returns what is wrong with how that is told, or nothing."""
    command = [sys.executable, *arguments, "build_ext"]
    done = subprocess.run(command, cwd=clone, env={**os.environ, **environment}, capture_output=True, text=True)
    sentences = [line for line in done.stderr.splitlines() if what in line and "install" in line]
    built = list(clone.glob("build/**/*.o")) + list(clone.glob(".build-embedded/release/*"))
    if done.returncode == 0 or len(sentences) != 1 or "Traceback" in done.stderr or built:
        return f"exit status {done.returncode}, built {built}\n{done.stdout}{done.stderr}"
    return ""


def check_refusals(clone: Path) -> list[str]:
    """Without Swift, and without Python's headers, building stops at once with a sentence that says what to install."""
    without_headers = (
        "import runpy, sys, sysconfig; paths = sysconfig.get_paths();"
        "sysconfig.get_paths = lambda: {**paths, 'include': '/nonexistent'};"
        "sys.argv[0] = 'setup.py'; runpy.run_path('setup.py', run_name='__main__')"
    )
    return [
        refusal(clone, "Swift toolchain", "setup.py", PATH="/nonexistent"),
        refusal(clone, "Python.h", "-c", without_headers),
    ]


def main() -> int:
    passed = failed = 0
    found = interpreters()
    with tempfile.TemporaryDirectory(prefix="nono-install-") as name:
        scratch = Path(name)
        clone = scratch / "clone"
        run("git", "clone", "--quiet", ROOT, clone)
        for problem in check_refusals(clone):
            passed += not problem
            failed += bool(problem)
            print(f"where something is missing: {problem or 'says what to install'}", flush=True)
        run(sys.executable, "setup.py", "--quiet", "sdist", "--dist-dir", scratch / "dist", cwd=clone)
        (sdist,) = (scratch / "dist").glob("*.tar.gz")
        run("git", "clean", "--quiet", "-fdx", cwd=clone)
        for version in VERSIONS:
            if version not in found:
                print(f"CPython {version}: not on this machine, skipped")
                continue
            for label, what in (("clone", clone), ("sdist", sdist)):
                try:
                    install_and_probe(found[version], what, scratch)
                    print(f"CPython {version}: installed from the {label}, contains", flush=True)
                    passed += 1
                except RuntimeError as error:
                    print(f"CPython {version}, {label}: {error}", flush=True)
                    failed += 1
    print(f"{passed} passed, {failed} failed, {len(VERSIONS) - len(found)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
