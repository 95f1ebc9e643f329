#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks a built library: it exports the functions of include/nono.h and nothing else, and has the properties that
# programs, packagers and the size budget rely on. Prints each violation, and fails if there is one.
#   scripts/check-exports.sh LIBRARY
set -eu
library=$(realpath "${1:?usage: scripts/check-exports.sh LIBRARY}")
cd "$(dirname "$0")/.."
most_bytes=400000
violations=0

violation() {
    echo "$library: $1" >&2
    violations=$((violations + 1))
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
scripts/header-functions.sh | sort >"$scratch/declared"
# Everything that another object could bind to, functions or not.
exported() {
    case $library in
    *.dylib) nm -gU "$library" | awk '{ sub(/^_/, "", $3); print $3 }' ;;
    *)
        readelf -W --dyn-syms "$library" |
            awk '$1 ~ /^[0-9]+:$/ && $5 != "LOCAL" && $7 != "UND" { print ($4 == "FUNC" ? $8 : $8 " (" $4 ")") }'
        ;;
    esac
}
exported | sort >"$scratch/exported"
[ -s "$scratch/declared" ] || violation "no function found in include/nono.h"
for name in $(comm -23 "$scratch/declared" "$scratch/exported"); do
    violation "does not export $name"
done
comm -13 "$scratch/declared" "$scratch/exported" >"$scratch/extra"
while read -r name; do
    violation "exports $name, which include/nono.h does not declare"
done <"$scratch/extra"

check_elf() {
    readelf -W --dynamic "$library" >"$scratch/dynamic"
    readelf -W --program-headers "$library" >"$scratch/segments"

    soname=$(sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' "$scratch/dynamic")
    [ "$soname" = libnono.so ] || violation "has the SONAME '$soname', not libnono.so"
    for needed in $(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$scratch/dynamic"); do
        case $needed in
        libc.so.6 | libm.so.6) ;;
        *) violation "needs $needed" ;;
        esac
    done
    for path in $(sed -n 's/.*(R\(UN\)\{0,1\}PATH).*\[\(.*\)\]/\2/p' "$scratch/dynamic"); do
        # shellcheck disable=SC2016 # the loader's variable, not the shell's
        [ "$path" = '$ORIGIN' ] || violation "looks for libraries in $path"
    done
    if grep -q '(TEXTREL)' "$scratch/dynamic"; then
        violation "changes its own code when it is loaded (TEXTREL)"
    fi
    stack=$(awk '$1 == "GNU_STACK" { print $7 }' "$scratch/segments")
    [ "$stack" = RW ] || violation "asks for the stack flags '$stack', not RW"
    if awk '$1 == "LOAD" && /RWE/ { found = 1 } END { exit !found }' "$scratch/segments"; then
        violation "has a segment that is writable and executable"
    fi
    grep -q 'GNU_RELRO' "$scratch/segments" || violation "leaves its relocations writable (no RELRO)"
}

check_macho() {
    name=$(otool -D "$library" | tail -n 1)
    [ "$name" = @rpath/libnono.dylib ] || violation "has the install name '$name', not @rpath/libnono.dylib"
    for needed in $(otool -L "$library" | awk 'NR > 2 { print $1 }'); do
        case $needed in
        /usr/lib/* | /System/Library/*) ;;
        *) violation "needs $needed" ;;
        esac
    done
    codesign --verify "$library" || violation "has no valid signature"
}

case $library in
*.dylib) check_macho ;;
*) check_elf ;;
esac

strip $(case $library in *.dylib) echo -x ;; esac) -o "$scratch/stripped" "$library"
bytes=$(wc -c <"$scratch/stripped" | tr -d ' ')
case $library in
*.dylib) ;; # ordinary Swift
*) [ "$bytes" -le "$most_bytes" ] || violation "is $bytes bytes stripped, more than $most_bytes" ;;
esac

[ "$violations" -eq 0 ] || exit 1
echo "$library: $(wc -l <"$scratch/exported" | tr -d ' ') functions, $bytes bytes, as include/nono.h declares"
