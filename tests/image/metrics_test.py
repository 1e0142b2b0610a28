#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The management port of an image: its numbers as Prometheus reads them, its health, its drain.

Method: known traffic, then the numbers; Debian's promtool and prometheus are the judges of the
format; of the dashboard in docs/, every metric that it names must be one that the image has.
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

import harness
from harness import Client, Server, eventually

SAMPLE = re.compile(r"^([a-z_]+)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)


class Managed(Server):
    """An image with a management port."""

    def __init__(self, image, *keys, **options):
        super().__init__(image, "--management-port=0", *keys, **options)
        self.management = self.wait_for_port("management")

    def numbers(self) -> dict:
        """Name with labels -> number."""
        with Client("127.0.0.1", self.management) as client:
            answer = client.get("/metrics")
        assert answer.status == 200, answer
        return {name + (f"{{{labels}}}" if labels else ""): float(value)
                for name, labels, value in SAMPLE.findall(answer.body.decode())}

    def text(self) -> str:
        with Client("127.0.0.1", self.management) as client:
            return client.get("/metrics").body.decode()

    def status(self, path: str) -> int:
        with Client("127.0.0.1", self.management) as client:
            return client.get(path).status


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()

    def test_without_the_key_there_is_no_port(self):
        with Server(self.image) as server:
            self.assertNotIn("management", server.err())

    def test_numbers_after_known_traffic(self):
        for threads in (1, 2):
            with Managed(self.image, f"--threads={threads}") as server:
                for _ in range(3):  # a connection each: they come to both threads
                    with server.client() as client:
                        self.assertEqual(client.get("/style.css").status, 200)
                        self.assertEqual(client.get("/none").status, 404)
                # A duration is counted when the turn of the loop ends, after the answer has gone.
                self.assertTrue(eventually(lambda server=server: server.numbers()[
                    "crunch_http_request_duration_seconds_count"] == 6))
                numbers = server.numbers()
                self.assertEqual(
                    numbers['crunch_http_requests_total{version="1.1",code="2xx"}'], 3)
                self.assertEqual(
                    numbers['crunch_http_requests_total{version="1.1",code="4xx"}'], 3)
                self.assertEqual(numbers["crunch_http_connections_total"], 3)
                bodies = 3 * (len(harness.SITE["style.css"]) + len(harness.SITE["404.html"]))
                self.assertEqual(numbers["crunch_http_response_body_bytes_total"], bodies)
                self.assertTrue(eventually(
                    lambda server=server: server.numbers()["crunch_http_connections"] == 0))
                self.assertLess(
                    abs(numbers["crunch_start_time_seconds"] - time.time()), 120)

    def test_promtool_has_nothing_to_say(self):
        promtool = harness.need("promtool")
        with Managed(self.image) as server:
            done = subprocess.run([promtool, "check", "metrics"], input=server.text(), text=True,
                                  capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_prometheus_scrapes_it(self):
        prometheus = harness.need("prometheus")
        with Managed(self.image) as server, tempfile.TemporaryDirectory() as folder, \
                socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            config = pathlib.Path(folder) / "prometheus.yml"
            config.write_text("global: {scrape_interval: 1s}\n"
                              "scrape_configs:\n- job_name: site\n  static_configs:\n"
                              f"  - targets: ['127.0.0.1:{server.management}']\n")
            free.close()
            with open(pathlib.Path(folder) / "log", "wb") as log:
                process = subprocess.Popen(
                    [prometheus, f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                     f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log,
                    preexec_fn=harness.die_with_parent)
            try:
                def scraped() -> bool:
                    url = (f"http://127.0.0.1:{port}/api/v1/query?query="
                           "crunch_http_connections_total%2Bon(instance)up")
                    try:
                        with urllib.request.urlopen(url, timeout=5) as answer:
                            found = json.load(answer)["data"]["result"]
                    except OSError:
                        return False
                    return bool(found) and found[0]["value"][1] == "1"
                self.assertTrue(eventually(scraped, 40),
                                (pathlib.Path(folder) / "log").read_text()[-2000:])
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(harness.WAIT_S)
                finally:
                    process.kill()

    def test_the_dashboard_names_what_there_is(self):
        dashboard = (harness.ROOT / "docs" / "grafana.json").read_text()
        expressions = [target["expr"] for panel in json.loads(dashboard)["panels"]
                       for target in panel.get("targets", [])]
        self.assertGreater(len(expressions), 8)
        with Managed(self.image) as server:
            there = {name.partition("{")[0] for name in server.numbers()}
        named = {name for text in expressions for name in re.findall(r"crunch_[a-z_]+", text)}
        if not harness.has_tls():
            named = {name for name in named if not name.startswith("crunch_tls_")}
        self.assertEqual(named - there, set())
        operations = (harness.ROOT / "docs" / "operations.md").read_text()
        documented = set(re.findall(r"`(crunch_[a-z_]+)", operations))
        bases = {re.sub("_(bucket|sum|count)$", "", name) for name in there}
        if not harness.has_tls():
            documented = {name for name in documented if not name.startswith("crunch_tls_")}
        self.assertEqual(documented, bases, "docs/operations.md lists each metric, and no other")

    def test_it_answers_when_all_connections_are_taken(self):
        with Managed(self.image, "--max-connections=4") as server:
            busy = []
            for _ in range(4):
                client = Client("127.0.0.1", server.port, receive_buffer=4096)
                client.send(client.request("/big.bin"))
                client.receive_some()
                busy.append(client)
            self.assertEqual(server.get("/").status, 503)
            self.assertEqual(server.status("/healthz"), 200)
            numbers = server.numbers()
            self.assertEqual(numbers['crunch_http_connections_refused_total{reason="busy"}'], 1)
            self.assertEqual(numbers["crunch_http_connections"], 4)
            for client in busy:
                client.close()

    def test_eight_of_its_own(self):
        with Managed(self.image) as server:
            idle = [Client("127.0.0.1", server.management) for _ in range(8)]
            for client in idle:
                self.assertEqual(client.get("/healthz").status, 200)
            # A ninth is served: the one that has been idle for longest makes room.
            self.assertEqual(server.status("/healthz"), 200)
            self.assertTrue(idle[0].is_closed_by_peer())
            for client in idle:
                client.close()

    def test_lines_of_the_log_that_are_lost(self):
        reader, writer = os.pipe()
        try:
            words = [str(self.image), "--http-port=0", "--management-port=0", "--log=json"]
            with tempfile.TemporaryDirectory() as folder:
                server = Managed.__new__(Managed)
                err = pathlib.Path(folder) / "err"
                with open(err, "wb") as file:
                    server.process = subprocess.Popen(words, stdout=writer, stderr=file,
                                                      preexec_fn=harness.die_with_parent)
                server.err_path = server.out_path = err
                try:
                    server.port = server.wait_for_port()
                    server.management = server.wait_for_port("management")
                    with Client("127.0.0.1", server.port) as client:
                        for _ in range(400):
                            client.get("/style.css", {"User-Agent": "x" * 999})
                    self.assertGreater(server.numbers()["crunch_log_lines_lost_total"], 0)
                finally:
                    server.process.kill()
                    server.process.wait(harness.WAIT_S)
        finally:
            os.close(reader)
            os.close(writer)


    def test_certificates_and_handshakes(self):
        if not harness.has_tls():
            self.skipTest("crunch was built without TLS")
        with tempfile.TemporaryDirectory() as folder:
            image = harness.build_image(
                harness.write_tree(pathlib.Path(folder) / "site", {"index.html": b"x"}),
                pathlib.Path(folder) / "image", "--self-signed", "localhost")
            with harness.SecureServer(image, "--management-port=0") as server:
                management = Server.wait_for_port(server, "management")
                with server.client() as client:
                    self.assertEqual(client.get("/").status, 200)
                with socket.create_connection(("127.0.0.1", server.port)) as plain:
                    plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
                    while plain.recv(4096):
                        pass
                with Client("127.0.0.1", management) as client:
                    text = client.get("/metrics").body.decode()
        numbers = {f"{name}{{{labels}}}": float(value)
                   for name, labels, value in SAMPLE.findall(text)}
        self.assertEqual(numbers['crunch_tls_handshakes_total{result="done"}'], 1)
        self.assertEqual(numbers['crunch_tls_handshakes_total{result="refused"}'], 1)
        self.assertGreater(numbers["crunch_tls_certificate_not_after_seconds{}"], time.time())


class Probe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()

    def probe(self, *keys, **environment):
        return harness.call(self.image, "--probe", *keys,
                            env={**os.environ, **environment}, timeout=20)

    def test_of_an_image_that_runs(self):
        for address in ("127.0.0.1", "0.0.0.0", "::", ""):
            with Managed(self.image, f"--management-address={address}") as server:
                done = self.probe(f"--management-port={server.management}",
                                  f"--management-address={address}")
                self.assertEqual((done.returncode, done.stdout), (0, ""), address)
        self.assertEqual(
            self.probe(f"--management-port={server.management}").returncode, 1)

    def test_by_the_environment(self):
        with Managed(self.image) as server:
            done = self.probe(CRUNCH_MANAGEMENT_PORT=str(server.management))
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_what_does_not_answer(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            begun = time.monotonic()
            done = self.probe(f"--management-port={silent.getsockname()[1]}")
            self.assertEqual(done.returncode, 1)
            self.assertIn("does not answer", done.stdout)
            self.assertLess(time.monotonic() - begun, 10)

    def test_without_a_port(self):
        for keys, said in (((), "--management-port"), (("--management-port=70000",), "no port")):
            done = self.probe(*keys)
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stdout)


class Drain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()

    def test_it_goes_on_for_the_delay_and_says_so(self):
        with Managed(self.image, "--drain-delay=2s", "--threads=2") as server:
            self.assertEqual(server.status("/readyz"), 200)
            self.assertNotIn("connection", server.get("/").fields)
            begun = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            self.assertTrue(eventually(lambda: server.status("/readyz") == 503, 1))
            self.assertEqual(server.status("/healthz"), 200)
            self.assertTrue(eventually(
                lambda: server.get("/").fields.get("connection") == "close", 1))
            self.assertEqual(server.process.wait(harness.WAIT_S), 0)
            self.assertGreaterEqual(time.monotonic() - begun, 1.9)
            self.assertLess(time.monotonic() - begun, 10)

    def test_no_request_is_lost_while_others_still_send(self):
        """As in a rolling update: whoever balances the load goes on for a while."""
        with Managed(self.image, "--drain-delay=2s") as server:
            failed, served = [], []

            def ask_until(end: float) -> None:
                while time.monotonic() < end:
                    try:
                        served.append(server.get("/style.css").status)
                    except OSError as error:
                        failed.append(error)
            end = time.monotonic() + 1.5
            threads = [threading.Thread(target=ask_until, args=(end,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            for thread in threads:
                thread.join()
            self.assertEqual(failed, [])
            self.assertGreater(len(served), 100)
            self.assertEqual(set(served), {200})
            self.assertEqual(server.process.wait(harness.WAIT_S), 0)


if __name__ == "__main__":
    harness.main()
