#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""tests/tls/conformance.py HOST PORT [--only CHECK]...: what any HTTPS server of ours must do.

Whatever it stands on: it is pointed at an address. The server must serve the site that
`conformance_client --write-site` writes, with one certificate that is signed by itself (crunch
build --self-signed), which is fetched and then trusted.

Method: HTTP's own table over TLS (conformance_client --tls, in $CRUNCH_BUILD/bin); openssl and
curl; Python's ssl, which is OpenSSL's, between buffers, so that records can be changed; sockets.
Connections that never finish their handshake are open meanwhile. Exit 0 passed, 1 failed, 77 a
program is missing. Nothing depends on how fast the server is.
"""

import argparse
import contextlib
import os
import pathlib
import re
import selectors
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CRUNCH_BUILD", ROOT / "build")).resolve()
CLIENT = BUILD / "bin" / "conformance_client"

SUITES_1_3 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
SUITES_1_2 = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"]
WAIT_S = 60
STALLED = 20

ALERT, HANDSHAKE, DATA = 21, 22, 23
LARGE = bytes((i * 7 + i // 251) & 0xff for i in range(100_000))  # large.bin of the table's site


class Failed(Exception):
    pass


def require(condition, what):
    if not condition:
        raise Failed(what)


def run(*command, stdin=b"", timeout=WAIT_S):
    done = subprocess.run([*map(str, command)], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def s_client(at, trusted, *options, exchanges=((b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                                                b"HTTP/1.1 200"),)):
    """One connection of openssl s_client; -> all that it says.

    Each part of `exchanges` is sent when what the one before waits for has been said. s_client
    takes its commands (R, K, k) only at the start of a read, so no two parts go together.
    """
    with subprocess.Popen(["openssl", "s_client", "-connect", at, "-servername", "localhost",
                           "-CAfile", trusted, "-verify_return_error", *options],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process, \
            selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        said = b""
        until = time.monotonic() + WAIT_S
        for part, awaited in ((b"", b"Verify return code"), *exchanges):
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(part)
                process.stdin.flush()
            count = said.count(awaited)
            while said.count(awaited) == count and selector.select(until - time.monotonic()):
                some = os.read(process.stdout.fileno(), 65536)
                said += some
                if not some:
                    break
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            said += process.stdout.read()
            process.wait(timeout=20)
        finally:
            process.kill()
        return said.decode(errors="replace")


class Session:
    """A TLS client between buffers: what it sends can be changed on its way."""

    def __init__(self, server, version):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        self.came, self.goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.came, self.goes, server_hostname="localhost")
        self.socket = server.connect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def drive(self, step):
        """Calls `step` until it has what it needs from the server. It may raise ssl.SSLError."""
        while True:
            try:
                done = step()
                self.socket.sendall(self.goes.read())
                return done
            except ssl.SSLWantReadError:
                self.socket.sendall(self.goes.read())
                some = self.socket.recv(65536)
                if not some:
                    raise ConnectionError("the server closed") from None
                self.came.write(some)

    def shake_hands(self):
        self.drive(self.tls.do_handshake)

    def record(self, data):
        """The record that `data` would go out in."""
        self.tls.write(data)
        return self.goes.read()


def first_hello(version=ssl.TLSVersion.TLSv1_3):
    """A ClientHello, in its record."""
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = version
    goes = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), goes, server_hostname="localhost").do_handshake()
    return goes.read()


def read_to_end(connection):
    """-> what came until the server ended the connection; None: it did not."""
    got = b""
    try:
        while some := connection.recv(65536):
            got += some
    except TimeoutError:
        return None
    except OSError:
        pass  # a reset is an end
    return got


class Server:
    """The server that is looked at."""

    def __init__(self, host, port, folder):
        self.host, self.port = host, port
        self.at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.trusted = os.path.join(folder, "trusted.pem")
        self.folder = folder
        with open(self.trusted, "w", encoding="ascii") as file:
            file.write(ssl.get_server_certificate((host, port), timeout=WAIT_S))
        _, text = run("openssl", "x509", "-in", self.trusted, "-noout", "-text")
        self.key = "RSA" if "rsaEncryption" in text else "ECDSA"
        named = re.search(r"DNS:([^,\s]+)", text)
        self.name = named.group(1) if named else "localhost"

    def connect(self):
        return socket.create_connection((self.host, self.port), timeout=WAIT_S)

    def s_client(self, *options, **more):
        return s_client(self.at, self.trusted, *options, **more)

    def table(self, *options):
        code, text = run(CLIENT, "--host", self.host, "--port", self.port, "--encodings", *options,
                         timeout=600)
        require(code == 0, f"conformance_client {options}:\n{text}")

    def curl(self, *options):
        """-> (exit code, output) of a curl that finds the certificate's name at the address."""
        return run("curl", "-sS", "-m", WAIT_S, "--connect-to", f"::{self.at}", *options)

    def require_service(self, when):
        text = self.s_client()
        require("HTTP/1.1 200" in text, f"{when}, it does not answer:\n{text}")


