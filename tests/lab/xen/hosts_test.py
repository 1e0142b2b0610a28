#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What a Xen host does with guests that serve sites: create, save, move, crash, netem.

Method: the tests share one lab; each makes its guests anew. With CRUNCH_ALL_WIRES=1 in the
environment: twelve more wires; ten guests at once and fifty one after another instead of three;
three saves and three moves in a row instead of one; an idle guest; a move with two networks.
"""

import contextlib
import os
import pathlib
import re
import ssl
import subprocess
import tempfile
import time
import unittest

import bare
import harness
import lab as xen_lab
import network
from harness import SITE
from lab import CRASH, POWEROFF
from sites import ALL, LARGE, TARGET, WAIT_S, Asking, Site, in_dom0, large_image, the_lab, when_all


def example(name: str) -> pathlib.Path:
    config = harness.ROOT / "examples" / name / "config.hpp"
    return harness.built_once(f"{name}.{TARGET}", TARGET,
                              lambda folder: harness.write_tree(folder, bare.SMALL), "--config",
                              config, sources=[config])


class Hosts(unittest.TestCase):
    """What a host does with its guests."""

    WIRES = ["loss 8% delay 5ms", "delay 10ms 5ms reorder 25% duplicate 2%"]
    if ALL:
        WIRES += [f"loss {loss}% delay {delay}ms {delay // 4}ms"
                  for loss in (2, 5, 15) for delay in (4, 50, 300)]
        WIRES += ["corrupt 2%", "loss 20% 50%", "rate 1mbit delay 20ms"]

    def setUp(self):
        self.lab = the_lab()

    def site(self, *keys, image_file=None, **options) -> Site:
        if image_file is None:
            image_file, keys = bare.small_image(TARGET), ("--redirect=false", *keys)
        made = Site(image_file, *keys, **options)
        self.addCleanup(made.kill)
        return made

    def assert_serves(self, site: Site, files=None) -> None:
        for path, data in (files or {"index.html": SITE["index.html"]}).items():
            self.assertEqual(site.get("/" + path).body, data, path)

    def test_guests_at_once(self):
        count = 10 if ALL else 3
        sites = [self.site(memory_mib=16, wait=False) for _ in range(count)]
        for site in sites:
            site.wait_for("network: ")
        self.assertEqual(self.lab.counts().domains, count + 1)
        for site in [*sites, *reversed(sites)]:
            # With many on one processor, what is asked first may be asked in vain.
            self.assertTrue(harness.eventually(site.answers, WAIT_S), site.console())
            self.assert_serves(site)
        for site in sites:
            site.ask_to_stop()
        for site in sites:
            self.assertEqual(site.wait_for_end(), 0, site.console())

    def test_created_and_destroyed_again_and_again(self):
        self.site(memory_mib=16).kill()  # the first makes directories that stay
        before = self.lab.counts()
        for i in range(50 if ALL else 3):
            site = self.site(memory_mib=16 if i % 2 else 32, vifs=1 + i % 2)
            self.assert_serves(site)
            if i % 3:
                site.kill()
            else:
                site.stop()
        self.lab.assert_nothing_left(before)

    def test_two_networks(self):
        with self.site("--redirect=false", image_file=bare.conformance_image(TARGET),
                       vifs=2) as site:
            self.assertIn("this guest has 2 network devices", site.console())
            bare.ask_conformance(self, site.host, site.port)

    def test_reboot(self):
        site = self.site()
        self.assert_serves(site)
        site.guest.reboot()
        site.wait_for("network: ", count=2)
        self.assert_serves(site)
        self.assertEqual(site.stop(), 0)

    def test_put_away_and_taken_up(self):
        site = self.site(memory_mib=8)
        with site.client() as kept:
            site.guest.save("/saved", "-c")  # and goes on
            self.assertEqual(kept.get("/style.css").body, SITE["style.css"])
            self.assertIn("taken up again: it was not put away after all", site.console())
            for _ in range(3 if ALL else 1):
                site.guest.save("/saved")
                self.assertFalse(site.is_running())
                site.guest = self.lab.restore(site.guest.name, "/saved")
                # The same connection, and new ones.
                self.assertEqual(kept.get("/style.css").body, SITE["style.css"])
                self.assert_serves(site, bare.SMALL)
                self.lab.run("rm /saved")
                self.assertRegex(site.console(), "(?m)^taken up again$")
        site.ask_to_stop()
        site.guest.wait_for_end()

    def test_moved_while_it_serves(self):
        """In the one host there is: a domain made beside the first, which ends."""
        site = self.site(image_file=large_image(), memory_mib=10)
        asking = Asking(site)
        try:
            asking.more(3)
            for _ in range(3 if ALL else 1):
                site.guest.migrate()
                asking.more(3)
        finally:
            asking.end()
        self.assertRegex(site.console(), "(?m)^taken up again$")
        self.assertEqual(self.lab.run("xl list").count(site.guest.name), 1)
        self.assert_serves(site, bare.SMALL)
        self.assertEqual(site.stop(), 0)

    def test_a_report_of_a_crash(self):
        site = self.site()
        self.assert_serves(site)
        self.lab.run(f"xl trigger {site.guest.name} nmi")
        site.guest.wait_for_end()
        self.assertEqual(site.guest.reasons(), [CRASH])
        report = site.console().partition("panic: non-maskable interrupt")[2]
        self.assertRegex(report, r"\n  [0-9a-f]{16}  base::Loop::\w+\+\d+\n")
        self.assertRegex(report, r"\n  [0-9a-f]{16}  main\+\d+\n")

    def test_run_by_the_tool(self):
        """With an xl on this machine that hands its configuration to dom0's."""
        image_file, host = bare.small_image(TARGET), self.lab.address(201)
        self.lab.put(image_file, str(image_file))  # where the configuration has it
        cgi_bin = f"http://{xen_lab.DOM0}/cgi-bin"
        with tempfile.TemporaryDirectory() as folder:
            xl = pathlib.Path(folder) / "xl"
            xl.write_text(f"""#!/bin/sh
                [ "$1" = create ] && curl -sSf --data-binary "@$2" "{cgi_bin}/put?/tool.xl" &&
                curl -sSf --data "xl create -q /tool.xl" "{cgi_bin}/run?60"
                """.lstrip(), encoding="utf-8")
            xl.chmod(0o755)
            done = harness.crunch("run", image_file, "--memory", 16, "--", f"--ipv4={host}/24",
                                  stdin=subprocess.DEVNULL,
                                  env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("exit 0"), 2, done.stdout)
        self.serves_and_ends(xen_lab.Guest(self.lab, image_file.stem), host)

    def test_the_configuration_that_the_tool_writes(self):
        """site.xl as it is, but for an address."""
        image_file, host = bare.small_image(TARGET), self.lab.address(203)
        self.lab.put(image_file, str(image_file))
        self.lab.put(image_file.with_suffix(".xl"), "/own.xl")
        self.lab.run(f"""xl create -q /own.xl 'cmdline="--ipv4={host}/24"'""")
        guest = xen_lab.Guest(self.lab, image_file.stem)
        self.serves_and_ends(guest, host, lambda: self.assertRegex(
            self.lab.call(f"sleep 3 | timeout 3 xl console {guest.name}")[1],
            r"(?s)ready [\d.]+ ms after entry; image [\d.]+ MiB, .*network: "))

    def serves_and_ends(self, guest: xen_lab.Guest, host: str, meanwhile=lambda: None) -> None:
        self.addCleanup(lambda: self.lab.call(f"xl destroy {guest.name}"))
        guest.wait_for(f"network: {re.escape(host)}/24")
        with harness.SecureClient(host, 443) as client:
            self.assertEqual(client.get("/style.css").body, SITE["style.css"])
        with harness.Client(host, 80) as client:
            self.assertEqual(client.get("/").status, 308)
        meanwhile()
        guest.shutdown()
        guest.wait_for_end()
        self.assertEqual(guest.reasons(), [POWEROFF], guest.console())

    def test_examples(self):
        with Site(example("file-server"), memory_mib=16) as site:
            self.assert_serves(site, bare.SMALL)
        hello = self.lab.create("hello", in_dom0(example("hello-console")),
                                "--greeting=good-day --pause=10ms --times=2", memory_mib=16)
        hello.wait_for_end()
        self.assertEqual(hello.reasons(), [POWEROFF], hello.console())
        self.assertEqual(re.findall("(?m)^good-day$", hello.console()), ["good-day"] * 2)
        asked = self.lab.create("asked", in_dom0(example("hello-console")), "--help", memory_mib=16)
        asked.wait_for_end()
        self.assertEqual(asked.reasons(), [POWEROFF], asked.console())
        self.assertRegex(asked.console(), r"(?m)^HELLO\r?\n       --greeting=TEXT\r?\n"
                                          r" {14}What to say \(default hello")

    def test_a_stack_on_each_network(self):
        image_file, address = example("two-networks"), self.lab.address(202, wire=1)
        keys = (f"--management-ipv4={address}/24", "--management-ipv4-gateway=" +
                self.lab.address(1, wire=1))
        alone = Site(image_file, *keys, wait=False)
        self.addCleanup(alone.kill)
        self.assertEqual(alone.wait_for_end(), 1)
        self.assertIn("--management-device=2: this machine has 1 network device", alone.console())
        with Site(image_file, *keys, vifs=2) as site:
            site.wait_for(f"management: {re.escape(address)}/24")
            self.assertNotIn("network devices", site.console())
            for is_moved in (False, True) if ALL else (False,):
                if is_moved:
                    site.guest.migrate()
                for host, port, other in ((site.host, 80, 8080), (address, 8080, 80)):
                    with harness.Client(host, port) as client:
                        self.assertEqual(client.get("/style.css").body, SITE["style.css"])
                    with self.assertRaises(ConnectionRefusedError):
                        harness.Client(host, other)

    def test_balloons_are_refused(self):
        site = self.site()
        self.lab.call(f"xl mem-set {site.guest.name} 8", within_s=60)
        site.wait_for("memory of 8 MiB was asked for and is refused")
        self.assert_serves(site, bare.SMALL)
        self.assertEqual(site.stop(), 0)
        more = self.site(extra="maxmem = 64", wait=False)
        self.assertEqual(more.wait_for_end(), 1)
        self.assertEqual(more.guest.reasons(), [CRASH])
        self.assertRegex(more.console(), "this guest was given 32 MiB of the 6[34] MiB .*maxmem=")

    def test_too_little_memory(self):
        site = self.site(memory_mib=5, wait=False)  # with 4, Xen's tools cannot load the image
        self.assertEqual(site.wait_for_end(), 1)
        self.assertEqual(site.guest.reasons(), [CRASH])
        self.assertRegex(site.console(), "this machine has .* of memory; the image alone needs")

    def test_the_hosts_network_starts_again(self):
        site = self.site()
        self.assert_serves(site)
        name = site.guest.interface()
        module = "$(find /lib/modules -name xen-netback.ko)"
        for _ in range(2):
            self.lab.run(f"rmmod xen_netback; insmod {module}; i=0; "
                         f"until [ -e /sys/class/net/{name} ] || [ $i -gt 300 ]; "
                         "do usleep 100000; i=$((i + 1)); done; "
                         f"ip link set {name} master xenbr0; ip link set {name} up")
            self.assertTrue(harness.eventually(site.answers, WAIT_S), site.console())
            self.assert_serves(site, bare.SMALL)
        self.assertEqual(site.stop(), 0)

    def test_a_network_that_is_taken_away_and_given_back(self):
        site = self.site()
        self.assert_serves(site)
        name = site.guest.name
        mac = self.lab.xenstore(f"/local/domain/{site.guest.domid()}/device/vif/0/mac")
        self.lab.run(f"xl network-detach {name} 0")
        self.assertNotIn("vif", self.lab.run("ls /sys/class/net"))
        self.lab.run(f"xl network-attach {name} bridge=xenbr0 script=vif-bridge mac={mac}")
        self.assertTrue(harness.eventually(site.answers, WAIT_S), site.console())
        self.assert_serves(site, bare.SMALL)
        self.assertEqual(site.stop(), 0)

    def test_an_address_by_dhcp(self):
        with tempfile.TemporaryDirectory() as folder, \
                network.dhcp_server(folder, "wire0", "10.9.0.240,10.9.0.245"):
            site = self.site("--ipv6=off", address=False, wait=False)
            said = site.wait_for(r"network: 10\.9\.0\.24\d/24, gateway 10\.9\.0\.1 \(DHCP\)")
            site.host = re.search(r"10[\d.]+", said).group(0)
            self.assert_serves(site)

    def test_an_address_from_the_host(self):
        address = self.lab.address(200)
        site = self.site(address=False, vif_extra=f",ip={address}")
        site.host = address
        self.assertRegex(site.console(), f"network: {re.escape(address)}/24")
        self.assert_serves(site)

    def test_keys_and_a_certificate_from_the_host(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, key = (pathlib.Path(folder) / name for name in ("cert", "key"))
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                            "-days", "30", "-subj", "/CN=given"], check=True,
                           stderr=subprocess.DEVNULL, timeout=WAIT_S)
            pem = cert.read_text()
            given = {"tls/cert": pem, "tls/key": key.read_text(), "keys/http-port": "8000"}
        site = self.site(vm_data=given)
        self.assertIn("listening on port 8000 (http)", site.console())
        with site.secure_client() as client:
            self.assertEqual(client.socket.getpeercert(binary_form=True),
                             ssl.PEM_cert_to_DER_cert(pem))
            self.assertEqual(client.get("/style.css").body, SITE["style.css"])

    def test_files_arrive_whole_over_bad_wires(self):
        data = harness.noise(300_000, "wire")
        image_file = bare.site_image(TARGET, "wire", {"index.html": b"x", "some.bin": data}, ())
        card = self.lab.wire_card()
        with Site(image_file) as site:
            for rule in self.WIRES:
                with self.subTest(rule=rule):
                    self.lab.netem(site.guest.interface(), rule)
                    self.lab.netem(card, rule)
                    done = subprocess.run(
                        ["curl", "-sS", "-f", "-m", "250", "--retry", "5", "--retry-all-errors",
                         f"http://{site.host}/some.bin"], stdout=subprocess.PIPE,
                        timeout=10 * WAIT_S, check=False)
                    said = self.lab.run(f"/sbin/tc -s qdisc show dev {card}")
                    self.lab.netem(site.guest.interface(), "")
                    self.lab.netem(card, "")
                    self.assertEqual(done.returncode, 0)
                    self.assertTrue(done.stdout == data)
                    print(rule, re.findall(r"Sent .*", said))
                    # All went through it, large segments as one packet: few enough for none to be
                    # lost now and then.
                    went = int(re.search(r"Sent (\d+) bytes", said).group(1))
                    self.assertGreater(went, len(data))

    def test_large_segments_and_few_hypercalls(self):
        turns, connections = 50, 16
        address = "fd09::77"
        with Site(large_image(), f"--ipv6={address}/64", memory_mib=16) as site, \
                contextlib.ExitStack() as stack:
            site.wait_for(f"network: {address}/64")
            for host in (site.host, address):
                before = site.guest.sent()
                with harness.Client(host, site.port) as client:
                    self.assertEqual(client.get("/large.bin").body, LARGE)
                after = site.guest.sent()
                frames, size = after.frames - before.frames, after.bytes - before.bytes
                print(f"{host}: 1 MiB left in {frames} frames of {size // frames} bytes")
                self.assertGreater(size, len(LARGE))
                self.assertGreater(size / frames, 4 * 1514)  # with its acknowledgements
            clients = [stack.enter_context(site.client()) for _ in range(connections)]
            for _ in range(turns):
                for client in clients:
                    client.send(client.request("/style.css"))
                for client in clients:
                    self.assertEqual(client.receive().body, SITE["style.css"])
            site.ask_to_stop()
            site.wait_for_end()
            said = site.wait_for(r"hypercalls \d+, .*")
        calls = int(said.split()[1].rstrip(","))  # in all its life
        print(f"{calls / turns / connections:.2f} hypercalls a request; {said}")
        self.assertLess(calls, 2 * turns * connections)

    @when_all
    def test_idle_costs_nothing(self):
        site = self.site()
        self.assert_serves(site)

        def spent_s() -> float:
            return float(self.lab.run(f"xl list {site.guest.name}").split()[-1])
        time.sleep(1)
        before = spent_s()
        time.sleep(5)
        self.assertLess(spent_s() - before, 0.6, "busy while there is nothing")
        self.assert_serves(site)


if __name__ == "__main__":
    harness.main()
