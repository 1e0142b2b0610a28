#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch inspect --sbom: which libraries an image contains, as SPDX 2.3.

Method: what is listed is compared with the functions in the image's symbols, which the list is not
made from; the document, with the rules of the SPDX specification 2.3, clauses 6 to 11.
"""

import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "embed"))

import harness
from trees import COMPRESSIBLE, Folder, sha256

# A function that is in every image that contains the library.
FUNCTIONS = {
    "glibc": "malloc",
    "libstdc++": "__cxa_throw",
    "libgcc": "_Unwind_RaiseException",
    "nghttp2": "nghttp2_session_mem_recv",
    "mbedTLS": "mbedtls_ssl_handshake_step",
    "nettle": "nettle_sha256_init",
    "GMP": "__gmpn_mul_1",
    "libsodium": "crypto_scalarmult_curve25519",
    "lwIP": "tcp_slowtmr",
    "intel-ipsec-mb": "aes_keyexp_128_sse",
}
LICENCES = {"ISC", "MIT", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "Apache-2.0", "LGPL-2.1-or-later",
            "LGPL-3.0-or-later", "GPL-2.0-or-later", "GPL-3.0-or-later"}
EXCEPTIONS = {"GCC-exception-3.1"}
IDENTIFIER = r"SPDXRef-[A-Za-z0-9.-]+"


def is_licence(expression: str) -> bool:
    """Annex D: ids joined by OR or AND, WITH an exception."""
    def is_simple(words: list) -> bool:
        return words[0] in LICENCES and (
            len(words) == 1 or (words[1:2] == ["WITH"] and words[2] in EXCEPTIONS))
    return all(is_simple(part.split()) for part in re.split(" OR | AND ", expression))


class Sbom(Folder):
    def setUp(self):
        super().setUp()
        self.write("index.html", COMPRESSIBLE)

    def built(self, name: str, *words) -> pathlib.Path:
        image = self.at / name
        done = self.crunch("build", self.site, "-o", image, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return image

    def sbom(self, image: pathlib.Path) -> dict:
        done = self.crunch("inspect", image, "--sbom")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def libraries(self, document: dict) -> set:
        return {package["name"] for package in document["packages"]
                if package["primaryPackagePurpose"] == "LIBRARY"}

    def check_rules(self, document: dict, image: pathlib.Path) -> None:
        self.assertEqual(document["spdxVersion"], "SPDX-2.3")
        self.assertEqual(document["dataLicense"], "CC0-1.0")
        self.assertEqual(document["SPDXID"], "SPDXRef-DOCUMENT")
        self.assertTrue(document["name"])
        self.assertRegex(document["documentNamespace"], r"^https?://[^#\s]+$")
        created = document["creationInfo"]
        self.assertRegex(created["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertTrue(created["creators"])
        for creator in created["creators"]:
            self.assertRegex(creator, r"^(Tool|Person|Organization): \S")
        ids = [document["SPDXID"]]
        for package in document["packages"]:
            ids.append(package["SPDXID"])
            self.check_package(package)
        self.assertEqual(len(ids), len(set(ids)))
        for one in ids:
            self.assertRegex(one, f"^{IDENTIFIER}$")
        relations = document["relationships"]
        for relation in relations:
            self.assertIn(relation["spdxElementId"], ids)
            self.assertIn(relation["relatedSpdxElement"], ids)
        described = [each["relatedSpdxElement"] for each in relations
                     if (each["spdxElementId"], each["relationshipType"])
                     == ("SPDXRef-DOCUMENT", "DESCRIBES")]
        linked = {each["relatedSpdxElement"] for each in relations
                  if (each["spdxElementId"], each["relationshipType"])
                  == (described[0], "STATIC_LINK")}
        self.assertEqual(len(described), 1)
        self.assertEqual(linked | {"SPDXRef-DOCUMENT", described[0]}, set(ids))
        top = next(each for each in document["packages"] if each["SPDXID"] == described[0])
        self.assertEqual(top["checksums"], [{"algorithm": "SHA256",
                                             "checksumValue": sha256(image.read_bytes())}])

    def check_package(self, package: dict) -> None:
        self.assertTrue(package["name"])
        self.assertRegex(package["downloadLocation"], r"^(NOASSERTION|NONE|https://\S+)$")
        self.assertIs(package["filesAnalyzed"], False)
        self.assertNotIn("packageVerificationCode", package)  # 7.9: only of analyzed files
        self.assertTrue(package["copyrightText"])
        for member in "licenseConcluded", "licenseDeclared":
            if package["primaryPackagePurpose"] == "LIBRARY":
                self.assertTrue(is_licence(package[member]), package)
                self.assertRegex(package["versionInfo"], r"^\d+(\.\d+)+$")
        for reference in package.get("externalRefs", []):
            self.assertEqual((reference["referenceCategory"], reference["referenceType"]),
                             ("PACKAGE-MANAGER", "purl"))
            self.assertRegex(reference["referenceLocator"],
                             r"^pkg:deb/debian/[a-z0-9.%+-]+@[A-Za-z0-9.%~-]+\?arch=source$")

    def check_truth(self, document: dict, image: pathlib.Path) -> None:
        functions = {name for _, name in harness.symbols_of(f"{image}.debug")}
        listed = self.libraries(document)
        self.assertEqual({name for name in FUNCTIONS if name in listed},
                         {name for name, function in FUNCTIONS.items() if function in functions})

    def test_each_target(self):
        targets = sorted(path.stem for path in (harness.BUILD / "lib/crunch").glob("*.target"))
        self.assertIn("unix", targets)
        for target in targets:
            with self.subTest(target=target):
                image = self.built(target, "-t", target, "--keep-symbols")
                document = self.sbom(image)
                self.check_rules(document, image)
                self.check_truth(document, image)
                self.assertEqual("lwIP" in self.libraries(document), target != "unix")
                self.assertEqual("xen-headers" in self.libraries(document), target == "xen")
                self.assertEqual("mbedTLS" in self.libraries(document), harness.has_tls())

    def test_only_what_the_configuration_uses(self):
        plain = self.built("plain", "-t", "unix", "--keep-symbols", "--config",
                           harness.ROOT / "site-example/plain.hpp")
        document = self.sbom(plain)
        self.check_rules(document, plain)
        self.check_truth(document, plain)
        self.assertFalse({"mbedTLS", "lwIP", "libsodium"} & self.libraries(document))
        self.assertTrue({"nghttp2", "Boost.Beast"} <= self.libraries(document))
        hello = self.built("hello", "-t", "unix", "--config",
                           harness.ROOT / "examples/hello-console/config.hpp")
        self.assertFalse({"nghttp2", "Boost.Beast"} & self.libraries(self.sbom(hello)))

    def test_the_time_and_an_image_that_does_not_say(self):
        image = self.built("image", "-t", "unix")
        done = self.crunch("inspect", image, "--sbom", env={"SOURCE_DATE_EPOCH": "951782399"})
        self.assertEqual(json.loads(done.stdout)["creationInfo"]["created"],
                         "2000-02-28T23:59:59Z")
        self.assertIn("nghttp2", [each["name"] for each in json.loads(
            self.crunch("inspect", image, "--format", "json").stdout)["image"]["libraries"]])
        # As an older crunch made it: no section of that name.
        whole = image.read_bytes()
        image.write_bytes(whole.replace(b".crunch.libraries\0", b".crunch.forgotten\0"))
        self.refused(self.crunch("inspect", image, "--sbom"), 1,
                     "build it again")
        self.assertEqual(self.crunch("inspect", image).returncode, 0)


if __name__ == "__main__":
    harness.main()
