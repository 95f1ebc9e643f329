# SPDX-License-Identifier: Apache-2.0
"""The network, blocked: TCP and UDP by every way of asking for them, in both directions."""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Callable

from containment.registry import hole
from containment.stage import MOMENT, Enter, Stage, Unprovable
from containment.system import succeed
from containment.threads import Worker

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
MPTCP, UDP_LITE = 262, 136
# The kernels whose Landlock knows no TCP.
WITHOUT_TCP = (1, 3)

Send = Callable[[int, bytes], object]


def has_arrived(receiver: socket.socket, secret: bytes) -> bool:
    """Tell whether the secret came in, by any of the datagrams that did."""
    while select.select([receiver], [], [], MOMENT)[0]:
        if secret in receiver.recv(65536):
            return True
    return False


def datagram_receiver(family: socket.AddressFamily, protocol: int = 0) -> tuple[socket.socket, int]:
    receiver = socket.socket(family, socket.SOCK_DGRAM, protocol)
    receiver.bind((LOOPBACK[family], 0))
    return receiver, receiver.getsockname()[1]


def send_out(stage: Stage, send: Send, family: socket.AddressFamily = socket.AF_INET, protocol: int = 0) -> bool:
    """Tell whether the secret gets out to a receiver of datagrams outside."""
    receiver, port = datagram_receiver(family, protocol)

    def act(enter: Enter) -> None:
        enter()
        send(port, stage.secret)

    stage.run(act)
    return has_arrived(receiver, stage.secret)


def connect_out(stage: Stage, connect: Callable[[int], object], family: socket.AddressFamily = socket.AF_INET) -> bool:
    """Tell whether a server outside is connected to."""
    server = socket.create_server((LOOPBACK[family], 0), family=family)

    def act(enter: Enter) -> None:
        enter()
        connect(server.getsockname()[1])

    stage.run(act)
    return bool(select.select([server], [], [], MOMENT)[0])


def let_in(stage: Stage, serve: Callable[[Callable[[int], None]], bytes], send: Send) -> bool:
    """Tell whether somebody outside gets the secret in, to the port that `serve` announces."""
    announced, announcer = os.pipe()

    def announce(port: int) -> None:
        os.write(announcer, struct.pack("=H", port))

    def act(enter: Enter) -> bytes:
        enter()
        return serve(announce)

    def visit() -> None:
        send(struct.unpack("=H", os.read(announced, 2))[0], stage.secret)

    with stage.bystander(visit):
        return stage.run(act) == stage.secret


def tcp_client(port: int, family: socket.AddressFamily = socket.AF_INET, protocol: int = 0) -> None:
    with socket.socket(family, socket.SOCK_STREAM, protocol) as client:
        client.settimeout(3)
        client.connect((LOOPBACK[family], port))


def tcp_sender(port: int, data: bytes, family: socket.AddressFamily = socket.AF_INET) -> None:
    with socket.socket(family) as client:  # create_connection() imports codecs, which a user may not read
        client.settimeout(3)
        client.connect((LOOPBACK[family], port))
        client.sendall(data)


def datagram_sender(port: int, data: bytes, family: socket.AddressFamily = socket.AF_INET, protocol: int = 0) -> None:
    with socket.socket(family, socket.SOCK_DGRAM, protocol) as sender:
        sender.sendto(data, (LOOPBACK[family], port))


def tcp_server(announce: Callable[[int], None], is_bound: bool = True, protocol: int = 0) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol) as server:
        server.settimeout(3)
        if is_bound:
            server.bind(("127.0.0.1", 0))
        server.listen()
        announce(server.getsockname()[1])
        return server.accept()[0].recv(100)


@hole("tcp-connect", "connects to a TCP server", abis=WITHOUT_TCP)
def tcp_connect(stage: Stage) -> bool:
    return connect_out(stage, tcp_client)


@hole("tcp-connect-v6", "connects to a TCP server over IPv6", abis=WITHOUT_TCP)
def tcp_connect_v6(stage: Stage) -> bool:
    return connect_out(stage, lambda port: tcp_client(port, socket.AF_INET6), socket.AF_INET6)


@hole("tcp-listen", "serves TCP", abis=WITHOUT_TCP)
def tcp_listen(stage: Stage) -> bool:
    return let_in(stage, tcp_server, tcp_sender)


@hole("tcp-listen-unbound", "serves TCP on a port that listen() chose", abis=WITHOUT_TCP)
def tcp_listen_unbound(stage: Stage) -> bool:
    return let_in(stage, lambda announce: tcp_server(announce, is_bound=False), tcp_sender)


@hole("tcp-fast-open", "connects with sendto(), TCP Fast Open")
def tcp_fast_open(stage: Stage) -> bool:
    def send(port: int) -> None:
        socket.socket().sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", port))

    return connect_out(stage, send)


