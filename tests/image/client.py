# SPDX-License-Identifier: ISC
"""tests/image/client.py: a small HTTP client that pipelines, with TLS and without."""

import contextlib
import socket
import ssl
import time

WAIT_S = 20.0


class Answer:
    """One response: status, fields (lower-case names; repeated ones joined by ", ") and body."""

    def __init__(self, status: int, fields: dict, body: bytes):
        self.status, self.fields, self.body = status, fields, body

    def __repr__(self) -> str:
        return f"<{self.status} {self.fields} {len(self.body)} bytes>"


class Client:
    """One connection. Requests may be sent ahead (send) of reading their answers (receive)."""

    def __init__(self, host: str, port: int, receive_buffer: int = 0):
        self.address = (host, port)
        self.host = f"[{host}]" if ":" in host else host
        self.connect(receive_buffer)

    def connect(self, receive_buffer: int = 0) -> None:
        family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(WAIT_S)
        try:
            self.socket.connect(self.address)
        except BaseException:
            self.socket.close()
            raise
        self._buffer = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def request(self, path: str, headers=None, method: str = "GET") -> bytes:
        fields = {"Host": f"{self.host}:{self.address[1]}", **(headers or {})}
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def get(self, path: str, headers=None, method: str = "GET") -> Answer:
        self.send(self.request(path, headers, method))
        return self.receive(has_body=method != "HEAD")

    def get_all(self, paths, headers=None, depth: int = 32):
        """Pipelines GETs of all paths; yields (path, answer) in order. Where the server says that
        it closes (after so many requests), goes on with a new connection."""
        paths = list(paths)
        at = 0
        while at < len(paths):
            some = paths[at:at + depth]
            self.send(b"".join(self.request(path, headers) for path in some))
            for path in some:
                answer = self.receive()
                at += 1
                yield path, answer
                if answer.fields.get("connection") == "close":
                    self.close()
                    self.connect()
                    break

    def _fill(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError(f"the server closed; unread: {self._buffer[:200]!r}")
        self._buffer += data

    def receive_some(self) -> None:
        """Waits for the first bytes of an answer, and keeps them for receive."""
        if not self._buffer:
            self._fill()

    def receive(self, has_body: bool = True) -> Answer:
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        fields: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip()
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        body = b""
        if has_body and status not in (204, 304) and status >= 200:
            body = self.receive_exactly(int(fields["content-length"]))
        return Answer(status, fields, body)

    def receive_exactly(self, size: int) -> bytes:
        parts = [self._buffer[:size]]
        self._buffer = self._buffer[size:]
        left = size - len(parts[0])
        while left:
            data = self.socket.recv(min(left, 1 << 20))
            if not data:
                raise ConnectionError(f"the server closed with {left} bytes of the body to come")
            parts.append(data)
            left -= len(data)
        return b"".join(parts)

    def is_closed_by_peer(self, within_s: float = WAIT_S) -> bool:
        """True when the server ends the connection in time; what it sends before is dropped."""
        until = time.monotonic() + within_s
        with contextlib.suppress(OSError):
            while (left := until - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(1 << 16):
                    return True
            return False
        return time.monotonic() < until  # a reset is an end too


def trusting_context() -> ssl.SSLContext:
    """It trusts anybody: who serves is not what is asked here."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class SecureClient(Client):
    """The same over TLS; `session`: one to be resumed."""

    def __init__(self, host: str, port: int, context=None, session=None):
        self._context, self._session = context or trusting_context(), session
        super().__init__(host, port)

    def connect(self, receive_buffer: int = 0) -> None:
        super().connect(receive_buffer)
        self.socket = self._context.wrap_socket(self.socket, server_hostname="localhost",
                                                session=self._session)
