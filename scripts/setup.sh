#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes sure that what the build and the tests need is there. On Debian, root gets what is missing; everybody else is
# told what to install.
set -eu

if ! command -v swift >/dev/null 2>&1; then
    echo "libnono needs the Swift toolchain 6.1 or newer, and there is no 'swift' on PATH: install it from https://www.swift.org/install and try again" >&2
    exit 1
fi

if [ "$(uname -s)" = Darwin ]; then
    # Xcode's command line tools, where swift is from, have all the rest.
    exit 0
fi

packages="binutils g++ gcc git libc6-dev libffi-dev make pkg-config python3 python3-dev python3-venv"
if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "not a Debian system: what the build needs is there under other names than these: $packages" >&2
    exit 0
fi

missing=
for package in $packages; do
    case $(dpkg-query --show --showformat '${Status}' "$package" 2>/dev/null) in
        *' installed') ;;
        *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "these Debian packages are missing; install them and try again:$missing" >&2
    exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet --quiet
# shellcheck disable=SC2086 # a list of words
apt-get install --quiet --quiet --yes --no-install-recommends $missing