@hole("tcp-fast-open-connect", "connects when it first sends, TCP_FASTOPEN_CONNECT")
def tcp_fast_open_connect(stage: Stage) -> bool:
    def send(port: int) -> None:
        client = socket.socket()
        client.setsockopt(socket.IPPROTO_TCP, 30, 1)
        client.connect(("127.0.0.1", port))
        client.send(b"x")

    return connect_out(stage, send)


@hole("mptcp-connect", "connects to a TCP server with MPTCP")
def mptcp_connect(stage: Stage) -> bool:
    return connect_out(stage, lambda port: tcp_client(port, protocol=MPTCP))


@hole("mptcp-listen", "serves TCP with MPTCP")
def mptcp_listen(stage: Stage) -> bool:
    return let_in(stage, lambda announce: tcp_server(announce, protocol=MPTCP), tcp_sender)


@hole("udp-send", "sends a secret by UDP", abis=WITHOUT_TCP)
def udp_send(stage: Stage) -> bool:
    return send_out(stage, datagram_sender)


@hole("udp-send-v6", "sends a secret by UDP over IPv6", abis=WITHOUT_TCP)
def udp_send_v6(stage: Stage) -> bool:
    return send_out(stage, lambda port, data: datagram_sender(port, data, socket.AF_INET6), socket.AF_INET6)


@hole("udp-receive", "receives by UDP", abis=WITHOUT_TCP)
def udp_receive(stage: Stage) -> bool:
    def serve(announce: Callable[[int], None]) -> bytes:
        receiver, port = datagram_receiver(socket.AF_INET)
        receiver.settimeout(3)
        announce(port)
        return receiver.recv(100)

    return let_in(stage, serve, datagram_sender)


@hole("udp-lite", "sends a secret by UDP-Lite")
def udp_lite(stage: Stage) -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, UDP_LITE).close()
    except OSError as error:
        raise Unprovable("this kernel has no UDP-Lite") from error
    return send_out(stage, lambda port, data: datagram_sender(port, data, protocol=UDP_LITE), protocol=UDP_LITE)


def send_with(open_socket: Callable[[int, int], int]) -> Send:
    """A sender whose socket is made by a function of helper.c."""

    def send(port: int, data: bytes) -> None:
        handle = succeed(open_socket(socket.AF_INET, socket.SOCK_DGRAM))
        with socket.socket(fileno=handle) as sender:
            sender.sendto(data, ("127.0.0.1", port))

    return send


@hole("udp-int80", "sends by UDP, the socket made by a call of 32-bit programs", may_die=True)
def udp_int80(stage: Stage) -> bool:
    return send_out(stage, send_with(stage.helper.socket_by_int80))


@hole("udp-x32", "sends by UDP, the socket made by a call of x32 programs", may_die=True)
def udp_x32(stage: Stage) -> bool:
    return send_out(stage, send_with(stage.helper.socket_by_x32))


@hole("udp-ring", "sends by UDP, the socket made by io_uring")
def udp_ring(stage: Stage) -> bool:
    helper = stage.helper

    def open_socket(family: int, kind: int) -> int:
        succeed(helper.open_ring(0))
        return int(helper.socket_through_ring(family, kind))

    return send_out(stage, send_with(open_socket))


@hole("udp-old-ring", "sends by UDP, the socket made by an io_uring from before")
def udp_old_ring(stage: Stage) -> bool:
    helper = stage.helper
    receiver, port = datagram_receiver(socket.AF_INET)

    def act(enter: Enter) -> None:
        succeed(helper.open_ring(0))
        enter()
        send_with(helper.socket_through_ring)(port, stage.secret)

    stage.run(act)
    return has_arrived(receiver, stage.secret)


@hole("udp-child", "has another program send by UDP")
def udp_child(stage: Stage) -> bool:
    def send(port: int, data: bytes) -> None:
        command = f'printf %s "$1" >/dev/udp/127.0.0.1/{port}'
        arguments = ["bash", "-c", command, "bash", data.decode()]
        child = os.posix_spawnp("bash", arguments, {}, file_actions=[(os.POSIX_SPAWN_CLOSE, 2)])
        status = os.WEXITSTATUS(os.waitpid(child, 0)[1])
        assert status in (0, 1), f"bash cannot be run: {status}"

    return send_out(stage, send)


@hole("udp-thread", "a thread from before sends by UDP", abis=(3,))
def udp_thread(stage: Stage) -> bool:
    receiver, port = datagram_receiver(socket.AF_INET)

    def act(enter: Enter) -> None:
        worker = Worker()
        enter()
        worker.do(lambda: datagram_sender(port, stage.secret))

    stage.run(act)
    return has_arrived(receiver, stage.secret)


@hole("socket-inherited", "sends by a socket connected before", by_design="descriptors from before stay usable")
def socket_inherited(stage: Stage) -> bool:
    receiver, port = datagram_receiver(socket.AF_INET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        # One that is not connected sends nowhere from Landlock ABI 10 on.
        sender.connect((LOOPBACK[socket.AF_INET], port))

        def act(enter: Enter) -> None:
            enter()
            sender.send(stage.secret)

        stage.run(act)
    return has_arrived(receiver, stage.secret)
