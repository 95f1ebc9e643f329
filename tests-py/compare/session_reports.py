# SPDX-License-Identifier: Apache-2.0
"""Asks the original 0.16.0 again for the reports in Tests/Data/session-diagnostics.jsonl, and prints what differs.

To be run by an interpreter that has the original; tests-py/test_diagnostics.py does. EMITTER is a static program that
writes its arguments, in hexadecimal, to its standard error and ends with the first: nothing but that file is granted to
it besides what the record grants.

    python session_reports.py EMITTER < Tests/Data/session-diagnostics.jsonl
"""

import json
import sys
from typing import Any

import nono_py

MODES = {
    "read": nono_py.AccessMode.READ,
    "write": nono_py.AccessMode.WRITE,
    "read+write": nono_py.AccessMode.READ_WRITE,
}


def ask(record: "dict[str, Any]", emitter: str) -> str:
    """What the original says of the run, without what every report has around it."""
    original: Any = nono_py
    caps = nono_py.CapabilitySet()
    caps.allow_file(emitter, nono_py.AccessMode.READ)
    for path, mode, is_file in record.get("grants", []):
        (caps.allow_file if is_file else caps.allow_path)(path, MODES[mode])
    if record.get("network_blocked"):
        caps.block_network()
    output = record["stderr"].encode() if "stderr" in record else bytes.fromhex(record["stderr_hex"])
    exit_code = record.get("exit_code", 1)
    result = original.sandboxed_exec(caps, [emitter, str(exit_code), output.hex()], cwd=record.get("cwd", "/proc"))
    assert (result.exit_code, result.stderr) == (exit_code, output)
    empty = json.dumps(original.build_session_diagnostic_report(exit_code), separators=(",", ":"))
    start = empty.index('"diagnostics":[') + len('"diagnostics":[')
    text: str = result.session_diagnostics_json()
    assert text.startswith(empty[:start])
    assert text.endswith(empty[start:])
    return text[start : len(text) - len(empty[start:])].removesuffix(",")


def main() -> None:
    for line in sys.stdin:
        record = json.loads(line)
        answer = ask(record, sys.argv[1])
        if answer != record["original"]:
            print(json.dumps({**record, "answer": answer}, ensure_ascii=False))


if __name__ == "__main__":
    main()
