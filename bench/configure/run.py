# SPDX-License-Identifier: ISC
"""bench/configure/run.py: what a change of the configuration costs. Started by scripts/bench
configure [--rounds N] [-t TARGET].

Rows:    the default configuration; a default of the boot set; the same build again; a build key set
         for the first time, and again; a configuration that was edited, and again.
Figures: wall seconds, and CPU seconds of crunch and the compiler (getrusage of children), the
         median of the rounds; each round has a cache of its own. The site is one small page.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

CRUNCH = os.path.join(os.environ["CRUNCH_BENCH_BIN"], "crunch")
CONFIG = pathlib.Path(os.environ["CRUNCH_BENCH_ROOT"]) / "site-example" / "config.hpp"


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(folder, target, *words) -> tuple:
    begin, before = time.monotonic(), cpu()
    subprocess.run([CRUNCH, "build", folder / "site", "-t", target, "-o", folder / "image",
                    "--cache", folder / "cache", *words], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin, cpu() - before


def one_round(target) -> dict:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "site").mkdir()
        (folder / "site" / "index.html").write_text("<p>")
        mine = folder / "mine.hpp"
        mine.write_text(CONFIG.read_text() + "// edited\n")
        rows = {"default, first": measured(folder, target),
                "default, unchanged": measured(folder, target),
                "--set http-port=8080": measured(folder, target, "--set", "http-port=8080")}
        if target.startswith("unix"):
            change = ["--set", "store=directory"]
            rows["--set store=directory, first"] = measured(folder, target, *change)
            rows["--set store=directory, unchanged"] = measured(folder, target, *change)
        rows["edited, first"] = measured(folder, target, "--config", mine)
        rows["edited, unchanged"] = measured(folder, target, "--config", mine)
        return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-t", "--target", default="unix")
    words = parser.parse_args()
    rounds = [one_round(words.target) for _ in range(words.rounds)]
    print(f"| crunch build -t {words.target} | wall s | CPU s |")
    print("| --- | ---: | ---: |")
    for row in rounds[0]:
        wall, used = (statistics.median(one[row][i] for one in rounds) for i in (0, 1))
        print(f"| {row} | {wall:.2f} | {used:.2f} |")


if __name__ == "__main__":
    main()
