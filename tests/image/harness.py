# SPDX-License-Identifier: ISC
"""tests/image/harness.py: what the tests of built images share. Python's standard library only.

Gives: the tool (crunch, build_image), trees of files (SITE, write_tree), a running image (Server),
a small HTTP client that pipelines (Client), and main() for a test file.

Rules that every test keeps by using it: servers listen on ports that the kernel chooses, on this
machine only; what was started is ended, by its own process id; every wait has a bound.
"""

import contextlib
import fcntl
import functools
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Set by ctest; by hand, what scripts/test builds.
BUILD = pathlib.Path(os.environ.get("CRUNCH_BUILD", ROOT / "build")).resolve()
CRUNCH = BUILD / "bin" / "crunch"
# Where images that several tests use are kept.
SHARED = BUILD / "tests" / "image" / "shared"

WAIT_S = 20.0


# The tool -------------------------------------------------------------------------------------

def crunch(*words, **options) -> subprocess.CompletedProcess:
    """Runs the tool; its output is captured as text. No check of the exit code."""
    options.setdefault("timeout", 900)
    return subprocess.run([str(CRUNCH), *map(str, words)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, **options)


def build_image(site: pathlib.Path, image: pathlib.Path, *options,
                target: str = "unix") -> pathlib.Path:
    done = crunch("build", site, "-t", target, "-o", image, *options)
    if done.returncode != 0:
        raise AssertionError(f"crunch build of {site} exits {done.returncode}:\n{done.stderr}")
    return image


@functools.cache
def has_tls() -> bool:
    """Whether the tool was built with TLS. It builds nothing for this: no host is called so."""
    done = crunch("build", ROOT / "docs", "-t", "unix", "-o", BUILD / "none", "--self-signed",
                  "a b")
    return "without TLS" not in done.stderr


# Trees ----------------------------------------------------------------------------------------

def noise(size: int, seed: str) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return hashlib.shake_256(seed.encode()).digest(size)


BIG_BYTES = 8 << 20  # more than every buffer between a server and a client that reads slowly

SITE = {
    "index.html": b"<!doctype html><title>home</title><p>" + b"This is the first page. " * 40,
    "404.html": b"<!doctype html><title>none</title><p>Nothing here. " + b"Sorry. " * 20,
    "style.css": b"body { color: black; }\n" * 50,
    "empty.txt": b"",
    "sub/index.html": b"<!doctype html><title>sub</title><p>below",
    "sub/page.html": b"<!doctype html><title>page</title><p>" + b"words and more words " * 500,
    "big.bin": noise(BIG_BYTES, "big"),
}


def write_tree(folder: pathlib.Path, files: dict) -> pathlib.Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def built_once(name: str, target: str, write_site, *options) -> pathlib.Path:
    """An image that several tests use; built by who comes first, again when the tool is newer.
    `write_site` is called with an empty folder."""
    SHARED.mkdir(parents=True, exist_ok=True)
    image = SHARED / name
    with open(SHARED / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not image.exists() or image.stat().st_mtime < CRUNCH.stat().st_mtime:
            with tempfile.TemporaryDirectory() as folder:
                write_site(pathlib.Path(folder))
                build_image(pathlib.Path(folder), image, *options, target=target)
    return image


def shared_image() -> pathlib.Path:
    """The image of SITE."""
    return built_once("site", "unix", lambda folder: write_tree(folder, SITE))


def conformance_image(target: str, *options) -> pathlib.Path:
    """The image of the site that the conformance tables are about."""
    def write_site(folder):
        subprocess.run([BUILD / "bin" / "conformance_client", "--write-site", folder], check=True,
                       timeout=60)
    return built_once(f"conformance{'-secure' if options else ''}.{target}", target, write_site,
                      *options)


def check_https(host: str, port: int, *options) -> None:
    """tests/tls/conformance.py on an image of conformance_image with `--self-signed localhost`,
    wherever it runs. Options: its own."""
    if not has_tls():
        raise unittest.SkipTest("crunch was built without TLS")
    done = subprocess.run([sys.executable, "-B", ROOT / "tests" / "tls" / "conformance.py", host,
                           str(port), *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=900, check=False)
    print(done.stdout)
    if done.returncode == 77:
        raise unittest.SkipTest(done.stdout)
    if done.returncode != 0:
        raise AssertionError(done.stdout)


# A running image ------------------------------------------------------------------------------

class Server:
    """A started image.

    `with Server(image, "--threads=2") as server:` ends it by SIGTERM and checks that it leaves
    with status 0; `server.stop(...)` earlier is allowed. `command` comes before the image's path
    (chroot, setpriv, prlimit).
    """

    def __init__(self, image, *keys, command=(), http_port=0, wait=True, **options):
        self._folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._folder.name)
        self.out_path, self.err_path = folder / "out", folder / "err"
        words = [*command, str(image)]
        if http_port is not None:
            words.append(f"--http-port={http_port}")
        words += keys
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err, **options)
        self.port = 0
        if wait:
            try:
                self.port = self.wait_for_port()
            except BaseException:
                self.kill()
                raise

    def out(self) -> str:
        return self.out_path.read_text(errors="replace")

    def err(self) -> str:
        return self.err_path.read_text(errors="replace")

    def wait_for_port(self, scheme: str = "http") -> int:
        pattern = re.compile(rf"listening on port (\d+) \({scheme}\)")
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            ended = self.process.poll() is not None
            found = pattern.search(self.err()) or pattern.search(self.out())
            if found:
                return int(found.group(1))
            if ended:
                break
            time.sleep(0.01)
        raise AssertionError(f"no listening line; status {self.process.poll()}, "
                             f"out: {self.out()!r}, err: {self.err()!r}")

    def client(self, host: str = "127.0.0.1") -> "Client":
        return Client(host, self.port)

    def get(self, path: str, **headers) -> "Answer":
        with self.client() as client:
            return client.get(path, headers)

    def memory_kib(self) -> int:
        """Memory of its own: not the content, which stays in the image's file."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^RssAnon:\s*(\d+)", status, re.MULTILINE).group(1))

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, how: int = signal.SIGTERM, within_s: float = WAIT_S) -> int:
        """Sends the signal, waits for the end and gives the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {within_s} s after signal {how}") from None

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)
        self._folder.cleanup()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, kind, value, trace) -> None:
        try:
            if kind is None and self.process.poll() is None:
                status = self.stop()
                if status != 0:
                    raise AssertionError(f"exit status {status}; err: {self.err()}")
        finally:
            self.kill()


