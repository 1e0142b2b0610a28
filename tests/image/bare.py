# SPDX-License-Identifier: ISC
"""tests/image/bare.py: what every machine without an operating system must do, whoever runs it.

Gives: Guest, what the tests know of a running machine; images that the tests share; and Suite, the
tests themselves, to be mixed into a unittest.TestCase that says how a machine is started:

    class OnPc(bare.Suite, unittest.TestCase):
        target = "virtio"
        def start(self, image_file, *keys, **options):
            return qemu.Guest(image_file, " ".join(keys), **options)

Used by: tests/targets/{virtio,hvt,xen}. cmake/modules.cmake finds tests of a class that is mixed
in, too.
"""

import contextlib
import functools
import pathlib
import re
import ssl
import subprocess
import time
import unittest

import harness
from client import trusting_context
from harness import SITE

CLIENT = harness.BUILD / "bin" / "conformance_client"
WAIT_S = 60.0


class Guest:
    """A machine that serves, at `host`: HTTP at `port`, HTTPS at `https_port`.

    `with ... as guest:` asks it to stop and checks that it leaves with status 0;
    `guest.stop()` earlier is allowed. What follows first is for each way to run one.
    """

    host, port, https_port = "127.0.0.1", 80, 443

    def console(self) -> str:
        """What it has said so far."""
        raise NotImplementedError

    def is_running(self) -> bool:
        raise NotImplementedError

    def ask_to_stop(self) -> None:
        """What an administrator does: the power button, a signal to who runs it, `xl shutdown`."""
        raise NotImplementedError

    def wait_for_end(self, within_s: float = WAIT_S) -> int:
        """The guest's status."""
        raise NotImplementedError

    def kill(self) -> None:
        """Ends it if it still runs, and leaves nothing behind. May be called again."""
        raise NotImplementedError

    def memory_most_mib(self) -> float:
        """Stops the guest; the most memory that it ever had in use."""
        self.stop()
        return float(re.search(r"at most ([\d.]+)", self.console()).group(1))

    def memory_mib(self) -> list[float]:
        """The most memory that it ever had in use, as told every 5 s with --log-level=debug."""
        return [float(text) for text in re.findall(r"MiB, at most ([\d.]+)", self.console())]

    # What they have in common.

    def wait_for(self, pattern: str, within_s: float = WAIT_S) -> str:
        """What on the console fits the pattern."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            runs = self.is_running()
            if found := re.search(pattern, self.console()):
                return found.group(0)
            if not runs:
                break
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r}; console:\n{self.console()}")

    def client(self) -> harness.Client:
        return harness.Client(self.host, self.port)

    def secure_client(self, context=None, session=None) -> harness.SecureClient:
        return harness.SecureClient(self.host, self.https_port, context, session)

    def get(self, path: str, **headers) -> harness.Answer:
        with self.client() as client:
            return client.get(path, headers)

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            self.get("/")
            return True
        return False

    def stop(self) -> int:
        self.ask_to_stop()
        status = self.wait_for_end()
        if status != 0:
            raise AssertionError(f"status {status}; console:\n{self.console()}")
        return status

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, error_kind, value, trace) -> None:
        try:
            if error_kind is None and self.is_running():
                self.stop()
        finally:
            self.kill()


# Images ---------------------------------------------------------------------------------------

SMALL = {name: data for name, data in SITE.items() if name != "big.bin"}
CERTIFICATE = ("--self-signed", "localhost")


def site_image(target: str, name="site", files=None, options=CERTIFICATE) -> pathlib.Path:
    """harness.SITE by HTTPS, and by HTTP, which redirects to it unless told otherwise."""
    write_site = functools.partial(harness.write_tree, files=files or SITE)
    return harness.built_once(f"{name}.{target}", target, write_site, *options, sources=[__file__])


def small_image(target: str) -> pathlib.Path:
    """The same without its one large file."""
    return site_image(target, "small", SMALL)


def plain_image(target: str) -> pathlib.Path:
    """By HTTP alone."""
    return site_image(target, "plain", SMALL, ())


def conformance_image(target: str) -> pathlib.Path:
    """What tests/http/conformance.hpp and tests/tls/conformance.py ask for."""
    return harness.conformance_image(target, *CERTIFICATE)


def ask_conformance(test: unittest.TestCase, host: str, port: int, *options: str) -> None:
    """The whole table; `options` are conformance_client's."""
    done = subprocess.run([str(CLIENT), "--host", host, "--port", str(port), "--encodings",
                           *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300, check=False)
    test.assertEqual(done.returncode, 0, done.stdout)


# The tests ------------------------------------------------------------------------------------

class Suite:
    """What each machine must do. `start` gives a Guest that has said its address."""

    target = ""
    cuts = ("7",)  # in pieces of how many bytes the conformance table is sent once more
    connections = 1500

    def start(self, image_file, *keys, memory_mib=24, wait=True) -> Guest:
        """Boots it with these boot keys; `wait`: until it has said its address."""
        raise NotImplementedError

    def test_http_conformance(self):
        with self.start(conformance_image(self.target), "--redirect=false") as guest:
            ask_conformance(self, guest.host, guest.port)
            for cut in self.cuts:
                ask_conformance(self, guest.host, guest.port, "--cut", cut)

    def test_https_conformance(self):
        with self.start(conformance_image(self.target)) as guest:
            harness.check_https(guest.host, guest.https_port)

    def test_every_file_over_https(self):
        with self.start(site_image(self.target)) as guest:
            with guest.secure_client() as client:
                for path, data in SITE.items():
                    answer = client.get("/" + path)
                    self.assertEqual((answer.status, answer.body), (200, data), path)
            self.assertEqual(guest.get("/style.css").status, 308)

    def test_https_in_16_mib(self):
        with self.start(small_image(self.target), memory_mib=16) as guest:
            clients = [guest.secure_client() for _ in range(20)]
            for path, data in SMALL.items():
                for client in clients:
                    self.assertEqual(client.get("/" + path).body, data)
            for client in clients:
                client.close()

    def test_tls_versions_and_resumption(self):
        with self.start(small_image(self.target)) as guest:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = trusting_context()
                context.minimum_version = context.maximum_version = version
                with guest.secure_client(context) as first:
                    self.assertEqual(first.get("/style.css").body, SITE["style.css"])
                    session = first.socket.session
                with guest.secure_client(context, session) as second:
                    self.assertEqual(second.get("/style.css").body, SITE["style.css"])
                    self.assertTrue(second.socket.session_reused, version)

    def test_it_goes_on_for_the_drain_delay(self):
        """Asked to stop, it still serves, and tells its clients to go elsewhere."""
        with self.start(plain_image(self.target), "--drain-delay=4s") as guest:
            with guest.client() as client:
                self.assertNotEqual(client.get("/style.css").fields.get("connection"), "close")
            guest.ask_to_stop()

            def is_announced() -> bool:
                answer = guest.get("/style.css")
                self.assertEqual((answer.status, answer.body), (200, SITE["style.css"]))
                return answer.fields.get("connection") == "close"
            self.assertTrue(harness.eventually(is_announced, within_s=4))
            self.assertEqual(guest.wait_for_end(), 0)

    def test_boot_line(self):
        with self.start(small_image(self.target)) as guest:
            said = guest.wait_for(r"ready [\d.]+ ms after entry; image [\d.]+ MiB, memory .* MiB")
            used, total = map(float, re.search(r"memory ([\d.]+) of ([\d.]+)", said).groups())
            self.assertLess(used, total)
            self.assertRegex(guest.console(), r"site: \d+ files, digest [0-9a-f]{16}")

    def test_boot_keys(self):
        keys = ("--redirect=false", "--log=combined", "--max-connections=2", "--hsts=60")
        with self.start(small_image(self.target), *keys) as guest:
            clients = []
            for _ in range(3):
                clients.append(guest.client())
                self.assertEqual(clients[-1].get("/style.css").status, 200)
            # The third took the place of the one that had been idle longest.
            self.assertTrue(clients[0].is_closed_by_peer())
            for client in clients:
                client.close()
            line = '"GET /style.css HTTP/1.1" 200'
            self.assertTrue(harness.eventually(lambda: guest.console().count(line) == 3, WAIT_S),
                            guest.console())
        # All that comes by QEMU's own network is one client.
        with self.start(small_image(self.target), "--redirect=false",
                        "--max-connections-per-client=2") as guest:
            clients = []
            for _ in range(3):
                clients.append(guest.client())
                self.assertEqual(clients[-1].get("/style.css").status, 200)
            self.assertTrue(clients[0].is_closed_by_peer())
            self.assertEqual(clients[1].get("/style.css").status, 200)
            for client in clients:
                client.close()
        with self.start(small_image(self.target), "--log=json", "--http-port=8000",
                        "--https-port=8443") as guest:
            self.assertIn("listening on port 8000 (http)", guest.console())
            self.assertIn("listening on port 8443 (https)", guest.console())
        with self.start(small_image(self.target), "--log-level=error", wait=False) as guest:
            self.assertTrue(harness.eventually(guest.answers, WAIT_S))
            self.assertEqual(guest.console().strip(), "")

    def test_asked_to_stop_it_drains(self):
        with self.start(site_image(self.target), "--redirect=false") as guest:
            with guest.client() as client:
                # An answer under way is finished; an idle connection is closed.
                client.send(client.request("/big.bin"))
                client.receive_some()
                guest.ask_to_stop()
                self.assertEqual(client.receive().body, SITE["big.bin"])
                self.assertTrue(client.is_closed_by_peer())
            self.assertEqual(guest.wait_for_end(), 0, guest.console())

    def test_memory_is_flat_over_many_connections(self):
        def most_after(connections: int) -> float:
            with self.start(small_image(self.target), "--redirect=false") as guest:
                for _ in range(connections):
                    with guest.client() as client:
                        client.send(client.request("/style.css", {"Connection": "close"}))
                        self.assertEqual(client.receive().body, SITE["style.css"])
                return guest.memory_most_mib()
        few, many = most_after(self.connections // 4), most_after(self.connections)
        self.assertLessEqual(round(many - few, 1), 0.3)  # the guest says tenths
