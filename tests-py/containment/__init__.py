# SPDX-License-Identifier: Apache-2.0
"""Ways out of a sandbox, each tried without one and within one, and judged by what came of it.

A case runs under any implementation of nono_py's API: ours, and the originals that the table compares it with.
"""
