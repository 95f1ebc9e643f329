#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles what macOS would compile, for its processors, without a Mac: all C of it, and all Swift as far as types.
# Nothing is linked or run. Prints what does not compile, and fails then.
#
# A Swift toolchain for Linux has no standard library for arm64-apple-macos ("unable to load standard library for
# target"), but the embedded one for Mach-O without an operating system; `#if os(macOS)` is therefore false here, and
# NONO_SEATBELT_STAND_IN takes its place. The C headers are stand-ins too, unless NONO_MACOS_HEADERS names real ones.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
headers=${NONO_MACOS_HEADERS:-Tests/macos-headers}

# What Package.swift leaves out on macOS.
left_out=$(sed -n '/^#else/,/^#endif/p' Package.swift | grep -o '"[A-Za-z_]*\.\(c\|swift\)"' | tr -d '"')
files=0
for file in Sources/CNono/*.c; do
    case " $(echo $left_out) " in
    *" ${file##*/} "*) continue ;;
    esac
    for processor in arm64 x86_64; do
        clang --target=$processor-apple-macos13 -fsyntax-only -std=c11 -Wall -Wextra -Wpedantic -Werror \
            -fvisibility=hidden -nostdlibinc -isystem "$headers" -I Tests/SeatbeltStandIn/include -I Sources/CNono/include \
            "$file"
    done
    files=$((files + 1))
done
for name in $left_out; do
    [ -f "Sources/CNono/$name" ] || [ -f "Sources/NonoABI/$name" ] || { echo "Package.swift leaves out $name, which is not there" >&2; exit 1; }
done

for module in NonoCore NonoSystem NonoDarwin NonoABI; do
    sources=
    for file in Sources/$module/*.swift; do
        case " $(echo $left_out) " in
        *" ${file##*/} "*) ;;
        *) sources="$sources $file" ;;
        esac
    done
    # shellcheck disable=SC2086 # a list of files
    swiftc -emit-module -module-name $module -o "$scratch/$module.swiftmodule" -parse-as-library -wmo -Osize \
        -target arm64-apple-none-macho -enable-experimental-feature Embedded -D NONO_SEATBELT_STAND_IN \
        -swift-version 6 -warnings-as-errors -enable-experimental-feature CImplementation \
        -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault \
        -enable-upcoming-feature MemberImportVisibility -module-cache-path "$scratch/cache" \
        -I "$scratch" -I Sources/CNono/include -Xcc -nostdlibinc -Xcc -isystem -Xcc "$PWD/Tests/macos-headers" $sources
done
echo "for macOS: $files C files and 4 Swift modules compile"
