// SPDX-License-Identifier: ISC
// tls/condensed_hello.hpp: a short hello that stands for the client's one.
//
// States:  CondensedHello.   Used by: tls/engine.cpp, tls/handshake_state.cpp.
// Why:     mbedTLS takes hellos of at most 16 KiB, has its own opinion of their version, and does
//          without no list. It is given what means something here, and hashes what was sent
//          (tls/transcript_hook.c): the transcript is that of the client's bytes.
// Source:  RFC 8446 section 4.1.2 and 4.4.1; RFC 8422 section 4.   May include: base.

#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.hpp"
#include "tls/hello_faults.hpp"

namespace tls {

struct CondensedHello {
  // One record with one handshake message.
  std::vector<std::byte> record;
  // As many bytes at the end of both are the same: pre_shared_key, whose binders authenticate all
  // that stands before them.
  std::size_t same_end_bytes = 0;
  // Of TLS 1.2: what it says of RSA with PKCS#1 v1.5 the client said of RSASSA-PSS.
  bool means_pss = false;
};

// Of a hello without faults. It may be too long for a record only because of its tickets.
// `resumed_suite`: that of the TLS 1.2 session which its ticket resumes, and then the only one; 0:
// it resumes none, and the ticket is left out.
[[nodiscard]] CondensedHello condense(const Hello& hello, int resumed_suite);

}  // namespace tls