def check_table(server):
    for options in (("--tls", "1.3"), ("--tls", "1.2"), ("--tls", "1.3", "--cut", "7")):
        server.table(*options)


def check_http2(server):
    for options in (("--tls", "1.3"), ("--tls", "1.2", "--cut", "700")):
        server.table("--http2", *options)


def check_openssl(server):
    rows = [("-tls1_3", "-ciphersuites", suite, suite) for suite in SUITES_1_3]
    rows += [("-tls1_2", "-cipher", f"ECDHE-{server.key}-{suite}", f"ECDHE-{server.key}-{suite}")
             for suite in SUITES_1_2]
    for version, option, offered, taken in rows:
        text = server.s_client(version, option, offered)
        require(f"Cipher is {taken}" in text and "HTTP/1.1 200" in text, f"{offered}\n{text}")
        require("Verify return code: 0" in text, text)
    for group in ("X25519", "P-256"):
        text = server.s_client("-tls1_3", "-groups", group)
        require("HTTP/1.1 200" in text, f"{group}\n{text}")
    for old in ("-tls1", "-tls1_1"):
        text = server.s_client(old, "-cipher", "ALL:@SECLEVEL=0")
        require("Cipher is (NONE)" in text, f"{old} was taken:\n{text}")
    session = os.path.join(server.folder, "session")
    for version in ("-tls1_2", "-tls1_3"):
        text = server.s_client(version, "-sess_out", session)
        require("New, TLSv1." in text, text)
        text = server.s_client(version, "-sess_in", session)
        require("Reused, TLSv1." in text and "HTTP/1.1 200" in text, text)
    text = server.s_client("-alpn", "http/1.1,h2", exchanges=())
    require("ALPN protocol: h2" in text, text)
    text = server.s_client("-alpn", "http/1.1")
    require("ALPN protocol: http/1.1" in text and "HTTP/1.1 200" in text, text)
    text = server.s_client("-alpn", "h3")
    require("no application protocol" in text, text)
    get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    for command in (b"k\n", b"K\n"):
        text = server.s_client("-tls1_3", exchanges=((get, b"HTTP/1.1 200"),
                                                     (command, b"KEYUPDATE"),
                                                     (get, b"HTTP/1.1 200")))
        require(text.count("HTTP/1.1 200") == 2, f"after a key update\n{text}")
    text = server.s_client("-tls1_2", exchanges=((b"R\n", b"RENEGOTIATING"), (get, b"error")))
    require("HTTP/1.1 200" not in text, "renegotiated:\n" + text)


def check_curl(server):
    base = f"https://{server.name}:{server.port}"
    trust = ("--cacert", server.trusted)
    out = os.path.join(server.folder, "body")
    for version in (("--tlsv1.2", "--tls-max", "1.2"), ("--tlsv1.3",)):
        code, text = server.curl(*trust, *version, "-f", "-o", out, f"{base}/large.bin")
        require(code == 0, text)
        with open(out, "rb") as file:
            require(file.read() == LARGE, "other bytes")
    code, text = server.curl(*trust, "-f", "-o", os.devnull, "-o", os.devnull, "-w",
                             "%{num_connects} ", f"{base}/", f"{base}/a.txt")
    require(code == 0 and text == "1 0 ", "kept alive? " + text)
    code, text = server.curl(f"{base}/")
    require(code == 60, f"an unknown authority must be refused: {code} {text}")
    code, text = server.curl("-w", "%{http_code}", f"http://{server.name}:{server.port}/")
    require(code == 0 and text.endswith("400") and "HTTPS" in text, f"plain HTTP: {code} {text}")


