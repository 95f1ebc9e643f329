#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the C tests that the Makefile has built, prints one line for each program and one total, and fails if a check
# failed, a program died or leaked, or no test calls a function of the header.
#   run.sh DIRECTORY [SHIM]
# Without the shim, as on macOS, runs what does without it, and leaves that question open.
set -u
directory=${1:?usage: run.sh DIRECTORY [SHIM]}
shim=${2:-}
log=$directory/log
passed=0 failed=0 skipped=0

export ASAN_OPTIONS=${shim:+detect_leaks=1:}detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
unset NONO_TEST_FAIL NONO_TEST_TRACE NONO_TEST_LANDLOCK_ABI

# run LABEL PROGRAM [VARIABLE=VALUE...]
run() {
    label=$1 program=$2
    shift 2
    status=0
    env "$@" "$directory/$program" >"$log" 2>"$log.err" || status=$?
    cat "$log.err" >&2
    counts=$(sed -n 's/^[a-z_]*: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log")
    # What ends without a count, or badly after a good one (a leak, a sanitizer), is a failure of its own.
    set -- ${counts:-0 0 0}
    bad=$2
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] || [ -z "$counts" ]; then
        echo "$label: ended with status $status" >&2
        bad=$((bad + 1))
    fi
    echo "$label: $1 passed, $bad failed, $3 skipped"
    passed=$((passed + $1)) failed=$((failed + bad)) skipped=$((skipped + $3))
}

for path in "$directory"/test_*; do
    program=${path##*/}
    case $program in
    *.o | *.dSYM) ;;
    test_shim_*) run "${program#test_}" "$program" LD_PRELOAD="$shim" ;;
    *) run "${program#test_}" "$program" ;;
    esac
done

if [ -z "$shim" ]; then
    echo "C tests: $passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
fi

# The same where openat2 is missing (an old kernel) or forbidden (an old container): paths are walked instead.
for program in test_paths test_swaps test_effects test_queries; do
    run "${program#test_} without openat2" "$program" LD_PRELOAD="$shim" NONO_TEST_FAIL=openat2:38
done
run "swaps with openat2 forbidden" test_swaps LD_PRELOAD="$shim" NONO_TEST_FAIL=openat2:1

# Every function of the header is called by some test.
nm -u "$directory"/*.o | awk '$2 ~ /^nono_/ { print $2 }' | sort -u >"$log.called"
../../scripts/header-functions.sh | sort -u >"$log.declared"
for function in $(comm -13 "$log.called" "$log.declared"); do
    echo "no C test calls $function" >&2
    failed=$((failed + 1))
done

if [ "$skipped" -gt 0 ]; then
    echo "C tests: $skipped skipped"
fi
echo "C tests: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
