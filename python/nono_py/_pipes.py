# SPDX-License-Identifier: Apache-2.0
"""Pipes to and from a command: what is fed, what is kept, and how much is there when the command has ended."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from collections.abc import Callable

from nono_py import _nono_py

PIECE = 65536


def readable(descriptor: int) -> int:
    """How many bytes are in a pipe now."""
    size: int = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0\0\0\0"))[0]
    return size


class Feed:
    """Bytes on their way into a pipe, which stays the caller's to close."""

    def __init__(self, descriptor: int, data: bytes) -> None:
        self._descriptor = descriptor
        self._left = memoryview(data)
        os.set_blocking(descriptor, False)

    def write(self) -> bool:
        """Write what fits; return whether that was all, or nobody reads it any more."""
        try:
            self._left = self._left[os.write(self._descriptor, self._left[:PIECE]) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            return True
        return not self._left


class Capture:
    """One output of a command: what is kept, what is cut, who listens."""

    def __init__(self, number: int, most: int, listener: Callable[[str, bytes], object] | None) -> None:
        self.kept = bytearray()
        self.cut = 0
        self._name = "stdout" if number == 1 else "stderr"
        self._most = most
        self._listener = listener

    def receive(self, piece: bytes) -> None:
        kept = piece[: self._most - len(self.kept)]
        self.kept += kept
        self.cut += len(piece) - len(kept)
        if self._listener is not None:
            self._listener(self._name, piece)


def take(handle: _nono_py.ProcessHandle, number: int) -> int | None:
    """Our end of a pipe of the command, ours to close; None if that stream is no pipe."""
    descriptor = handle.take(number)
    return None if descriptor < 0 else descriptor
