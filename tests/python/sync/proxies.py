"""A proxy for the tests: `CONNECT`, SOCKS 4a and SOCKS 5, on a free port, in a thread. It notes what it was asked for."""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import threading
from collections.abc import Callable


class Refused(Exception):
    """What a client is not given a connection for."""


class Proxy:
    """Makes connections for its clients, and passes on what they say."""

    def __init__(self, *, password: str | None = None, tunnels: bool = True) -> None:
        self.password = password
        """What clients must know; their user is called `user`."""
        self.tunnels = tunnels
        """Whether it connects its clients to where they want; otherwise it hears what they say first, and hangs up."""
        self.targets: list[str] = []
        """Where its clients wanted to go: `kind host:port`."""
        self.heard = b""
        """All that clients have said, tunnelled or not."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._run(self._accept)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        """Ends it, and waits for its threads."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        while self._threads:
            with self._lock:
                for connection in self._sockets:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                thread = self._threads.pop()
            thread.join()
        for connection in self._sockets:
            connection.close()

    def _run(self, task: Callable[[], None]) -> None:
        thread = threading.Thread(target=task)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _keep(self, connection: socket.socket) -> None:
        with self._lock:
            self._sockets.append(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._keep(client)
            self._run(lambda client=client: self._serve(client))  # type: ignore[misc]

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            try:
                first = self._read(client, 1)
                if first == b"\x05":
                    self._socks5(client)
                elif first == b"\x04":
                    self._socks4(client)
                else:
                    self._connect(client, first)
            except (Refused, EOFError):
                client.shutdown(socket.SHUT_RDWR)

    def _read(self, client: socket.socket, length: int) -> bytes:
        read = b""
        while len(read) < length:
            piece = client.recv(length - len(read))
            if not piece:
                raise EOFError
            read += piece
        self.heard += read
        return read

    def _connect(self, client: socket.socket, head: bytes) -> None:
        while not head.endswith(b"\r\n\r\n"):
            head += self._read(client, 1)
        lines = head.decode().split("\r\n")
        method, target, _ = lines[0].split(" ")
        if method != "CONNECT":
            client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            raise Refused(method)
        wanted = "Basic " + base64.b64encode(f"user:{self.password}".encode()).decode()
        if self.password is not None and f"proxy-authorization: {wanted}".lower() not in head.decode().lower():
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            raise Refused("password")
        self._tunnel(client, "CONNECT", target, b"HTTP/1.1 200 Connection established\r\n\r\n")

    def _socks4(self, client: socket.socket) -> None:
        _, port, address = struct.unpack("!BH4s", self._read(client, 7))
        self._text(client)
        host = self._text(client) if address[:3] == b"\0\0\0" else socket.inet_ntoa(address)
        self._tunnel(client, "SOCKS4", f"{host}:{port}", b"\0\x5a" + bytes(6))

    def _text(self, client: socket.socket) -> str:
        text = b""
        while not text.endswith(b"\0"):
            text += self._read(client, 1)
        return text[:-1].decode()

    def _socks5(self, client: socket.socket) -> None:
        methods = self._read(client, self._read(client, 1)[0])
        if self.password is None:
            client.sendall(b"\x05\x00")
        elif 2 not in methods:
            client.sendall(b"\x05\xff")
            raise Refused("password")
        else:
            client.sendall(b"\x05\x02")
            self._read(client, 1)
            user = self._read(client, self._read(client, 1)[0])
            password = self._read(client, self._read(client, 1)[0])
            is_right = (user, password) == (b"user", self.password.encode())
            client.sendall(b"\x01\x00" if is_right else b"\x01\x01")
            if not is_right:
                raise Refused("password")
        _, _, _, kind = self._read(client, 4)
        if kind == 3:
            host = self._read(client, self._read(client, 1)[0]).decode()
        else:
            host = socket.inet_ntoa(self._read(client, 4))
        (port,) = struct.unpack("!H", self._read(client, 2))
        self._tunnel(client, "SOCKS5", f"{host}:{port}", b"\x05\x00\x00\x01" + bytes(6))

    def _tunnel(self, client: socket.socket, kind: str, target: str, answer: bytes) -> None:
        self.targets.append(f"{kind} {target}")
        host, _, port = target.rpartition(":")
        if not self.tunnels:
            client.sendall(answer)
            self._read(client, 16)
            raise Refused(target)
        server = socket.create_connection((host, int(port)))
        self._keep(server)
        client.sendall(answer)
        self._run(lambda: self._pass_on(server, client, is_heard=False))
        self._pass_on(client, server, is_heard=True)

    def _pass_on(self, source: socket.socket, sink: socket.socket, *, is_heard: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if is_heard:
                    self.heard += piece
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