def check_bad_starts(server):
    hello = first_hello()
    table = {
        "nothing": b"",
        "a byte": hello[:1],
        "half a record's header": hello[:3],
        "half a hello": hello[:len(hello) // 2],
        "noise": bytes(range(128, 256)) * 8,
        "zeros": bytes(1000),
        "a hello of SSLv2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + b"\x01\x00\x80" * 12,
        "a record of 65,535 bytes": bytes([HANDSHAKE, 3, 1, 255, 255]) + bytes(70000),
        "an empty record": bytes([HANDSHAKE, 3, 1, 0, 0]) + hello,
        "data before the handshake": bytes([DATA, 3, 3, 0, 5]) + b"GET /",
        "an alert": bytes([ALERT, 3, 3, 0, 2, 2, 40]),
        "a type that is none": bytes([99]) + hello[1:],
        "a hello of 16 MiB": hello[:6] + b"\xff\xff\xff" + hello[9:],
        "a session identifier longer than the hello": hello[:43] + b"\xff" + hello[44:],
        "noise after the hello": hello + b"\xaa" * 300,
        "a hello twice": hello * 2,
    }
    for name, data in table.items():
        with server.connect() as connection:
            with contextlib.suppress(OSError):  # it may have ended it already
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            got = read_to_end(connection)
            require(got is not None, f"{name}: the server does not end the connection")
            require(not got or got[0] in (ALERT, HANDSHAKE), f"{name}: it says {got[:60]}")
    with server.connect() as connection:  # and one that ends by a reset
        connection.sendall(hello[:40])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.require_service("after bad starts")


def check_bad_records(server):
    def flipped(record, at):
        return record[:at] + bytes([record[at] ^ 1]) + record[at + 1:]

    changes = {
        "its first byte changed": lambda record: flipped(record, 5),
        "its last byte changed": lambda record: flipped(record, len(record) - 1),
        "its type changed": lambda record: flipped(record, 0),
        "cut short": lambda record: record[:3] + b"\0\x08" + record[5:13],
        "longer than may be": lambda record: record[:3] + b"\xff\xff" + bytes(70000),
        "sent twice": lambda record: record * 2,
    }
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for name, change in changes.items():
            what = f"{version.name}, a record {name}"
            with Session(server, version) as session:
                session.shake_hands()
                # Without its end: no answer is due before the records are known to be bad.
                bad = change(session.record(b"GET / HTTP/1.1\r\nHost: a\r\n"))
                with contextlib.suppress(OSError):
                    session.socket.sendall(bad)
                try:
                    session.drive(lambda session=session: session.tls.read(1))
                    raise Failed(f"{what}: it was answered")
                except ssl.SSLError as error:
                    require("ALERT" in (error.reason or ""), f"{what}: {error}")
                except ConnectionError:
                    pass  # a reset, because it did not read what came after
                require(read_to_end(session.socket) is not None, f"{what}: it stays open")
    server.require_service("after bad records")


CHECKS = {"table": check_table, "http2": check_http2, "openssl": check_openssl, "curl": check_curl,
          "bad_starts": check_bad_starts, "bad_records": check_bad_records}


def check(server, names):
    """All of them, while some connections never finish their handshake."""
    hello = first_hello()
    with contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(server.connect()) for _ in range(STALLED)]
        for i, connection in enumerate(stalled):
            connection.sendall(hello[:i * len(hello) // STALLED])
        server.require_service("beside stalled handshakes")
        for name in names:
            begin = time.monotonic()
            CHECKS[name](server)
            print(f"{name}: passed, {time.monotonic() - begin:.1f} s", flush=True)
        for connection in stalled:
            require(read_to_end(connection) is not None, "a stalled handshake is not given up")
    print("stalled handshakes: passed")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--only", action="append", choices=CHECKS)
    arguments = parser.parse_args()
    for program in ("openssl", "curl"):
        if not shutil.which(program):
            print(f"skipped: {program} is not installed (scripts/deps test)")
            sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(Server(arguments.host, arguments.port, folder), arguments.only or list(CHECKS))
        except (Failed, OSError, subprocess.TimeoutExpired) as failed:
            print(f"FAILED: {failed}")
            sys.exit(1)
    print("passed")


if __name__ == "__main__":
    main()
