#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The access log, as the programs that read it read it: the combined format and JSON lines."""

import datetime
import json
import re
import unittest

import harness
from harness import SITE, Server

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


if __name__ == "__main__":
    harness.main()
