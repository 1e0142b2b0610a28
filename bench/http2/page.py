# SPDX-License-Identifier: ISC
"""bench/http2/page.py: when Chromium paints a page of 200 resources over a slow line.

Method: headless Chromium, a Line (below) of 40 ms and 10 Mbit/s, and behind it the servers of
bench/tls/servers.py, asked in turn, several rounds. Each load has a port of its own, so that it
begins with a connection and a handshake. All servers send the same bytes: nothing is compressed.
Figures are the medians of Chromium's own timings in milliseconds, from the start of the navigation.

Line: the kernel may have no netem, so it is a proxy in user space. What comes waits for the line,
which all connections share, and then half of the round trip. Only so much waits as a router would
hold; then nothing more is read, and the server has to choose what it sends next. The proxy answers
SYN itself: one round trip of a real line is missing, of all servers alike.
"""

import asyncio
import os
import statistics
import sys
import threading
import zlib

ROOT = os.environ["CRUNCH_BENCH_ROOT"]
sys.path[:0] = [os.path.join(ROOT, "tests/image"), os.path.join(ROOT, "tests/crunch/serve")]
import measure  # noqa: E402
from chromium import Browser  # noqa: E402

ROUND_TRIP_S = 0.040
BYTES_PER_SECOND = 10e6 / 8
WAITING_MAX = 64 * 1024
PICTURES = 197  # and the page, a style sheet and a script
TIMINGS = ("[performance.getEntriesByName('first-paint')[0].startTime,"
           " performance.getEntriesByType('navigation')[0].loadEventEnd,"
           " performance.getEntriesByType('resource').filter(function (each) {"
           " return each.nextHopProtocol === 'h2'; }).length]")


class Line:
    """`with Line(port) as line:` line.port leads to `port`."""

    def __init__(self, port):
        self._to, self.port, self._listener = port, 0, None
        self._loop = asyncio.new_event_loop()
        self._free_at, self._writers, self._serving = {}, [], []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self._listener = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0)).result(10)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self._run(self._end()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _end(self):
        for writer in self._writers:
            writer.transport.abort()
        self._listener.close()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._serving.append(asyncio.current_task())
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to,
                                                               limit=WAITING_MAX // 4)
        self._writers += [to_server, writer]
        await asyncio.gather(self._pass(reader, to_server, "up"),
                             self._pass(from_server, writer, "down"), return_exceptions=True)

    async def _pass(self, reader, writer, way):
        now = self._loop.time
        try:
            while part := await reader.read(4096):
                begin = max(self._free_at.get(way, 0), now())
                self._free_at[way] = begin + len(part) / BYTES_PER_SECOND
                self._loop.call_at(self._free_at[way] + ROUND_TRIP_S / 2, writer.write, part)
                late = self._free_at[way] - now() - WAITING_MAX / BYTES_PER_SECOND
                if late > 0:
                    await asyncio.sleep(late)
        finally:
            end = max(self._free_at.get(way, 0), now()) + ROUND_TRIP_S / 2
            self._loop.call_at(end, writer.close)


def picture():
    """A PNG of noise, about 1.8 KB."""
    def chunk(kind, data):
        return (len(data).to_bytes(4, "big") + kind + data
                + zlib.crc32(kind + data).to_bytes(4, "big"))
    side = 24
    rows = b"".join(b"\0" + os.urandom(3 * side) for _ in range(side))
    head = side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def write_page(folder):
    os.makedirs(folder, exist_ok=True)
    images = "".join(f'<img src="/{number}.png" alt="">' for number in range(PICTURES))
    style = "".join(f".c{number} {{ color: #{number:06x}; }}\n" for number in range(1000))
    files = {"index.html": ('<!doctype html><html><head><title>page</title>'
                            '<link rel="stylesheet" href="/style.css"></head><body>'
                            f"<h1>A page</h1>{images}<script src=\"/end.js\"></script>"
                            "</body></html>").encode(),
             "style.css": style.encode(),
             "end.js": b"// " + b"x" * 20000 + b"\nwindow.done = true;\n"}
    files |= {f"{number}.png": picture() for number in range(PICTURES)}
    for name, data in files.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)


def load(browser, port):
    """First paint and the end of loading, in milliseconds."""
    with Line(port) as line:
        page = browser.new_page()
        page.open(f"https://localhost:{line.port}/index.html")
        page.wait_for("window.done && performance.getEntriesByName('first-paint').length > 0"
                      " && performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
        paint, end, count = page.evaluate(TIMINGS)
        page.close()
    if count < PICTURES + 2:
        raise RuntimeError(f"{count} resources came by HTTP/2")
    return paint, end


def measure_page(running, rounds):
    """Prints the table. `running` serve what write_page() wrote."""
    browser = Browser("--ignore-certificate-errors")
    figures = {server.name: [] for server in running}
    try:
        for number in range(rounds + 1):
            for server in running:
                timings = load(browser, server.port)
                if number != 0:  # the first is a warm-up
                    figures[server.name].append(timings)
    finally:
        browser.close()
    lines = []
    for index, what in enumerate(("first paint, ms", "loaded, ms")):
        values = {name: [each[index] for each in all_of] for name, all_of in figures.items()}
        lines.append([what, *(f"{statistics.median(each):,.0f} "
                              f"±{(max(each) - min(each)) / 2:,.0f}" for each in values.values())])
    print(measure.table([f"200 resources, {ROUND_TRIP_S * 1000:.0f} ms, 10 Mbit/s", *figures],
                        lines))
