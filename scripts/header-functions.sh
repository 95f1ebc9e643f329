#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the functions that include/nono.h declares for export, one a line, as a compiler understands the header.
# scripts/build-library.sh makes its list of exports from the text; what checks the library must not make the same
# mistake.
set -eu
cd "$(dirname "$0")/.."
clang -fsyntax-only -x c -std=c11 -Xclang -ast-dump -fno-color-diagnostics include/nono.h | awk '
    # A declaration at the top: its name stands before its type, which is quoted. Its attributes are below it.
    /^[|`]-/ { name = "" }
    /^[|`]-FunctionDecl / { split($0, part, " \047"); count = split(part[1], word, " "); name = word[count] }
    name != "" && /VisibilityAttr .* Default$/ { print name; name = "" }'
