#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs tests in a free-threaded CPython under ThreadSanitizer: the library, the extension and the interpreter. That the
# extension needs no GIL (Py_mod_gil in python/src/module.c) rests on this.
#   scripts/check-threads.sh PYTHON SUPPRESSIONS [TEST...]
# PYTHON is a CPython 3.13 or newer that was configured with CC=gcc --disable-gil --with-thread-sanitizer, SUPPRESSIONS
# the file Tools/tsan/suppressions_free_threading.txt of its sources: the interpreter has races of its own, which its
# developers list there. Without tests it runs those of threads and of what threads share.
set -eu
cd "$(dirname "$0")/.."
usage="usage: scripts/check-threads.sh PYTHON SUPPRESSIONS [TEST...]"
python=${1:?$usage}
suppressions=$(realpath "${2:?$usage}")
shift 2
[ $# -gt 0 ] || set -- tests-py/test_threads.py tests-py/test_query.py tests-py/test_capability_set.py \
    tests-py/test_state.py tests-py/test_processes.py

base=build/threads
packages=$PWD/$base/packages
rm -rf "$packages"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --target "$packages" pytest setuptools
export PYTHONPATH="$packages"
NONO_SCRATCH=$base/swift NONO_SWIFT_FLAGS=--sanitize=thread \
    "$python" setup.py --quiet build --build-base "$base" --build-lib "$packages"

# The library comes from another compiler than the interpreter. Of what it calls, GCC's runtime has all but these.
gcc -O1 -shared -fPIC -fsanitize=thread -fno-builtin -x c -o "$base/memory.so" - <<'END'
#include <string.h>
void *__tsan_memcpy(void *to, const void *from, size_t size) { return memcpy(to, from, size); }
void *__tsan_memmove(void *to, const void *from, size_t size) { return memmove(to, from, size); }
void *__tsan_memset(void *at, int byte, size_t size) { return memset(at, byte, size); }
END

export TSAN_OPTIONS="exitcode=66 suppressions=$suppressions" LD_PRELOAD="$PWD/$base/memory.so"
"$python" -c 'import sys, nono_py; sys.exit(sys._is_gil_enabled())'
"$python" -m pytest -p no:cacheprovider "$@"
