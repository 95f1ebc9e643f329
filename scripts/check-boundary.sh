#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shows that the compiler compares every exported Swift function with its declaration in include/nono.h: functions that
# differ in one thing must not compile, and the same function without the difference must, or the refusals would prove
# nothing. Then checks that every export is written in the form for which this holds.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# compile NAME PARAMETERS RESULT: compiles one export with that signature.
compile() {
    {
        echo 'public import CNono'
        echo "@_cdecl(\"$1\") @implementation"
        echo "public func $1($2)$3 { fatalError() }"
    } >"$scratch/export.swift"
    swiftc -typecheck -swift-version 6 -parse-as-library -module-cache-path "$scratch/cache" \
        -enable-experimental-feature CImplementation -enable-upcoming-feature InternalImportsByDefault \
        -I Sources/CNono/include "$scratch/export.swift" >"$scratch/output" 2>&1
}

accept() {
    if ! compile "$@"; then
        echo "should compile, and does not: func $1($2)$3" >&2
        cat "$scratch/output" >&2
        failures=$((failures + 1))
    fi
}

# The error must be about the declaration: a test that cannot find the module would refuse everything too.
refuse() {
    if compile "$@"; then
        echo "should not compile, and does: func $1($2)$3" >&2
        failures=$((failures + 1))
    elif ! grep -q 'error:.*'"$1" "$scratch/output"; then
        echo "refused for another reason than $1:" >&2
        cat "$scratch/output" >&2
        failures=$((failures + 1))
    fi
}

function=nono_capability_set_fs_access
accept $function '_ caps: OpaquePointer?, _ index: UInt' ' -> UInt32'
refuse $function '_ caps: OpaquePointer?, _ index: UInt32' ' -> UInt32'
refuse $function '_ caps: OpaquePointer?, _ index: Int' ' -> UInt32'
refuse $function '_ caps: UnsafeMutableRawPointer?, _ index: UInt' ' -> UInt32'
refuse $function '_ caps: OpaquePointer?' ' -> UInt32'
refuse $function '_ caps: OpaquePointer?, _ index: UInt, _ more: UInt' ' -> UInt32'
refuse $function '_ index: UInt, _ caps: OpaquePointer?' ' -> UInt32'
refuse $function '_ caps: OpaquePointer?, _ index: UInt' ' -> UInt64'
refuse $function '_ caps: OpaquePointer?, _ index: UInt' ''
accept nono_clear_error '' ''
refuse nono_no_such_function '' ''

# A function that each system implements in its own way counts once.
exports=$(grep -rho '^@_cdecl("[a-z0-9_]*")' Sources --include='*.swift' | sort -u | wc -l)
bare=$(grep -rn '@_cdecl' Sources --include='*.swift' | grep -v ':@_cdecl("nono_[a-z0-9_]*") @implementation$' || true)
if [ -n "$bare" ]; then
    printf 'exported without @implementation, which alone is compared:\n%s\n' "$bare" >&2
    failures=$((failures + 1))
fi
declared=$(scripts/header-functions.sh | wc -l)
if [ "$exports" -ne "$declared" ]; then
    echo "$exports exported Swift functions, $declared declared in include/nono.h" >&2
    failures=$((failures + 1))
fi

[ "$failures" -eq 0 ] || exit 1
echo "all $exports exports are compared with include/nono.h"
