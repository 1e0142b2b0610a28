# SPDX-License-Identifier: ISC
"""bench/http2/growth.py: what HTTP/2 adds to an image, by the symbols of its code.

There is no image without it to compare with. What is counted: functions and data of nghttp2, and
what has http::h2 in its name. What else is there for HTTP/2 alone is not seen, and names of
functions that are both (http::h2 in a template's parameters) count for HTTP/2.
"""

import os
import re
import subprocess


def text(work, tool):
    """A sentence; `work` is where servers.prepare() has put files."""
    subprocess.run([tool, "build", f"{work}/files", "-t", "unix", "-o", f"{work}/named",
                    "--self-signed", "localhost", "--keep-symbols"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = subprocess.run(["nm", "-S", "-C", f"{work}/named.debug"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    kinds = {"nghttp2": r"\bnghttp2_", "http::h2": r"http::h2\b"}
    sizes = dict.fromkeys(kinds, 0)
    seen = set()
    for address, size, name in re.findall(r"^(\w+) (\w+) [tTrRdDwWvVuV] (.+)$", said, re.M):
        for kind, pattern in kinds.items():
            if re.search(pattern, name) and address not in seen:
                seen.add(address)
                sizes[kind] += int(size, 16)
                break
    image = os.path.getsize(f"{work}/named") - sum(
        os.path.getsize(entry) for entry in os.scandir(f"{work}/files"))
    return (f"An image without content is {image / 1000:,.0f} KB, of which HTTP/2 has "
            f"{sum(sizes.values()) / 1000:,.0f} KB: "
            + ", ".join(f"{kind} {size / 1000:,.0f}" for kind, size in sizes.items()))
