#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""tests/net/fuzz/seeds_from_pcap.py: a seed of frames_fuzz from a pcap of a real exchange.

    seeds_from_pcap.py IN.pcap MAC OLD4 OLD6 [asks] > SEED

Takes the frames that were sent to the host with MAC (or to all), gives them the addresses that the
fuzzed stack has (10.0.0.1, fd00::1), and notes for each that its sums are to be made good.
"""

import ipaddress
import struct
import sys


def main() -> None:
    name, mac, old4, old6 = sys.argv[1:5]
    mac = bytes.fromhex(mac.replace(":", ""))
    swaps = [(mac, bytes.fromhex("020000000001")),
             (ipaddress.ip_address(old4).packed, ipaddress.ip_address("10.0.0.1").packed),
             (ipaddress.ip_address(old6).packed, ipaddress.ip_address("fd00::1").packed)]
    data = open(name, "rb").read()
    sys.stdout.buffer.write(b"\x01" if sys.argv[5:] else b"\x00")
    at = 24
    total = 0
    while at + 16 <= len(data):
        size = struct.unpack("<I", data[at + 8:at + 12])[0]
        frame = data[at + 16:at + 16 + size]
        at += 16 + size
        if size > 0x7ff or not (frame[:6] == mac or frame[0] & 1) or frame[6:12] == mac:
            continue
        for old, new in swaps:
            frame = frame.replace(old, new)
        total += len(frame)
        if total > 12000:
            break
        what = 0x8000 | 0x4000 | 0x2000 | 0x1000
        sys.stdout.buffer.write(struct.pack(">H", what | len(frame)) + frame)


if __name__ == "__main__":
    main()
