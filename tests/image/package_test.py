#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""crunch package: units that systemd's own tools accept, container images that others load.

Method: systemd-analyze judges the units; skopeo reads the archive and podman runs it; what is in
the archive is read with Python's tarfile and held against the specification by digest.
"""

import hashlib
import io
import json
import os
import pathlib
import re
import signal
import tarfile
import tempfile
import unittest

import harness
from harness import call, crunch, must, need


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = harness.shared_image()
        cls._folder = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls._folder.name)

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    def package(self, *words) -> None:
        done = crunch("package", self.image, *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def refused(self, *words) -> str:
        done = crunch("package", *words)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr


class Systemd(Package):
    def units(self, *words) -> dict:
        folder = self.folder / ("units" + "".join(words).replace("/", ""))
        self.package("--systemd", folder, *words)
        return {path.name: path for path in folder.iterdir()}

    def test_the_units_verify_without_a_word(self):
        analyze = need("systemd-analyze")
        units = self.units("--log", "combined", "--management-port", "9100")
        self.assertEqual(set(units), {"site.service", "site-http.socket",
                                      "site-management.socket"})
        done = call(analyze, "verify", *units.values())
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_their_exposure_is_under_2(self):
        analyze = need("systemd-analyze")
        units = self.units()
        done = call(analyze, "security", "--offline=true", "--threshold=20",
                    units["site.service"])
        level = re.search(r"Overall exposure level for site.service: ([\d.]+)", done.stdout)
        self.assertIsNotNone(level, done.stdout)
        self.assertLess(float(level.group(1)), 2.0)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_image_makes_no_call_that_the_unit_forbids(self):
        """No systemd runs here, so the calls are seen by strace, and judged by the unit's filter.
        What the sandbox of the image tries and can do without is left out."""
        analyze, strace = need("systemd-analyze"), need("strace")

        def group(name: str) -> set:
            lines = must(analyze, "syscall-filter", name).splitlines()[1:]
            words = [line.strip() for line in lines if not line.strip().startswith("#")]
            return set().union(*(group(word) if word.startswith("@") else {word}
                                 for word in words if word))
        allowed = group("@default")
        unit = self.units()["site.service"].read_text()
        for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", unit):
            named = set().union(*(group(word) if word.startswith("@") else {word}
                                  for word in line.lstrip("~").split()))
            allowed = allowed - named if line.startswith("~") else allowed | named
        trace = self.folder / "trace"
        with harness.Server(self.image, "--log=json", "--management-port=0", "--threads=2",
                            command=(strace, "-f", "-o", trace)) as server:
            server.wait_for_port("management")
            self.assertEqual(server.get("/big.bin").status, 200)
            image = int(must("pgrep", "-P", str(server.process.pid)).split()[0])
            os.kill(image, signal.SIGTERM)
            self.assertEqual(server.process.wait(harness.WAIT_S), 0)
        made = set(re.findall(r"(?m)^\d+ +([a-z0-9_]+)\(", trace.read_text()))
        self.assertIn("accept4", made)
        tried = {"capset", "prlimit64", "setrlimit", "bind", "execve"}
        self.assertEqual(made - allowed - tried, set())

    def test_mistakes(self):
        secret = self.folder / "secret"
        secret.write_bytes(self.image.read_bytes())
        secret.chmod(0o700)
        self.assertIn("--user", self.refused(secret, "--systemd", self.folder / "s"))
        self.assertFalse((self.folder / "s").exists())
        self.assertEqual(
            crunch("package", secret, "--systemd", self.folder / "u", "--user", "www").returncode,
            0)
        self.assertIn("User=www\n", (self.folder / "u" / "secret.service").read_text())
        for words, said in (((self.image,), "--oci FILE"),
                            ((harness.CRUNCH, "--oci", self.folder / "x"), "crunch"),
                            ((self.image, "--oci", self.folder / "x", "--tag", "A B"), "A B"),
                            ((self.image, "--oci", self.folder / "x", "--name", "A_B"), "A_B"),
                            ((self.image, "--systemd", self.folder / "x", "--log", "xml"), "xml"),
                            ((self.image, self.image, "--oci", self.folder / "x"), "amd64")):
            self.assertIn(said, self.refused(*words))
        self.assertFalse((self.folder / "x").exists())


class Oci(Package):
    def archive(self, name="site.tar", *words) -> pathlib.Path:
        self.package("--oci", self.folder / name, "--tag", "example.org/test/site:7", *words)
        return self.folder / name

    def test_the_same_image_gives_the_same_bytes(self):
        one = self.archive("one.tar").read_bytes()
        copy = self.folder / "elsewhere" / "site"
        copy.parent.mkdir()
        copy.write_bytes(self.image.read_bytes())
        copy.chmod(0o755)
        done = crunch("package", copy, "--oci", self.folder / "two.tar", "--tag",
                      "example.org/test/site:7", env={**os.environ, "TZ": "Asia/Tokyo"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(one, (self.folder / "two.tar").read_bytes())

    def test_what_is_in_it(self):
        with tarfile.open(self.archive()) as archive:
            files = {member.name: archive.extractfile(member).read() for member in archive}
            self.assertTrue(all(member.mtime == member.uid == member.gid == 0
                                for member in archive.getmembers()))
        for name, data in files.items():
            if name.startswith("blobs/sha256/"):
                self.assertEqual(hashlib.sha256(data).hexdigest(), name.rsplit("/", 1)[1])
        self.assertEqual(json.loads(files["oci-layout"]), {"imageLayoutVersion": "1.0.0"})

        def blob(descriptor) -> bytes:
            data = files["blobs/" + descriptor["digest"].replace(":", "/")]
            self.assertEqual(len(data), descriptor["size"])
            return data
        top, = json.loads(files["index.json"])["manifests"]
        manifest = json.loads(blob(top))
        layer, = manifest["layers"]
        config = json.loads(blob(manifest["config"]))
        self.assertEqual(config["rootfs"]["diff_ids"], [layer["digest"]])
        self.assertEqual(config["config"]["User"], "65534:65534")
        self.assertEqual(config["config"]["Entrypoint"], ["/site"])
        inspected = json.loads(must(harness.CRUNCH, "inspect", self.image, "--format", "json"))
        self.assertEqual(config["config"]["Labels"]["crunch.site-digest"],
                         inspected["sites"][0]["site_digest"])
        with tarfile.open(fileobj=io.BytesIO(blob(layer))) as root:
            member, = root.getmembers()
            self.assertEqual((member.name, member.mode, member.uid), ("site", 0o555, 0))
            self.assertEqual(root.extractfile(member).read(), self.image.read_bytes())
        docker, = json.loads(files["manifest.json"])
        self.assertEqual(docker["RepoTags"], ["example.org/test/site:7"])
        self.assertEqual(files[docker["Config"]], blob(manifest["config"]))

    def test_an_image_with_a_key_is_its_users_alone(self):
        secret = self.folder / "keyed"
        secret.write_bytes(self.image.read_bytes())
        secret.chmod(0o700)
        done = crunch("package", secret, "--oci", self.folder / "keyed.tar")
        self.assertEqual(done.returncode, 0, done.stderr)
        with tarfile.open(self.folder / "keyed.tar") as archive:
            layers = json.loads(archive.extractfile("manifest.json").read())[0]["Layers"]
            with tarfile.open(fileobj=archive.extractfile(layers[0])) as root:
                member, = root.getmembers()
        self.assertEqual((member.mode, member.uid), (0o500, 65534))

    def test_skopeo_reads_both_of_its_formats(self):
        skopeo = need("skopeo")
        archive = self.archive("read.tar")
        for form in ("oci-archive", "docker-archive"):
            said = json.loads(must(skopeo, "inspect", "--config", f"{form}:{archive}"))
            self.assertEqual(said["architecture"], "amd64")
            self.assertEqual(said["config"]["User"], "65534:65534")
            must(skopeo, "--insecure-policy", "copy", f"{form}:{archive}",
                 f"dir:{self.folder}/{form}")

    def test_podman_runs_it(self):
        podman = need("podman")
        harness.need_root()
        archive = self.archive("run.tar")
        settings = self.folder / "containers.conf"
        settings.write_text('[containers]\ndefault_ulimits=["nofile=4096:4096","nproc=4096:4096"]\n'
                            '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\n')
        # A mount and network namespace of its own: nothing of this machine's is touched, and crun
        # takes the control groups of version 1.
        inside = f"""
            mount --make-rprivate /
            if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
            ip link set lo up
            pod() {{ {podman} --root {self.folder}/root --runroot {self.folder}/runroot \\
                   --storage-driver vfs "$@"; }}
            pod load -q -i {archive} || exit 70
            id=$(pod run -d --network host --read-only --cap-drop ALL --memory 64m \\
                 --security-opt no-new-privileges example.org/test/site:7) || exit 71
            for i in $(seq 100); do pod exec $id /site --probe 2>/dev/null && break; sleep 0.1; done
            pod exec $id /site --probe && echo well
            curl -sS -o /dev/null -w '%{{http_code}}\\n' http://127.0.0.1:8080/
            pid=$(pod inspect -f '{{{{.State.Pid}}}}' $id)
            grep -E '^(NoNewPrivs|CapEff|Uid)' /proc/$pid/status
            pod stop -t 10 $id >/dev/null
            pod inspect -f 'exit {{{{.State.ExitCode}}}}' $id
            pod rm -f $id >/dev/null 2>&1
            """
        done = call("unshare", "-mn", "bash", "-c", inside, timeout=120,
                    env={**os.environ, "CONTAINERS_CONF": str(settings)})
        if done.returncode in (70, 71):
            self.skipTest("podman cannot run containers here: " + done.stdout[-500:])
        self.assertRegex(done.stdout, r"(?m)^well$", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^200$", done.stdout)
        self.assertRegex(done.stdout, r"Uid:\s+65534\s", done.stdout)
        self.assertRegex(done.stdout, r"CapEff:\s+0+\n", done.stdout)
        self.assertRegex(done.stdout, r"NoNewPrivs:\s+1\n", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^exit 0$", done.stdout)


class Kubernetes(Package):
    def test_objects(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not installed (scripts/deps test)")
        folder = self.folder / "objects"
        words = ("--kubernetes", folder, "--tag", "registry.example/site:7")
        self.package(*words)
        self.assertNotIn("secret", (folder / "deployment.yaml").read_text())
        if harness.has_tls():
            self.package(*words, "--tls-secret", "certificate")
            self.assertIn("secretName: certificate,", (folder / "deployment.yaml").read_text())
        for option in ("--tls-secret", "--user"):
            for word in ("a\nb: c", "a b", "-a", "a,b", "a" * 254):
                done = crunch("package", self.image, *words, option, word)
                self.assertEqual(done.returncode, 2, (option, word))
                self.assertIn(f"{option}: ", done.stderr)
        objects = {path.name: yaml.safe_load(path.read_text()) for path in folder.iterdir()}
        self.assertEqual({name: (each["apiVersion"], each["kind"])
                          for name, each in objects.items()},
                         {"deployment.yaml": ("apps/v1", "Deployment"),
                          "service.yaml": ("v1", "Service"),
                          "disruption-budget.yaml": ("policy/v1", "PodDisruptionBudget")})
        pod = objects["deployment.yaml"]["spec"]["template"]["spec"]
        site, = pod["containers"]
        self.assertEqual(site["image"], "registry.example/site:7")
        self.assertEqual(site["securityContext"],
                         {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                          "capabilities": {"drop": ["ALL"]}})
        self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
        ports = {port["name"]: port["containerPort"] for port in site["ports"]}
        self.assertEqual(site["readinessProbe"]["httpGet"],
                         {"path": "/readyz", "port": "management"})
        # Its words are ones that the image takes.
        words = [word for word in site["args"] if not word.startswith(("--cert", "--key"))]
        self.assertIn("--drain-delay=5s", words)
        with harness.Server(self.image, *[word for word in words if "http" not in word],
                            http_port=0) as server:
            self.assertEqual(server.wait_for_port("management"), ports["management"])
        spec = objects["service.yaml"]["spec"]
        self.assertEqual(spec["selector"],
                         objects["deployment.yaml"]["spec"]["template"]["metadata"]["labels"])
        self.assertTrue({port["targetPort"] for port in spec["ports"]} <= set(ports))


if __name__ == "__main__":
    harness.main()
