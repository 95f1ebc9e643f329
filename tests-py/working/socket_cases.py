# SPDX-License-Identifier: Apache-2.0
"""Unix sockets of own processes with the network blocked, and everything when it is not."""

import array
import asyncio
import http.server
import os
import socket
import struct
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

from working.cases import NULL, PROGRAMS, PYTHON, case, existing, refused, restrict

NAMES = existing("/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/host.conf", "/etc/gai.conf")


def echo(listener: socket.socket) -> None:
    """Answers one client, in a process of its own."""
    if os.fork() == 0:
        client, _ = listener.accept()
        client.sendall(client.recv(100).upper())
        os._exit(0)


def ask(family: int, address: Any) -> bytes:
    with socket.socket(family) as client:
        client.settimeout(5)
        client.connect(address)
        client.sendall(b"text")
        return client.recv(100)


@case()
def unix_sockets_in_a_granted_directory(place: Path) -> None:
    restrict(place)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place / "socket"))
        listener.listen()
        echo(listener)
        assert ask(socket.AF_UNIX, str(place / "socket")) == b"TEXT"
    with refused():
        socket.socket(socket.AF_INET)


@case()
def abstract_unix_sockets_of_own_processes(place: Path) -> None:
    restrict(place)
    name = f"\0nono-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        echo(listener)
        assert ask(socket.AF_UNIX, name) == b"TEXT"


@case()
def descriptors_over_a_pair(place: Path) -> None:
    (place / "file").write_text("text")
    restrict(place)
    for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM:
        left, right = socket.socketpair(socket.AF_UNIX, kind)
        if os.fork() == 0:
            fds = array.array("i", [os.open(place / "file", os.O_RDONLY)])
            left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
            os._exit(0)
        _, [(_, _, data)], _, _ = right.recvmsg(1, socket.CMSG_SPACE(4))
        assert os.read(struct.unpack("i", data)[0], 10) == b"text"
        left.close()
        right.close()


@case()
def asyncio_over_unix_sockets(place: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()

    async def main() -> None:
        async with await asyncio.start_unix_server(serve, place / "socket"):
            reader, writer = await asyncio.open_unix_connection(place / "socket")
            writer.write(b"text\n")
            assert await reader.read() == b"TEXT\n"
            writer.close()

    restrict(place, read=PYTHON)
    asyncio.run(main())


@case()
def tcp(place: Path) -> None:
    restrict(place, network=True)
    for family, address in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
        with socket.socket(family) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((address, 0))
            except OSError:
                if family == socket.AF_INET6:  # not on every machine
                    continue
                raise
            listener.listen()
            echo(listener)
            assert ask(family, listener.getsockname()) == b"TEXT"


@case()
def udp_and_a_name_server(place: Path) -> None:
    restrict(place, network=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        if os.fork() == 0:
            query, client = server.recvfrom(512)
            answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 1])
            server.sendto(query[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + query[12:] + answer, client)
            os._exit(0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            question = b"\x07example\x03org\0" + struct.pack(">HH", 1, 1)
            client.sendto(b"\x12\x34" + struct.pack(">5H", 0x100, 1, 0, 0, 0) + question, server.getsockname())
            reply = client.recv(512)
    assert reply[:2] == b"\x12\x34"
    assert reply[-4:] == bytes([192, 0, 2, 1])


@case()
def names_and_interfaces(place: Path) -> None:
    restrict(place, read=NAMES + PROGRAMS + PYTHON, network=True)
    addresses = {found[4][0] for found in socket.getaddrinfo("localhost", 80, proto=socket.IPPROTO_TCP)}
    assert addresses & {"127.0.0.1", "::1"}
    assert "lo" in [name for _, name in socket.if_nameindex()]
    assert socket.gethostname()


@case()
def http_server_and_client(place: Path) -> None:
    (place / "page").write_text("text")
    restrict(place, read=NAMES + PYTHON + existing("/etc/mime.types"), network=True)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    os.chdir(place)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/page"
        with urllib.request.urlopen(url, timeout=5) as response:
            assert response.read() == b"text"
        server.shutdown()


@case(programs=("curl",))
def curl_against_a_child_python(place: Path) -> None:
    (place / "page").write_text("text")
    restrict(place, NULL, read=NAMES + PROGRAMS + PYTHON + existing("/etc/mime.types", "/etc/ssl"), network=True)
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(command, cwd=place, stdout=-1, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().split("port ")[1].split()[0]
        assert subprocess.run(["curl", "-s", f"http://127.0.0.1:{port}/page"], stdout=-1, check=True).stdout == b"text"
        server.terminate()


@case()
def asyncio_over_tcp(place: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"text\n")
            assert await reader.read() == b"TEXT\n"
            writer.close()

    restrict(place, read=PYTHON, network=True)
    asyncio.run(main())
