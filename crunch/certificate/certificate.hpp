// SPDX-License-Identifier: ISC
// crunch/certificate/certificate.hpp: certificates that go into an image or a preview.
//
// States:  Pair, load, self_signed, Facts, check, not_covered.
// Used by: crunch/build, crunch/serve.
// Judge:   tls/certificates, the same that judges when an image starts.

#pragma once

#include <string>
#include <vector>

namespace crunch::certificate {

// A certificate with its chain, and its key, with the names for messages.
struct Pair {
  std::string certificates_name;
  std::string certificates;
  std::string key_name;
  std::string key;
};

// Throws a Failure with the file's name.
[[nodiscard]] Pair load(const std::string& certificates_path, const std::string& key_path);

// For trying things out: P-256, for `host` (a name, or an address), valid for 90 days; no
// client trusts it unless told to. For localhost it covers 127.0.0.1 and ::1 too.
[[nodiscard]] Pair self_signed(const std::string& host);

// What may be said about it in public.
struct Facts {
  std::vector<std::string> names;
  std::string not_before;  // 2026-11-22
  std::string not_after;
  std::string key_type;
  std::vector<std::string> warnings;
};

// Throws a Failure if the pair could never serve.
[[nodiscard]] Facts check(const Pair& pair);

// For a pair that check() took: a warning with the file's name if clients that ask for `host`, a
// name or an address, would refuse it; else empty.
[[nodiscard]] std::string not_covered(const Pair& pair, const std::string& host);

}  // namespace crunch::certificate
