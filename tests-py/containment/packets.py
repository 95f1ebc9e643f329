# SPDX-License-Identifier: Apache-2.0
"""The network below and beside TCP and UDP. With it allowed, what only root may do stays closed."""

from __future__ import annotations

import os
import select
import socket
import struct

from containment.network import datagram_receiver, datagram_sender, send_out
from containment.registry import Policy, hole
from containment.stage import MOMENT, Enter, Stage, Unprovable
from containment.system import call

ALLOWED = Policy(network=True)
NEW_NET = 0x40000000  # CLONE_NEWNET


def raw_sender(port: int, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as sender:
        sender.sendto(struct.pack("!4H", port, port, 8 + len(data), 0) + data, ("127.0.0.1", 0))


@hole("raw", "sends a packet of its own making, raw socket")
def raw(stage: Stage) -> bool:
    return send_out(stage, raw_sender)


@hole("raw-allowed", "sends a packet of its own making, the network allowed", policy=ALLOWED)
def raw_allowed(stage: Stage) -> bool:
    return send_out(stage, raw_sender)


def sniff(stage: Stage) -> bool:
    receiver, port = datagram_receiver(socket.AF_INET)
    announced, announcer = os.pipe()

    def act(enter: Enter) -> bytes:
        enter()
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as ear:
            ear.bind(("lo", 0))
            os.write(announcer, b"!")
            while select.select([ear], [], [], 10 * MOMENT)[0]:
                if stage.secret in ear.recv(65536):
                    return stage.secret
        return b""

    def send() -> None:
        if os.read(announced, 1):
            datagram_sender(port, stage.secret)

    with receiver, stage.bystander(send):
        return stage.reads_secret(act)


@hole("packet", "listens in on others, packet socket")
def packet(stage: Stage) -> bool:
    return sniff(stage)


@hole("packet-allowed", "listens in on others, the network allowed", policy=ALLOWED)
def packet_allowed(stage: Stage) -> bool:
    return sniff(stage)


def ping(stage: Stage, kind: int) -> bool:
    """The kernel answers with what was sent."""

    def act(enter: Enter) -> bytes:
        enter()
        with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as pinger:
            body = struct.pack("!BBHHH", 8, 0, 0, 1, 1) + stage.secret
            pair = [int.from_bytes(body[i : i + 2], "big") for i in range(0, len(body), 2)]
            total = sum(pair)
            checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
            pinger.sendto(body[:2] + struct.pack("!H", checksum) + body[4:], ("127.0.0.1", 0))
            while select.select([pinger], [], [], 10 * MOMENT)[0]:
                answer = pinger.recv(1000)
                answer = answer[20:] if kind == socket.SOCK_RAW else answer
                if answer[0] == 0:
                    return answer[8:]
        return b""

    return stage.reads_secret(act)


@hole("icmp", "exchanges ICMP echoes")
def icmp(stage: Stage) -> bool:
    return ping(stage, socket.SOCK_RAW)


@hole("icmp-datagram", "exchanges ICMP echoes as users may, datagram socket")
def icmp_datagram(stage: Stage) -> bool:
    return ping(stage, socket.SOCK_DGRAM)


@hole("netlink", "lists network interfaces, netlink")
def netlink(stage: Stage) -> bool:
    def act(enter: Enter) -> bytes:
        enter()
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as router:
            # RTM_GETLINK of all.
            router.send(struct.pack("=IHHII", 32, 18, 0x301, 1, 0) + bytes(16))
            return router.recv(65536)

    return b"\0lo\0" in stage.run(act)


@hole("netlink-change", "gives an interface an address, the network allowed", policy=ALLOWED)
def netlink_change(stage: Stage) -> bool:
    try:
        call("unshare", NEW_NET)
    except OSError as error:
        raise Unprovable("no network but that of the machine can be had") from error

    def act(enter: Enter) -> None:
        enter()
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as router:
            # RTM_NEWADDR of 127.9.9.9/8 on interface 1.
            attribute = struct.pack("=HH4s", 8, 2, socket.inet_aton("127.9.9.9"))
            router.send(struct.pack("=IHHIIBBBBI", 32, 20, 0x405, 1, 0, 2, 8, 0, 0, 1) + attribute)
            answer = struct.unpack_from("=i", router.recv(1000), 16)[0]
            if answer != 0:
                raise OSError(-answer, os.strerror(-answer))

    stage.run(act)
    with open("/proc/net/fib_trie") as addresses:
        return "127.9.9.9" in addresses.read()


def make_socket(stage: Stage, family: int, kind: int, protocol: int = 0) -> bool:
    """Where nobody is to be talked to here, a socket is all that can be had."""

    def act(enter: Enter) -> bytes:
        enter()
        with socket.socket(family, kind, protocol):
            return b"made"

    return stage.run(act) == b"made"


@hole("vsock", "makes a socket to the host of the virtual machine, vsock")
def vsock(stage: Stage) -> bool:
    return make_socket(stage, 40, socket.SOCK_STREAM)


@hole("sctp", "makes an SCTP socket")
def sctp(stage: Stage) -> bool:
    return make_socket(stage, socket.AF_INET, socket.SOCK_STREAM, 132)


@hole("smc", "makes an SMC socket, which falls back to TCP")
def smc(stage: Stage) -> bool:
    return make_socket(stage, 43, socket.SOCK_STREAM)


@hole("dccp", "makes a DCCP socket")
def dccp(stage: Stage) -> bool:
    return make_socket(stage, socket.AF_INET, 6, 33)


@hole("tipc", "makes a TIPC socket")
def tipc(stage: Stage) -> bool:
    return make_socket(stage, 30, socket.SOCK_RDM)


@hole("can", "makes a CAN socket")
def can(stage: Stage) -> bool:
    return make_socket(stage, 29, socket.SOCK_RAW, 1)


@hole("bluetooth", "makes a Bluetooth socket")
def bluetooth(stage: Stage) -> bool:
    return make_socket(stage, 31, socket.SOCK_RAW, 1)


@hole("alg", "makes a socket to the kernel's cryptography, AF_ALG")
def alg(stage: Stage) -> bool:
    return make_socket(stage, 38, socket.SOCK_SEQPACKET)
