#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the library that ships and puts it, stripped, where the first argument says: in Embedded Swift on Linux, in
# ordinary Swift on macOS, which has the runtime. The Makefile and setup.py both build through this script. Needs the
# Swift toolchain, on macOS of Xcode or its command line tools, and nothing else.
set -eu
cd "$(dirname "$0")/.."
output=${1:?usage: scripts/build-library.sh OUTPUT}

if ! command -v swift >/dev/null 2>&1; then
    echo "libnono needs the Swift toolchain 6.1 or newer to build, and there is no 'swift' on PATH: install it from https://www.swift.org/install and try again" >&2
    exit 1
fi

# The linker exports exactly what the header declares.
functions() {
    sed -n 's/^NONO_API .*[ *]\(nono_[a-z0-9_]*\)(.*/\1/p' include/nono.h
}

# Writes a file only if its contents change, so that nothing is linked anew for it.
update() {
    mkdir -p "$(dirname "$1")"
    cat >"$1.new"
    if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

if [ "$(uname -s)" = Darwin ]; then
    scratch=.build-release
    functions | sed 's/^/_/' | update "$scratch/nono.exports"
    NONO_LINK_FLAGS="-Xlinker -exported_symbols_list -Xlinker $PWD/$scratch/nono.exports -Xlinker -dead_strip" \
        swift build --configuration release --product nono --scratch-path "$scratch" --disable-sandbox ${NONO_SWIFT_FLAGS:-}
    mkdir -p "$(dirname "$output")"
    strip -x -o "$output.new" "$scratch/release/libnono.dylib"
    # Who links to the library finds it beside itself, or where it says. Changing it invalidates its signature.
    install_name_tool -id @rpath/libnono.dylib "$output.new"
    codesign --force --sign - "$output.new"
    mv "$output.new" "$output"
    exit
fi
scratch=${NONO_SCRATCH:-.build-embedded}
map=$scratch/nono.map
{
    echo '{ global:'
    functions | sed 's/.*/  &;/'
    echo '  local: *; };'
} | update "$map"

# String comparison needs these tables, which the toolchain does not link by itself.
target=$(swiftc -print-target-info)
resources=$(printf '%s' "$target" | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
triple=$(printf '%s' "$target" | sed -n 's/.*"unversionedTriple": "\(.*\)".*/\1/p')
tables=$resources/embedded/$triple/libswiftUnicodeDataTables.a
if [ ! -f "$tables" ]; then
    echo "this Swift toolchain cannot build Embedded Swift for $triple: $tables is missing" >&2
    exit 1
fi

# lld, which comes with the toolchain, keeps one of several functions that were compiled to the same instructions.
fold=
if [ -x "$(dirname "$(readlink -f "$(command -v swiftc)")")/ld.lld" ]; then
    fold="-Xswiftc -use-ld=lld -Xlinker --icf=all"
fi

# A sanitizer's functions are those of the program that loads the library.
case ${NONO_SWIFT_FLAGS:-} in
*--sanitize*) undefined="-Xlinker --unresolved-symbols=ignore-all" ;;
*) undefined="-Xlinker -z -Xlinker defs" ;;
esac

# Nothing from the toolchain is needed at run time, so its path is left out. The library stays loaded for good: threads
# that had an error run its code when they end.
NONO_EMBEDDED=1 NONO_LINK_FLAGS="-Xlinker -soname=libnono.so $undefined -Xlinker -z -Xlinker nodelete -Xlinker -z -Xlinker now -Xlinker -z -Xlinker relro -Xlinker --gc-sections -Xlinker --version-script=$PWD/$map $tables -lm" \
    swift build --configuration release --product nono --scratch-path "$scratch" -Xswiftc -no-toolchain-stdlib-rpath --disable-sandbox $fold ${NONO_SWIFT_FLAGS:-}
mkdir -p "$(dirname "$output")"
strip -o "$output.new" "$scratch/release/libnono.so"
mv "$output.new" "$output"
