# SPDX-License-Identifier: ISC
"""tests/hostile/path_checks.py: what a host does with what ICMP says of its connections."""

import struct

import packets
from checks import row
from packets import mss
from wire import LARGE_REQUEST, Connection

# What ICMP says of connections ----------------------------------------------------------------

class Download:
    """A client that has the first segments of much; each has an address of its own, as hosts
    remember what they hear of a path."""

    def __init__(self, peer, number: int, is_ipv6: bool):
        self.peer = peer
        src = f"fd09::{number}" if is_ipv6 else f"10.9.0.{number}"
        self.client = Connection(peer, src, options=mss(1440 if is_ipv6 else 1460))
        self.client.write(LARGE_REQUEST)
        self.found = self.client.wait(lambda one: len(one.data) > 1000)

    def complain(self, kind: int, code: int, mtu: int, by: int = 0, quoted_bytes: int = 0) -> None:
        """An error that quotes the first segment, or one that is `by` away."""
        quote = bytearray(self.found.frame[14:])
        at = 44 if self.found.kind == packets.IPV6 else 24
        quote[at:at + 4] = struct.pack("!I", self.found.seq + by & 0xffffffff)
        src, dst = self.client.src, self.client.dst
        kept = quoted_bytes or (len(quote) if self.found.kind == packets.IPV6 else 28)
        rest = struct.pack("!I", mtu) + bytes(quote[:min(kept, 1200)])
        self.peer.send_ip(packets.ip(src, dst, packets.icmp_protocol(src),
                                     packets.icmp(src, dst, kind, code, rest)))

    def goes_on(self, size: int = 20_000) -> str:
        """The largest datagram among those that follow what was complained of."""
        client = self.client
        self.peer.settle(client.dst)
        found = client.collect(size, within_s=10.0)
        came = client.rcv - self.found.seq
        client.reset()
        if came < size or any(one.is_fragment for one in found):
            return "it hangs"
        # Those that were there already when the complaint came are acknowledged by nobody.
        return f"{max(len(one.frame) - 14 for one in found)} bytes"


def told(peer, number: int, is_ipv6: bool, *error, **fields) -> str:
    download = Download(peer, number, is_ipv6)
    download.complain(*error, **fields)
    return download.goes_on()


row("a path of 1400 bytes", "1191 6.3", "1400 bytes",
    lambda peer: told(peer, 41, False, 3, 4, 1400))
row("a path of 68 bytes", "1191; Linux: min_pmtu", "552 bytes",
    lambda peer: told(peer, 42, False, 3, 4, 68))
row("a path of 9000 bytes", "1191 5: not larger than before", "1500 bytes",
    lambda peer: told(peer, 43, False, 3, 4, 9000))
row("a path of 1400 bytes that quotes what was not sent",
    "5927 7.2: what is not in flight", "1500 bytes",
    lambda peer: told(peer, 44, False, 3, 4, 1400, by=10_000_000))
row("an ipv6 path of 1400 bytes", "8201 4", "1400 bytes",
    lambda peer: told(peer, 41, True, 2, 0, 1400))
row("an ipv6 path of 1280 bytes", "8201 4: not below 1,280", "1280 bytes",
    lambda peer: told(peer, 42, True, 2, 0, 1280))
row("an ipv6 path of 600 bytes", "8201 4: MUST discard", "1500 bytes",
    lambda peer: told(peer, 43, True, 2, 0, 600))
row("an ipv6 path of 1400 bytes that quotes what was not sent",
    "5927 7.2: what is not in flight", "1500 bytes",
    lambda peer: told(peer, 44, True, 2, 0, 1400, by=10_000_000))
row("an unreachable port in mid download", "1122 4.2.3.9; 5461 4: not an abort", "1500 bytes",
    lambda peer: told(peer, 45, False, 3, 3, 0))
row("an unreachable ipv6 port in mid download", "1122 4.2.3.9; 5461 4: not an abort", "1500 bytes",
    lambda peer: told(peer, 45, True, 1, 4, 0))
row("a source quench", "6633: MUST ignore", "1500 bytes",
    lambda peer: told(peer, 46, False, 4, 0, 0))
row("an error that quotes 4 bytes", "792", "1500 bytes",
    lambda peer: told(peer, 47, False, 3, 4, 1400, quoted_bytes=4))
row("an ipv6 error that quotes 4 bytes", "4443 2.4", "1500 bytes",
    lambda peer: told(peer, 47, True, 2, 0, 1400, quoted_bytes=4))
