// SPDX-License-Identifier: ISC
// tls/anchors.hpp: the roots that a client trusts.
//
// States:  Anchors.   Used by: tls/client_engine.cpp; by the tool, so that building and booting
//          judge alike.
// Takes:   certificates in PEM (any number) or DER (one). One with a key or a signature of a kind
//          that is not supported (tls/certificates.hpp) is left out: no chain to it can be checked.
// Errors:  sentences that name the file and say what to do.
// May include: base, tls/certificates.hpp.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tls/certificates.hpp"

struct mbedtls_x509_crt;

namespace tls {

// Parsed once; never changed, so several threads may share it.
class Anchors {
 public:
  // Fails when it holds no certificate that can be used, or is broken.
  [[nodiscard]] static base::Result<Anchors, std::string> make(const CredentialFile& file);
  Anchors(Anchors&&) noexcept;
  Anchors& operator=(Anchors&&) noexcept;
  ~Anchors();

  // At least 1.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::size_t left_out_count() const noexcept { return left_out_count_; }
  // A sentence for each that is out of date at this time, in seconds since 1970-01-01 UTC.
  [[nodiscard]] std::vector<std::string> warnings(std::int64_t now_s) const;

  // mbedTLS's list, which it takes without const and does not change.
  [[nodiscard]] mbedtls_x509_crt& list() const noexcept { return *list_; }

 private:
  struct Free {
    void operator()(mbedtls_x509_crt* list) const noexcept;
  };
  Anchors();

  std::unique_ptr<mbedtls_x509_crt, Free> list_;
  std::string file_;
  std::size_t count_ = 0;
  std::size_t left_out_count_ = 0;
};

}  // namespace tls
