# SPDX-License-Identifier: ISC
"""bench/embed/run.py: packaging large trees. Started by scripts/bench embed [--size MB]...

Trees:   N MB: Debian's documentation in HTML, as much as there is up to 100 MB, and above that
         files of random bytes called .jpg, as a site's pictures are: 100 MB is text, 1000 MB
         mostly not.
Figures: wall and CPU seconds and the peak memory of the largest process, by wait4(2); one run each,
         since a first run is first only once. `cp -r` and the compressors' own programs do less
         (no digest, no index); they are the measure of what cannot be avoided.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

CRUNCH = os.path.join(os.environ["CRUNCH_BENCH_BIN"], "crunch")
DOCUMENTATION = [pathlib.Path(path) for path in (
    "/usr/share/doc/python3.11/html", "/usr/share/doc/libboost1.74-doc")]
PICTURE_BYTES = 3_000_000
MB = 1_000_000


def make_tree(root: pathlib.Path, size: int) -> tuple[int, int]:
    """Answers bytes of text and of pictures."""
    text = 0
    for source in DOCUMENTATION:
        for path in sorted(source.rglob("*")):
            if path.suffix not in {".html", ".css", ".js", ".txt"} or not path.is_file():
                continue
            if text >= min(size, 100 * MB):
                break
            target = root / source.name / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            text += target.stat().st_size
    pictures = 0
    while text + pictures < size:
        target = root / "pictures" / f"{pictures // PICTURE_BYTES:05}.jpg"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(os.urandom(PICTURE_BYTES))
        pictures += PICTURE_BYTES
    return text, pictures


def measured(words, **options):
    """Runs it; answers (wall s, CPU s, peak MB, its output)."""
    begin = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    output = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{words} ended with {process.returncode}:\n{output}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, output


def rows_of(tree: pathlib.Path, work: pathlib.Path):
    cache, out, image = work / "cache", work / "out", work / "image"
    embed = [CRUNCH, "embed", tree, "-o", out, "--cache", cache]
    yield "cp -r", measured(["cp", "-r", tree, work / "copy"])
    shutil.rmtree(work / "copy")
    texts = "find . -type f ! -name '*.jpg' -print0 | xargs -0 -P 2 -n 200 "
    for name, compress in [("zstd -15 -T1, 2 at once", "zstd -q -15 -T1 -k -f"),
                           ("gzip -9, 2 at once", "gzip -9 -k -f")]:
        yield name, measured(["sh", "-c", texts + compress], cwd=tree)
        for path in tree.rglob("*"):
            if path.suffix in {".zst", ".gz"}:
                path.unlink()
    yield "crunch embed, first", measured(embed)
    yield "crunch embed, again", measured(embed)
    changed = next(path for path in sorted(tree.rglob("*.html")))
    changed.write_text(changed.read_text(errors="replace") + "<!-- changed -->")
    yield "crunch embed, one page changed", measured(embed)
    shutil.rmtree(out)
    yield "crunch build, same cache", measured(
        [CRUNCH, "build", tree, "-t", "unix", "-o", image, "--cache", cache])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, action="append", metavar="MB",
                        help="size of a tree in MB; may be given again [100 and 1000]")
    for size in parser.parse_args().size or [100, 1000]:
        with tempfile.TemporaryDirectory(prefix="crunch-bench-") as folder:
            work = pathlib.Path(folder)
            text, pictures = make_tree(work / "tree", size * MB)
            count = sum(1 for path in (work / "tree").rglob("*") if path.is_file())
            print(f"\n{size} MB: {count} files, {text / MB:.0f} MB of text, "
                  f"{pictures / MB:.0f} MB of pictures\n")
            print("|                                | wall s | CPU s | peak MB |")
            print("| ------------------------------ | -----: | ----: | ------: |", flush=True)
            for name, (wall, cpu, peak, output) in rows_of(work / "tree", work):
                print(f"| {name:30} | {wall:6.1f} | {cpu:5.1f} | {peak:7.0f} |", flush=True)
            steps = re.search(r"compiled in .*", output)
            print(f"\nThe last of them {steps.group(0) if steps else ''}.")


if __name__ == "__main__":
    main()
