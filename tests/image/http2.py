# SPDX-License-Identifier: ISC
"""tests/image/http2.py: HTTP/2 frame by frame, over TLS or in cleartext, for what no client does;
and curl, for what one does."""

import contextlib
import selectors
import socket
import ssl
import struct
import time

import harness
from client import WAIT_S, trusting_context

DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
NO_ERROR, CANCEL, ENHANCE_YOUR_CALM = 0, 8, 11
WINDOW_MAX = 0x7fffffff
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def number(value: int) -> bytes:
    return struct.pack("!I", value)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return number(len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def setting(name: int, value: int) -> bytes:
    return struct.pack("!HI", name, value)


def length_of(text: bytes) -> bytes:
    """An integer of HPACK with a prefix of 7 bits (RFC 7541 section 5.1)."""
    left = len(text)
    if left < 127:
        return bytes([left])
    out, left = b"\x7f", left - 127
    while left >= 128:
        out, left = out + bytes([left % 128 + 128]), left // 128
    return out + bytes([left])


def literal(name: bytes, value: bytes, is_indexed: bool = False) -> bytes:
    return (b"\x40" if is_indexed else b"\0") + length_of(name) + name + length_of(value) + value


def block(path: str, method: str = "GET") -> bytes:
    return b"".join(literal(name, value) for name, value in (
        (b":method", method.encode()), (b":scheme", b"https"), (b":authority", b"localhost"),
        (b":path", path.encode())))


def request(stream: int, path: str, more: bytes = b"") -> bytes:
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, block(path) + more)


class Connection:
    """Sends what it is told; keeps the frames that come, as (kind, flags, stream, payload)."""

    def __init__(self, port: int, secure: bool, settings: bytes = b"", receive_buffer: int = 0,
                 says_nothing: bool = False):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(WAIT_S)
        self.socket.connect(("127.0.0.1", port))
        self.protocol = "h2"
        if secure:
            context = trusting_context()
            context.set_alpn_protocols(["h2", "http/1.1"])
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
            self.protocol = self.socket.selected_alpn_protocol()
        self.frames: list[tuple] = []
        self.is_ended = False
        self._came = b""
        if self.protocol == "h2" and not says_nothing:
            self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """What the server does not take any more is dropped."""
        try:
            self.socket.sendall(data)
        except OSError:
            self.is_ended = True

    def receive(self) -> bytes:
        return self.socket.recv(1 << 18)

    def take(self) -> bool:
        """Takes what is there. False: nothing is there, or comes any more."""
        try:
            some = self.receive()
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except OSError:
            some = b""
        self.is_ended = self.is_ended or not some
        self._came += some
        while len(self._came) >= 9:
            size = int.from_bytes(self._came[:3], "big")
            if len(self._came) < 9 + size:
                break
            kind, flags, stream = struct.unpack("!BBI", self._came[3:9])
            self.frames.append((kind, flags, stream, self._came[9:9 + size]))
            self._came = self._came[9 + size:]
        return bool(some)

    def take_what_is_there(self) -> None:
        self.socket.setblocking(False)
        with contextlib.suppress(OSError):
            while self.take():
                pass
        self.socket.settimeout(WAIT_S)

    def wait_for(self, condition, within_s: float = WAIT_S) -> bool:
        """Takes frames until it is true, the connection ends or the time is over."""
        until = time.monotonic() + within_s
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            while not condition():
                left = until - time.monotonic()
                if self.is_ended or left <= 0:
                    return False
                if selector.select(left):
                    self.take_what_is_there()
        return True

    def goaways(self) -> list[tuple[int, int]]:
        """(last stream, code) of each."""
        return [struct.unpack("!II", payload[:8])
                for kind, _, _, payload in self.frames if kind == GOAWAY]

    def ended_streams(self) -> int:
        return sum(kind in (HEADERS, DATA) and flags & END_STREAM
                   for kind, flags, _, _ in self.frames)

    def body(self, stream: int) -> bytes:
        return b"".join(payload for kind, _, its, payload in self.frames
                        if kind == DATA and its == stream)


def curl(port: int, secure: bool, path: str = "/index.html") -> tuple[str, bytes]:
    """What an honest client gets: version and status, such as "2 200", and the body."""
    url = f"{'https' if secure else 'http'}://127.0.0.1:{port}{path}"
    version = ["--http2", "-k"] if secure else ["--http2-prior-knowledge"]
    said = harness.must(harness.need("curl"), "-sS", "-m", int(WAIT_S), *version, "-w",
                        "\n%{http_version} %{http_code}", url)
    body, _, status = said.rpartition("\n")
    return status, body.encode()
