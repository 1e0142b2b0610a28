# SPDX-License-Identifier: ISC
"""tests/image/pebble.py: a CA of its own for a test: Pebble, with the DNS that it asks.

Both are Debian's. They listen on this machine only, on ports that were free; what is started is
ended by its own process id, and with the test at the latest.
"""

import base64
import http.client
import http.server
import json
import os
import pathlib
import re
import ssl
import subprocess
import threading
import time
import urllib.request

import harness
from client import WAIT_S
from tls_test import free_port


HOST = "ca.example"  # its name where there is no localhost


def make_pair(folder: pathlib.Path) -> tuple[str, str]:
    """The certificate of its own server, for both names, and the key."""
    cert, key = str(folder / "ca.pem"), str(folder / "ca.key")
    harness.must(harness.need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "30",
                 "-subj", "/CN=ca", "-addext", f"subjectAltName=DNS:localhost,DNS:{HOST}")
    return cert, key


def decoded(text: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Pebble:
    """`folder`: for its files; `pair`: its own certificate for localhost, and the key. It checks
    names on the ports `http_port` and `tls_port` of this machine."""

    def __init__(self, folder: pathlib.Path, http_port: int, tls_port: int, *, pair,
                 lifetime_s=3600, environment=(), **config):
        self.programs = harness.need("pebble"), harness.need("pebble-challtestsrv")
        self.folder = folder
        self.root, self.key = pair
        self.port, self.management, self.dns, self.dns_management = (free_port() for _ in range(4))
        self.directory = f"https://localhost:{self.port}/dir"
        self.environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1",
                            "PEBBLE_WFE_NONCEREJECT": "0", **dict(environment)}
        (folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": self.root, "privateKey": self.key, "httpPort": http_port,
            "tlsPort": tls_port, "ocspResponderURL": "",
            "certificateValidityPeriod": lifetime_s, **config}}))
        self.log = folder / "pebble.log"
        self.processes = []

    def start(self) -> None:
        self._run([self.programs[1], "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "",
                   "-https01", "", "-tlsalpn01", "", "-dns01", f"127.0.0.1:{self.dns}",
                   "-management", f"127.0.0.1:{self.dns_management}"], "dns.log")
        self._run([self.programs[0], "-strict", "-config", self.folder / "pebble.json",
                   "-dnsserver", f"127.0.0.1:{self.dns}"], "pebble.log")
        if not harness.eventually(self._is_up):
            raise AssertionError(self.said())

    def _run(self, words, log) -> None:
        with open(self.folder / log, "ab") as out:
            self.processes.append(subprocess.Popen(
                [*map(str, words)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=self.environment, preexec_fn=harness.die_with_parent))

    def _is_up(self) -> bool:
        try:
            self.issuer()
            self._point("nowhere.example", "127.0.0.1")
        except OSError:
            return False
        return True

    def stop(self) -> None:
        while self.processes:
            process = self.processes.pop()
            process.kill()
            process.wait(WAIT_S)

    def __enter__(self) -> "Pebble":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def orders(self) -> int:
        """That it was asked for since it was made."""
        return len(re.findall(r"There are now \d+ orders in the db", self.said()))

    def issuer(self) -> str:
        """A file with the certificate that it signs with; another one after each start."""
        context = ssl.create_default_context(cafile=self.root)
        with urllib.request.urlopen(f"https://localhost:{self.management}/roots/0",
                                    context=context, timeout=WAIT_S) as answer:
            path = self.folder / "issuer.pem"
            path.write_bytes(answer.read())
        return str(path)

    def _point(self, host: str, address: str) -> None:
        body = json.dumps({"host": host, "addresses": [address]}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.dns_management}/add-a", body, WAIT_S):
            pass

    def point(self, host: str, address: str) -> None:
        """From now on the CA finds `host` there."""
        self._point(host, address)


class Front:
    """What Pebble 2.4 lacks, before one: renewal information (RFC 9773) and profiles. `window` is
    when it suggests a renewal, in seconds from now; `payloads` are those of orders."""

    def __init__(self, ca: Pebble):
        self.window = (86400, 90000)
        self.payloads, self.asked = [], []
        self.port = free_port()
        self.directory = f"https://localhost:{self.port}/dir"
        front, context = self, ssl.create_default_context(cafile=ca.root)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                if self.path.startswith("/ari/"):
                    front.asked.append(self.path.removeprefix("/ari/"))
                    self.reply(200, [], json.dumps({"suggestedWindow": front.suggested()}).encode())
                    return
                size = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(size)
                if self.path == "/order-plz":
                    front.payloads.append(decoded(json.loads(body)["payload"]))
                behind = http.client.HTTPSConnection("localhost", ca.port, context=context,
                                                     timeout=WAIT_S)
                # With our name, so that its URLs lead here.
                behind.request(self.command, self.path, body, dict(self.headers))
                answer = behind.getresponse()
                body = answer.read()
                if self.path == "/dir":
                    body = front.directory_of(json.loads(body))
                kept = ("replay-nonce", "location", "link", "retry-after", "content-type")
                self.reply(answer.status,
                           [(k, v) for k, v in answer.getheaders() if k.lower() in kept], body)
                behind.close()

            do_GET = do_HEAD = do_POST = answer

            def reply(self, status, fields, body):
                self.send_response(status)
                for name, value in fields:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(ca.root, ca.key)
        self.server.socket = own.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def suggested(self) -> dict:
        def text(seconds):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        return dict(zip(("start", "end"), map(text, self.window)))

    def directory_of(self, answer: dict) -> bytes:
        answer["renewalInfo"] = f"https://localhost:{self.port}/ari"
        answer["meta"]["profiles"] = {"shortlived": "for a test"}
        return json.dumps(answer).encode()

    def __enter__(self) -> "Front":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(WAIT_S)
