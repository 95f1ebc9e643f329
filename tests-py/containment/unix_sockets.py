# SPDX-License-Identifier: Apache-2.0
"""Unix sockets of programs outside: by abstract name, which Landlock scopes, and by path, which it knows from ABI 9."""

from __future__ import annotations

import array
import os
import select
import socket

from containment.network import has_arrived
from containment.registry import Policy, hole
from containment.stage import MOMENT, Enter, Stage

BLOCKED = Policy(unix_sockets=False)
ALL_BUT_UNIX = Policy(unix_sockets=False, network=True)
WITHOUT_SCOPES = (1, 5)


def address(stage: Stage, is_abstract: bool) -> bytes:
    return b"\0nono-" + stage.secret if is_abstract else os.fsencode(stage.outside / "socket")


def connect(stage: Stage, is_abstract: bool) -> bool:
    server = socket.socket(socket.AF_UNIX)
    server.bind(address(stage, is_abstract))
    server.listen()

    def act(enter: Enter) -> None:
        enter()
        socket.socket(socket.AF_UNIX).connect(address(stage, is_abstract))

    stage.run(act)
    return bool(select.select([server], [], [], MOMENT)[0])


def send(stage: Stage, is_abstract: bool, from_pair: bool = False) -> bool:
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(address(stage, is_abstract))

    def act(enter: Enter) -> None:
        enter()
        if from_pair:
            sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0]
        else:
            sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sender.sendto(stage.secret, address(stage, is_abstract))

    stage.run(act)
    return has_arrived(receiver, stage.secret)


@hole("abstract-connect", "connects to an abstract socket", unenforced="abstract_unix_sockets", abis=WITHOUT_SCOPES)
def abstract_connect(stage: Stage) -> bool:
    return connect(stage, is_abstract=True)


@hole("abstract-send", "sends to an abstract socket", unenforced="abstract_unix_sockets", abis=WITHOUT_SCOPES)
def abstract_send(stage: Stage) -> bool:
    return send(stage, is_abstract=True)


@hole("abstract-pair", "sends to an abstract socket from a pair", unenforced="abstract_unix_sockets", abis=(5,))
def abstract_pair(stage: Stage) -> bool:
    return send(stage, is_abstract=True, from_pair=True)


@hole("path-connect", "connects to a socket by path", unenforced="pathname_unix_sockets")
def path_connect(stage: Stage) -> bool:
    return connect(stage, is_abstract=False)


@hole("path-send", "sends to a socket by path", unenforced="pathname_unix_sockets")
def path_send(stage: Stage) -> bool:
    return send(stage, is_abstract=False)


def receive_descriptor(stage: Stage) -> bool:
    """A server that hands an open secret to everyone who comes."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(address(stage, is_abstract=False))
    server.listen()

    def serve() -> None:
        file = os.open(stage.secret_file, os.O_RDONLY)
        visitor = server.accept()[0]
        visitor.sendmsg([b"!"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])

    def act(enter: Enter) -> bytes:
        enter()
        client = socket.socket(socket.AF_UNIX)
        client.connect(address(stage, is_abstract=False))
        ancillary = client.recvmsg(1, socket.CMSG_SPACE(4))[1]
        return os.read(array.array("i", ancillary[0][2][:4])[0], 100)

    with stage.bystander(serve):
        return stage.reads_secret(act)


@hole("path-rights", "is handed a secret by a server, SCM_RIGHTS", unenforced="pathname_unix_sockets")
def path_rights(stage: Stage) -> bool:
    return receive_descriptor(stage)


@hole("blocked-abstract-connect", "unix sockets blocked: connects to an abstract socket", policy=BLOCKED, abis=(5,))
def blocked_abstract_connect(stage: Stage) -> bool:
    return connect(stage, is_abstract=True)


@hole("blocked-path-connect", "unix sockets blocked: connects by path", policy=BLOCKED, abis=(1,))
def blocked_path_connect(stage: Stage) -> bool:
    return connect(stage, is_abstract=False)


@hole(
    "blocked-path-connect-allowed",
    "unix sockets blocked, the network not: connects by path",
    policy=ALL_BUT_UNIX,
    abis=(1,),
)
def blocked_path_connect_allowed(stage: Stage) -> bool:
    return connect(stage, is_abstract=False)


@hole("blocked-path-send", "unix sockets blocked: sends by path", policy=BLOCKED, abis=(1,))
def blocked_path_send(stage: Stage) -> bool:
    return send(stage, is_abstract=False)


@hole("blocked-path-pair", "unix sockets blocked: sends by path from a pair", policy=BLOCKED, abis=(1,))
def blocked_path_pair(stage: Stage) -> bool:
    return send(stage, is_abstract=False, from_pair=True)


@hole(
    "blocked-path-pair-allowed", "unix sockets blocked, the network not: sends by path from a pair", policy=ALL_BUT_UNIX
)
def blocked_path_pair_allowed(stage: Stage) -> bool:
    return send(stage, is_abstract=False, from_pair=True)


@hole("blocked-path-rights", "unix sockets blocked: is handed a secret, SCM_RIGHTS", policy=BLOCKED)
def blocked_path_rights(stage: Stage) -> bool:
    return receive_descriptor(stage)
