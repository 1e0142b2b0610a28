# SPDX-License-Identifier: ISC
"""site-example in headless Chromium: what the script adds is there, and what it loads has come.

Once over HTTP and once over HTTPS, where Chromium takes the certificate that was made for trying
out only because its key is named; without that it shows no page.
"""

import base64
import hashlib
import pathlib
import re
import ssl
import subprocess
import tempfile
import unittest

import harness

TREE = harness.ROOT / "site-example" / "htdocs"


class Browser(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.chromium = harness.need("chromium")

    def dump(self, url: str, *options: str) -> str:
        """The page's elements after its scripts ran."""
        done = subprocess.run(
            [self.chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-dev-shm-usage",
             f"--user-data-dir={self.folder / 'profile'}", "--virtual-time-budget=5000",
             *options, "--dump-dom", url],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=100, check=True)
        return done.stdout.decode()

    def check(self, page: str, log: str, version: str) -> None:
        # Theme and search buttons are hidden without the script; copy buttons are not there.
        self.assertNotRegex(page, r'<button[^>]*id="(search|theme)"[^>]*hidden')
        self.assertGreater(page.count('class="copy"'), 4)
        self.assertIn("<dialog", page)
        answers = dict(re.findall(rf'"GET (\S+) {version}" (\d+)', log))
        for kind in (r"/start/", r"/assets/style\..*", r"/assets/site\..*",
                     r"/fonts/manrope-400\..*", r"/fonts/manrope-700\..*"):
            self.assertTrue(any(re.fullmatch(kind, path) and status == "200"
                                for path, status in answers.items()), f"{kind}: {answers}")
        self.assertNotIn("404", answers.values())

    def test_script_style_and_fonts_work(self):
        image = harness.build_image(TREE, self.folder / "image", "--effort", "fast")
        with harness.Server(image, "--log=combined") as server:
            page = self.dump(f"http://127.0.0.1:{server.port}/start/")
            log = server.out()
        self.check(page, log, "HTTP/1.1")

    @unittest.skipUnless(harness.has_tls(), "crunch was built without TLS")
    def test_the_same_over_https(self):
        image = harness.build_image(TREE, self.folder / "image", "--effort", "fast",
                                    "--self-signed", "localhost")
        with harness.SecureServer(image, "--log=combined") as server:
            url = f"https://localhost:{server.port}/start/"
            refused = self.dump(url)
            self.assertNotIn("<dialog", refused)
            self.assertEqual(server.out(), "")
            page = self.dump(url, "--ignore-certificate-errors-spki-list="
                             + key_digest(ssl.get_server_certificate(("127.0.0.1", server.port))))
            log = server.out()
        self.check(page, log, "HTTP/2.0")


def key_digest(pem: str) -> str:
    """RFC 7469's name of a certificate's public key."""
    key = subprocess.run([harness.need("openssl"), "x509", "-noout", "-pubkey"],
                         input=pem.encode(), stdout=subprocess.PIPE, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key,
                         stdout=subprocess.PIPE, check=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


if __name__ == "__main__":
    harness.main()
