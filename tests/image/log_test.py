#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The access log, as the programs that read it read it: the combined format and JSON lines."""

import datetime
import fcntl
import json
import os
import re
import signal
import subprocess
import tempfile
import unittest

import harness
from harness import SITE, Client, Server

# Apache's "combined", as log analysers parse it: no raw quote or control character inside a field.
COMBINED = re.compile(
    r'(?P<host>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "(?P<request>(?:[^"\\\x00-\x1f]|\\.)*)" '
    r'(?P<status>\d{3}) (?P<bytes>\d+|-) "(?P<referer>(?:[^"\\\x00-\x1f]|\\.)*)" '
    r'"(?P<agent>(?:[^"\\\x00-\x1f]|\\.)*)"\Z')

EVIL = 'x" 200 1 "-" "forged\\'

REQUESTS = [
    ("/", {}, 200),
    ("/sub/page.html", {"Referer": "http://127.0.0.1/", "User-Agent": "test/1"}, 200),
    ("/none", {"User-Agent": EVIL}, 404),
    ("/%22quoted%0a", {"Referer": "caf\u00e9"}, 404),
    ("/sub", {}, 301),
]


class AccessLog(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()

    def lines(self, kind: str) -> list[str]:
        """What standard output holds after REQUESTS, one connection, and the end of the image."""
        with Server(self.image, f"--log={kind}") as server:
            with server.client() as client:
                for path, fields, status in REQUESTS:
                    self.assertEqual(client.get(path, fields).status, status, path)
            self.assertEqual(server.stop(), 0)  # what was logged is written before it ends
            return server.out().splitlines()

    def test_combined(self):
        lines = self.lines("combined")
        self.assertEqual(len(lines), len(REQUESTS), lines)
        for line, (path, fields, status) in zip(lines, REQUESTS):
            match = COMBINED.match(line)
            self.assertIsNotNone(match, line)
            self.assertEqual(match["host"].removeprefix("::ffff:"), "127.0.0.1")
            self.assertEqual(int(match["status"]), status)
            self.assertTrue(match["request"].startswith(f"GET {path} HTTP/1.1"), line)
            when = datetime.datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z")
            age = datetime.datetime.now(datetime.timezone.utc) - when
            self.assertLess(abs(age.total_seconds()), 120)
            if "Referer" not in fields:
                self.assertEqual(match["referer"], "-")
        self.assertEqual(COMBINED.match(lines[0])["bytes"], str(len(SITE["index.html"])))

    def test_json(self):
        lines = self.lines("json")
        self.assertEqual(len(lines), len(REQUESTS), lines)
        for line, (path, fields, status) in zip(lines, REQUESTS):
            entry = json.loads(line)
            self.assertIn(status, entry.values(), line)
            text = json.dumps(list(entry.values()))
            self.assertIn(json.dumps(path)[1:-1], text)
            for value in fields.values():
                if value.isascii():
                    self.assertIn(value, entry.values(), line)

    def test_off(self):
        self.assertEqual(self.lines("off"), [])

    def test_a_reader_that_stops(self):
        """A log that nobody reads stops no answer and no signal; the loss is said on the other
        output, and told when it is read again."""
        for threads in (1, 2):
            for stream in ("stdout", "stderr"):
                with self.subTest(threads=threads, stream=stream):
                    self.check_stalled(threads, stream)

    def check_stalled(self, threads: int, stream: str):
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        keys = [f"--threads={threads}", "--log=combined"]
        # Both outputs are the one pipe, where the operator's log is to stall.
        command = ["sh", "-c", 'exec "$@" 2>&1', "sh"] if stream == "stderr" else []
        words = [*command, str(self.image), "--http-port=0", "--address=127.0.0.1", *keys]
        with tempfile.TemporaryFile("a+b") as err:
            process = subprocess.Popen(words, stdout=writer, stderr=err,
                                       preexec_fn=harness.die_with_parent)
            os.close(writer)
            try:
                if stream == "stderr":
                    said = b""
                    while b"listening on port" not in said or not said.endswith(b"\n"):
                        said += os.read(reader, 4096)
                else:
                    self.assertTrue(harness.eventually(lambda: b"listening" in self.text_of(err)))
                    said = self.text_of(err)
                port = int(re.search(rb"listening on port (\d+)", said).group(1))
                with Client("127.0.0.1", port) as client:
                    for _ in range(400):
                        answer = client.get("/sub/page.html", {"User-Agent": "x" * 999})
                        self.assertEqual(answer.status, 200)
                self.assertEqual(fcntl.fcntl(reader, fcntl.F_GETFL) & os.O_NONBLOCK, 0)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(harness.WAIT_S), 0)
                if stream == "stdout":
                    said = self.text_of(err).decode()
                    self.assertEqual(said.count("standard output takes no lines"), 1, said)
                    self.assertRegex(said, r"standard output .*; [1-9]\d* lines were lost")
            finally:
                process.kill()
                process.wait(harness.WAIT_S)
                os.close(reader)

    @staticmethod
    def text_of(file) -> bytes:
        file.seek(0)
        return file.read()


if __name__ == "__main__":
    harness.main()
