# SPDX-License-Identifier: Apache-2.0
"""Threads that exist before the sandbox. They share memory with whoever is in it."""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from containment.registry import hole
from containment.stage import Enter, Stage, Unprovable, read
from containment.system import call, libc


class Worker:
    """A thread that exists from now on and acts when it is asked to."""

    def __init__(self) -> None:
        self._go = threading.Event()
        self._action: Callable[[], object] = bytes
        self._future: Future[object] = Future()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        self._go.wait()
        try:
            self._future.set_result(self._action())
        except BaseException as error:
            self._future.set_exception(error)

    def do(self, action: Callable[[], object]) -> bytes:
        self._action = action
        self._go.set()
        result = self._future.result(8)
        return result if isinstance(result, bytes) else b""


@hole("thread", "a thread from before reads a secret", abis=(7,))
def thread(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        worker = Worker()
        enter()
        return worker.do(lambda: read(stage.secret_file))

    return stage.reads_secret(act)


@hole("thread-pool", "a worker of a ThreadPoolExecutor reads a secret")
def thread_pool(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(int).result()
            enter()
            return pool.submit(read, stage.secret_file).result()

    return stage.reads_secret(act)


@hole("thread-asyncio", "asyncio.to_thread() reads a secret")
def thread_asyncio(stage: Stage) -> bool:
    async def work(enter: Enter) -> bytes:
        await asyncio.to_thread(int)
        enter()
        return await asyncio.to_thread(read, stage.secret_file)

    return stage.reads_secret(lambda enter: asyncio.run(work(enter)))


def read_in_c(stage: Stage, blocks: int) -> bool:
    helper = stage.helper
    path = os.fsencode(stage.secret_file)

    def act(enter: Enter) -> bytes:
        assert helper.start_reader(0, path, blocks) == 0
        enter()
        content = ctypes.create_string_buffer(64)
        length = helper.finish_reader(0, content)
        if length < 0:
            raise OSError(-length, os.strerror(-length))
        return content.raw[:length]

    return stage.reads_secret(act)


@hole("thread-c", "a thread of a C library reads a secret", abis=(7,))
def thread_c(stage: Stage) -> bool:
    return read_in_c(stage, 0)


@hole("thread-c-masked", "a C thread that blocks every signal reads a secret")
def thread_c_masked(stage: Stage) -> bool:
    return read_in_c(stage, 1)


@hole("thread-c-deaf", "a C thread that blocks those of libc too reads a secret", may_refuse=True)
def thread_c_deaf(stage: Stage) -> bool:
    return read_in_c(stage, 2)


@hole("thread-blocked", "a thread that was blocked in read() reads a secret", abis=(7,))
def thread_blocked(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        receiver, sender = os.pipe()
        with ThreadPoolExecutor(1) as pool:
            task = pool.submit(lambda: os.read(receiver, 1) + read(stage.secret_file))
            enter()
            os.write(sender, b"!")
            return task.result()[1:]

    return stage.reads_secret(act)


@hole("thread-fifty", "one of fifty threads reads a secret", abis=(7,))
def thread_fifty(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        workers = [Worker() for _ in range(50)]
        enter()
        return first_of(workers, lambda: read(stage.secret_file))

    return stage.reads_secret(act)


def first_of(workers: list[Worker], action: Callable[[], bytes]) -> bytes:
    """Return what the first worker brings that can perform the action; all try."""
    refusal: OSError | None = None
    for worker in workers:
        try:
            return worker.do(action)
        except OSError as error:
            refusal = error
    raise refusal or OSError("nobody tried")


@hole("thread-main", "the main thread reads a secret, the sandbox being applied in a worker", abis=(7,))
def thread_main(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(enter).result()
        return read(stage.secret_file)

    return stage.reads_secret(act)


@hole("thread-meanwhile", "threads that are started while it is applied read a secret", abis=(7,))
def thread_meanwhile(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        workers: list[Worker] = []
        is_over = threading.Event()

        def start_more() -> None:
            while not is_over.is_set() and len(workers) < 400:
                workers.append(Worker())

        starter = threading.Thread(target=start_more)
        starter.start()
        enter()
        is_over.set()
        starter.join()
        return first_of(workers, lambda: read(stage.secret_file))

    return stage.reads_secret(act)


@hole("thread-starts-thread", "a thread from before starts another, which reads a secret")
def thread_starts_thread(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        worker = Worker()
        enter()
        return worker.do(lambda: Worker().do(lambda: read(stage.secret_file)))

    return stage.reads_secret(act)


@hole("thread-starts-program", "a thread from before runs cat on a secret")
def thread_starts_program(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        worker = Worker()
        enter()
        return worker.do(lambda: cat(stage))

    return stage.reads_secret(act)


def output_of(*command: str) -> bytes:
    receiver, sender = os.pipe()
    child = os.posix_spawnp(
        command[0],
        command,
        dict(os.environ),
        file_actions=[(os.POSIX_SPAWN_DUP2, sender, 1), (os.POSIX_SPAWN_CLOSE, 2)],
    )
    os.close(sender)
    os.waitpid(child, 0)
    with os.fdopen(receiver, "rb") as file:
        return file.read()


def cat(stage: Stage) -> bytes:
    """Have cat read the secret, after a file that it may read: otherwise there is no telling what stopped it."""
    allowed = stage.project / "allowed"
    allowed.write_text("allowed")
    assert output_of("cat", str(allowed)) == b"allowed"
    return output_of("cat", str(stage.secret_file))


@hole("thread-filtered", "a thread with a seccomp filter of its own reads a secret", may_refuse=True)
def thread_filtered(stage: Stage) -> bool:
    # One instruction: allow everything. A filter that not all threads share cannot be brought to all of them.
    program = ctypes.create_string_buffer(b"\x06\0\0\0\0\0\xff\x7f", 8)
    head = ctypes.create_string_buffer(16)
    ctypes.memmove(head, ctypes.c_uint16(1).value.to_bytes(2, "little"), 2)
    ctypes.memmove(ctypes.addressof(head) + 8, ctypes.addressof(program).to_bytes(8, "little"), 8)

    def act(enter: Enter) -> bytes:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(filter_this_thread).result()
            enter()
            return pool.submit(read, stage.secret_file).result()

    def filter_this_thread() -> None:
        if libc.prctl(38, 1, 0, 0, 0) != 0:
            raise Unprovable("no_new_privs cannot be set")
        call("seccomp", 1, 0, head)

    return stage.reads_secret(act)
