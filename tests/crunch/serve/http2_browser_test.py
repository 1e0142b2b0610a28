#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""HTTP/2 in a real browser: headless Chromium chooses it for an image and for the preview.

Method: what Chromium's performance entries say of each resource (nextHopProtocol).
"""

import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "image"))

import harness  # noqa: E402
from chromium import Browser  # noqa: E402
from preview import Preview  # noqa: E402

RESOURCES = 60
PAGE = ("<!doctype html><html><head><title>many</title></head><body>"
        + "".join(f'<img src="/{number}.svg" alt="{number}">' for number in range(RESOURCES))
        + "</body></html>")
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><!-- {} --></svg>'
PROTOCOLS = ("performance.getEntriesByType('navigation')"
             ".concat(performance.getEntriesByType('resource'))"
             ".filter(function (entry) { return /svg$|\\/$/.test(entry.name); })"
             ".map(function (entry) { return entry.nextHopProtocol; })")
WHOLE = ("Array.from(document.images).every(function (image) "
         "{ return image.complete && image.naturalWidth > 0; })")


@unittest.skipUnless(harness.has_tls(), "crunch was built without TLS")
class InChromium(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser("--ignore-certificate-errors")
        cls.addClassCleanup(cls.browser.close)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.site = harness.write_tree(cls.folder / "site", {
            "index.html": PAGE.encode(),
            **{f"{number}.svg": PICTURE.format(number).encode() for number in range(RESOURCES)},
        })

    def expect(self, port: int, protocol: str) -> None:
        page = self.browser.new_page()
        self.addCleanup(page.close)
        page.open(f"https://localhost:{port}/")
        page.wait_for(WHOLE)
        self.assertEqual(page.evaluate(PROTOCOLS), [protocol] * (1 + RESOURCES))

    def test_an_image(self):
        image = harness.build_image(self.site, self.folder / "image", "--self-signed", "localhost")
        for keys, protocol, version in (((), "h2", "2.0"),
                                        (("--http2=false",), "http/1.1", "1.1")):
            with harness.SecureServer(image, "--log=combined", *keys) as server:
                self.expect(server.port, protocol)
                self.assertEqual(server.stop(), 0)
                found = re.findall(r'"GET /(?:\d+\.svg)? HTTP/([\d.]+)" 200', server.out())
                self.assertEqual(found, [version] * (1 + RESOURCES))

    def test_the_preview(self):
        with Preview(self.site, "--https", "0", "--host", "localhost") as server:
            port = int(re.search(r"^and at https://localhost:(\d+)/ ", server.out(),
                                 re.MULTILINE).group(1))
            self.expect(port, "h2")


if __name__ == "__main__":
    harness.main()
