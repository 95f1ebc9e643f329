# SPDX-License-Identifier: Apache-2.0
"""What must keep working inside a sandbox: one case for each thing, run by test_working.py in a process of its own."""
