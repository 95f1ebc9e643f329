#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shows that the code which runs beside the program's threads in a process of its own, on the program's memory, calls
# nothing but itself and reads no thread-local storage (nono_raw.h). Looks at what the compiler made of it.
set -eu
cd "$(dirname "$0")/.."
objects=$(echo .build-embedded/*/release/CNono.build)
allowed='^nono_(command_(run|restrict)|raw_clone|raw_drop_capabilities|keeper_(close_all_but|enter_scope|settle|supervise))$'
failures=0

for name in keeper command template raw_clone; do
    object=$objects/$name.c.o
    if [ ! -f "$object" ]; then
        echo "$object is missing: build the library first" >&2
        exit 1
    fi
    for symbol in $(nm --undefined-only --format=posix "$object" | cut -d' ' -f1 | grep -Ev "$allowed" || true); do
        echo "$name.c calls $symbol" >&2
        failures=$((failures + 1))
    done
    if objdump --disassemble --no-show-raw-insn "$object" | grep -E '%fs:|tpidr_el0' >&2; then
        echo "$name.c reads thread-local storage" >&2
        failures=$((failures + 1))
    fi
done

# One function of a file whose others may use libc.
body=$(objdump --disassemble=nono_raw_drop_capabilities --no-show-raw-insn .build-embedded/release/libnono.so)
case $body in
*syscall* | *svc*) ;;
*)
    echo "capabilities.c has no nono_raw_drop_capabilities" >&2
    failures=$((failures + 1))
    ;;
esac
if printf '%s\n' "$body" | grep -E 'call|bl |%fs:|tpidr_el0' | grep -v syscall >&2; then
    echo "nono_raw_drop_capabilities calls something" >&2
    failures=$((failures + 1))
fi

[ "$failures" -eq 0 ] || exit 1
echo "what shares the program's memory calls nothing of libc"