# A client -------------------------------------------------------------------------------------

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


class SecureServer(Server):
    """An image with a certificate, asked over HTTPS."""

    def __init__(self, image, *keys, **options):
        super().__init__(image, "--https-port=0", *keys, **options)

    def wait_for_port(self, scheme: str = "https") -> int:
        return super().wait_for_port(scheme)

    def client(self, host: str = "127.0.0.1") -> SecureClient:
        return SecureClient(host, self.port)


def eventually(condition, within_s: float = WAIT_S) -> bool:
    """Asks until it is true or the time is over."""
    until = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def symbols_of(image) -> list:
    """(address, name) of each function, in order of address."""
    said = subprocess.run(["nm", "-C", str(image)], stdout=subprocess.PIPE, text=True, check=True)
    found = re.findall(r"^([0-9a-f]+) [tTwW] (.+)$", said.stdout, re.MULTILINE)
    return sorted((int(address, 16), name) for address, name in found)


def symbol_at(symbols: list, address: int) -> str:
    """The name of the function that `address` is in."""
    return max((one for one in symbols if one[0] <= address), default=(0, "?"))[1]


def need(program: str) -> str:
    """The program's path, or the test is skipped."""
    path = shutil.which(program)
    if not path:
        raise unittest.SkipTest(f"{program} is not installed (scripts/deps test)")
    return path


def need_root() -> None:
    if os.geteuid() != 0:
        raise unittest.SkipTest("takes root: run scripts/test as root or with sudo")


def need_disk(bytes_free: int, folder=None) -> None:
    folder = folder or tempfile.gettempdir()
    if shutil.disk_usage(folder).free < bytes_free:
        raise unittest.SkipTest(f"takes {bytes_free >> 20} MiB free in {folder}")


def main() -> None:
    """Runs the tests of the calling file (all, or those named); exit 77 when all were skipped."""
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    for _, reason in result.skipped:
        print(f"SKIPPED: {reason}")
    if result.testsRun == 0:
        print("no test of that name")
        sys.exit(1)
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if len(result.skipped) == result.testsRun else 0)
