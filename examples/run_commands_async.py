# SPDX-License-Identifier: Apache-2.0
"""Runs many commands at once under asyncio, streams what they say, and calls off those that take too long."""

import asyncio

from nono_py import CapabilitySet, prepare, sandboxed_exec_async

JOBS = {"quick": "echo done", "slow": "sleep 0.3; echo done", "endless": "echo begun; sleep 1000"}


async def run(name: str, script: str, caps: CapabilitySet) -> None:
    def show(stream: str, piece: bytes) -> None:
        print(f"{name} says on {stream}: {piece.decode().strip()}")

    job = sandboxed_exec_async(caps, ["/bin/sh", "-c", script], env={"PATH": "/usr/bin:/bin"}, on_output=show)
    try:
        result = await asyncio.wait_for(job, 5)
        print(f"{name} ended with {result.exit_code}")
    except asyncio.TimeoutError:
        # It has ended by now, and all that it started.
        print(f"{name} was called off")


async def main() -> None:
    caps = CapabilitySet()
    caps.allow_program("/bin/sh")
    caps.allow_program("sleep")
    caps.block_network()
    await asyncio.gather(*(run(name, script, caps) for name, script in JOBS.items()))

    # One sandbox for hundreds of commands.
    sandbox = prepare(caps)
    scripts = [f"exit {number % 7}" for number in range(300)]
    results = await asyncio.gather(*(sandboxed_exec_async(sandbox, ["/bin/sh", "-c", script]) for script in scripts))
    print(f"{len(results)} commands, {sum(result.exit_code == 0 for result in results)} of them with exit code 0")


if __name__ == "__main__":
    asyncio.run(main())
