#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The recipes of docs/operations.md, as they are written there: an empty root with another user,
for an image without a key and for one with a key, whose owner that user has to be.

Method: the command is taken from the page; only the folder and the port are others.
"""

import pathlib
import re
import shlex
import shutil
import tempfile
import unittest

import harness

PAGE = harness.ROOT / "docs" / "operations.md"


class EmptyRoot(unittest.TestCase):
    def setUp(self):
        harness.need_root()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name) / "empty"
        self.root.mkdir()
        self.root.parent.chmod(0o755)
        self.site = harness.write_tree(pathlib.Path(folder.name) / "site", {"index.html": b"<p>x"})
        line = re.search(r"^    (chroot --userspec=\S+ /srv/empty /my-site) --http-port=8080$",
                         PAGE.read_text(), re.MULTILINE)
        self.command = shlex.split(line[1].replace("/srv/empty", str(self.root)))
        harness.need(self.command[0])

    def start(self, *keys, **options):
        return harness.Server(self.command[-1], *keys, command=self.command[:-1], **options)

    def test_an_image_without_a_key(self):
        harness.build_image(self.site, self.root / "my-site")
        with self.start() as server:
            self.assertEqual(server.get("/").body, b"<p>x")

    @unittest.skipUnless(harness.has_tls(), "crunch was built without TLS")
    def test_an_image_with_a_key_is_its_owners(self):
        image = harness.build_image(self.site, self.root / "my-site", "--self-signed", "localhost")
        done = harness.call(*self.command, "--http-port=0")
        self.assertIn("Permission denied", done.stdout)
        owner = re.search(r"`chown (\d+):(\d+) my-site`", PAGE.read_text())
        shutil.chown(image, int(owner[1]), int(owner[2]))
        with self.start("--https-port=0") as server:
            self.assertIn(server.get("/").status, (200, 308))  # as its keys say


if __name__ == "__main__":
    harness.main()
