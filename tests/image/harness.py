# SPDX-License-Identifier: ISC
"""tests/image/harness.py: what the tests of built images share. Python's standard library only.

Gives: the tool (crunch, build_image), trees of files (SITE, write_tree), a running image (Server),
what client.py has to ask it with, and main() for a test file.

Rules that every test keeps by using it: servers listen on ports that the kernel chooses, on this
machine only; what was started is ended, by its own process id, and with the test at the latest;
every wait has a bound.
"""

import ctypes
import fcntl
import functools
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from client import WAIT_S, Answer, Client, SecureClient

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Set by ctest; by hand, what scripts/test builds.
BUILD = pathlib.Path(os.environ.get("CRUNCH_BUILD", ROOT / "build")).resolve()
CRUNCH = BUILD / "bin" / "crunch"
# Where images that several tests use are kept.
SHARED = BUILD / "tests" / "image" / "shared"


# Other programs -------------------------------------------------------------------------------

def call(*words, **options) -> subprocess.CompletedProcess:
    """Runs a program; what it says on both outputs is captured as one text."""
    options.setdefault("timeout", 60)
    return subprocess.run([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)


def must(*words, **options) -> str:
    done = call(*words, **options)
    if done.returncode != 0:
        raise AssertionError(f"{words} exits {done.returncode}:\n{done.stdout}")
    return done.stdout


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


def made_of(target: str) -> list:
    """The files that the tool makes images for `target` of, itself included."""
    recipe = BUILD / "lib" / "crunch" / f"{target}.target"
    named = re.findall(r"^(?:object|library|companion) (.+)$", recipe.read_text(), re.MULTILINE)
    return [CRUNCH, recipe, *map(pathlib.Path, named)]


def built_once(name: str, target: str, write_site, *options, sources=()) -> pathlib.Path:
    """An image that several tests use; built by who comes first, again when something that it is
    made of is newer. `write_site` is called with an empty folder; `sources`: what it needs besides
    the file that it is written in."""
    SHARED.mkdir(parents=True, exist_ok=True)
    image = SHARED / name
    written_in = getattr(write_site, "func", write_site).__code__.co_filename  # a partial's func
    parts = [*made_of(target), written_in, *sources]
    with open(SHARED / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        newest = max(os.stat(part).st_mtime for part in parts)
        if not image.exists() or image.stat().st_mtime < newest:
            with tempfile.TemporaryDirectory() as folder:
                write_site(pathlib.Path(folder))
                build_image(pathlib.Path(folder), image, *options, target=target)
            os.utime(image)  # the tool leaves a file alone that is the same
    return image


def shared_image() -> pathlib.Path:
    """The image of SITE."""
    return built_once("site", "unix", lambda folder: write_tree(folder, SITE))


def conformance_image(target: str, *options) -> pathlib.Path:
    """The image of the site that the conformance tables are about."""
    client = BUILD / "bin" / "conformance_client"

    def write_site(folder):
        subprocess.run([client, "--write-site", folder], check=True, timeout=60)
    return built_once(f"conformance{'-secure' if options else ''}.{target}", target, write_site,
                      *options, sources=[client])


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

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """For Popen's preexec_fn: what a test started ends with it, even when ctest kills it in its
    time-out. (With the thread that started it, to be exact.)"""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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
        options.setdefault("preexec_fn", die_with_parent)
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
