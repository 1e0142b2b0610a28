# SPDX-License-Identifier: ISC
"""tests/crunch/serve/chromium.py: a headless Chromium that a test drives, with nothing but Python.

Gives: Browser (a process), Page (a tab: open, evaluate, wait_for). It speaks the DevTools protocol
over a WebSocket (RFC 6455), of which this is as much as is needed: text messages of one client,
whole or in fragments.
"""

import base64
import http.client
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import harness

WAIT_S = 30.0


class WebSocket:
    def __init__(self, port: int, path: str):
        self._socket = socket.create_connection(("127.0.0.1", port), WAIT_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
             "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(head.decode("latin-1"))

    def close(self) -> None:
        self._socket.close()

    def send(self, text: str) -> None:
        data = text.encode()
        if len(data) < 126:
            length = bytes([0x80 | len(data)])
        elif len(data) < 1 << 16:
            length = bytes([0x80 | 126]) + len(data).to_bytes(2, "big")
        else:
            length = bytes([0x80 | 127]) + len(data).to_bytes(8, "big")
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self._socket.sendall(b"\x81" + length + mask + masked)

    def receive(self, until: float) -> str:
        """The next text message; TimeoutError at the latest at that monotonic time."""
        message = b""
        while True:
            head = self._exactly(2, until)
            size = head[1] & 0x7F
            if size >= 126:
                size = int.from_bytes(self._exactly(2 if size == 126 else 8, until), "big")
            data = self._exactly(size, until)
            opcode = head[0] & 0x0F
            if opcode == 8:
                raise ConnectionError("the browser closed the connection")
            if opcode in (0, 1):
                message += data
                if head[0] & 0x80:
                    return message.decode()

    def _exactly(self, size: int, until: float) -> bytes:
        while len(self._buffer) < size:
            self._fill(until)
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _fill(self, until: float | None = None) -> None:
        left = WAIT_S if until is None else until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the browser said nothing more")
        self._socket.settimeout(left)
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the browser has gone")
        self._buffer += data


class Page:
    """One tab."""

    def __init__(self, port: int, path: str):
        self._socket = WebSocket(port, path)
        self._numbers = itertools.count(1)
        self.events: list[dict] = []
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.call("Network.enable")

    def close(self) -> None:
        self._socket.close()

    def call(self, method: str, **parameters):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        until = time.monotonic() + WAIT_S
        while True:
            message = json.loads(self._socket.receive(until))
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def evaluate(self, expression: str):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Until it is true; a page that is just being loaded has no answer yet."""
        until = time.monotonic() + WAIT_S
        while True:
            try:
                if self.evaluate(f"Boolean({expression})"):
                    return
                last = "false"
            except RuntimeError as error:
                last = str(error)
            if time.monotonic() > until:
                shown = self.evaluate("document.documentElement.outerHTML")
                raise AssertionError(f"{expression} is still not so ({last}); the page:\n{shown}")
            time.sleep(0.02)

    def complaints(self) -> list[str]:
        """What the page's own scripts threw."""
        self.evaluate("0")  # whatever was said before has arrived
        return [str(event["params"]) for event in self.events
                if event.get("method") == "Runtime.exceptionThrown"]


class Browser:
    """Chromium with a profile of its own; ended by its process id with all that it started.
    `options`: more of its own."""

    def __init__(self, *options: str):
        program = shutil.which("chromium")
        if program is None:
            harness.need("chromium")
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._errors = open(os.path.join(self._folder.name, "errors"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-extensions", "--disable-component-update",
             "--disable-background-networking", "--disable-sync", "--metrics-recording-only",
             "--disable-default-apps", "--no-proxy-server",
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
             f"--user-data-dir={self._folder.name}/profile", "--remote-debugging-port=0",
             *options, "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._errors,
            preexec_fn=harness.die_with_parent,
            start_new_session=True)
        try:
            self.port = self._wait_for_port()
        except BaseException:
            self.close()
            raise

    def _wait_for_port(self) -> int:
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until and self.process.poll() is None:
            self._errors.seek(0)
            found = re.search(r"DevTools listening on ws://[^:]*:(\d+)/", self._errors.read())
            if found:
                return int(found.group(1))
            time.sleep(0.05)
        self._errors.seek(0)
        raise AssertionError(f"chromium does not start: {self._errors.read()[-2000:]}")

    def new_page(self) -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        connection.request("PUT", "/json/new?about:blank")
        target = json.loads(connection.getresponse().read())
        connection.close()
        path = target["webSocketDebuggerUrl"].split(str(self.port), 1)[1]
        return Page(self.port, path)

    def close(self) -> None:
        if self.process.poll() is None:
            with_group = os.getpgid(self.process.pid) == self.process.pid
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                if with_group:
                    os.killpg(self.process.pid, 9)
                self.process.wait(10)
        self._errors.close()
        self._folder.cleanup()
