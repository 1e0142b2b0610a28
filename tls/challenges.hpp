// SPDX-License-Identifier: ISC
// tls/challenges.hpp: the certificates that show a CA that a name is ours: TLS-ALPN-01.
//
// States:   Challenges.   Used by: tls/session.cpp, by way of tls/shared_context.hpp; acme/.
// Source:   RFC 8737: a handshake that offers only the protocol acme-tls/1, and names a host that
//           has a challenge, gets that challenge's certificate and is closed after it. All others
//           are as if there were none. Safe from several threads.
// May include: base, tls/engine.hpp.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/entropy.hpp"
#include "base/result.hpp"
#include "tls/engine.hpp"

namespace tls {

class Challenges {
 public:
  static constexpr std::size_t count_max = 128;

  // Answers for `host`, a DNS name, from now on, in place of what did. `certificate` has the
  // extension acmeIdentifier (1.3.6.1.5.5.7.1.31), PEM or DER; `key` is its key. Fails with a
  // sentence when they cannot be used, or there are count_max challenges. `entropy` outlives the
  // program's last connection.
  [[nodiscard]] base::Result<void, std::string> set(std::string_view host,
                                                    const CredentialFile& certificate,
                                                    const CredentialFile& key,
                                                    base::Entropy& entropy);
  // Harmless when there is none.
  void remove(std::string_view host);

  // Null: there is none.
  [[nodiscard]] std::shared_ptr<const Context> find(std::string_view host) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Context>, std::less<>> contexts_;
};

}  // namespace tls
