// SPDX-License-Identifier: ISC
#include "tls/anchors.hpp"

#include <mbedtls/x509_crt.h>

#include "tls/certificate_facts.hpp"
#include "tls/certificate_file.hpp"

namespace tls {

void Anchors::Free::operator()(mbedtls_x509_crt* list) const noexcept {
  mbedtls_x509_crt_free(list);
  delete list;
}

Anchors::Anchors() : list_(new mbedtls_x509_crt) { mbedtls_x509_crt_init(list_.get()); }
Anchors::Anchors(Anchors&&) noexcept = default;
Anchors& Anchors::operator=(Anchors&&) noexcept = default;
Anchors::~Anchors() = default;

base::Result<Anchors, std::string> Anchors::make(const CredentialFile& file) {
  using Failed = base::Failure<std::string>;
  const std::string name(file.name);
  if (file.bytes.empty()) {
    return Failed(name + ": the file is empty; it should hold the roots to trust, in PEM");
  }
  if (auto other = other_kind(file.bytes); !other.empty()) return Failed(name + ": " + other);
  const auto found = certificates_in(file.bytes);
  if (!found) return Failed(name + ": " + found.error());
  Anchors made;
  made.file_ = name;
  for (const std::string& der : *found) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    const int failed = mbedtls_x509_crt_parse_der(made.list_.get(), bytes, der.size());
    if (failed == MBEDTLS_ERR_X509_ALLOC_FAILED)
      return Failed(name + ": there is too little memory");
    ++(failed == 0 ? made.count_ : made.left_out_count_);
  }
  if (made.count_ == 0) {
    return Failed(name +
                  ": none of its certificates can be used; roots with keys for ECDSA on P-256 and "
                  "P-384, and RSA, can");
  }
  return made;
}

std::vector<std::string> Anchors::warnings(std::int64_t now_s) const {
  std::vector<std::string> out;
  for (const auto* at = list_.get(); at != nullptr; at = at->next) {
    const std::int64_t until_s = seconds_of(at->valid_to);
    if (now_s <= until_s) continue;
    out.push_back(file_ + ": the root " + subject_text(*at) + " expired on " + date_text(until_s));
  }
  return out;
}

}  // namespace tls
