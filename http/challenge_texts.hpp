// SPDX-License-Identifier: ISC
// http/challenge_texts.hpp: texts by which a CA sees that a host is ours: HTTP-01.
//
// States:  ChallengeTexts.   Used by: http/exchange; modelled by what orders certificates.
// Source:  RFC 8555 section 8.3.   May include: std.

#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace http {

class ChallengeTexts {
 public:
  // As a key of a site: what comes behind it is the token.
  static constexpr std::string_view folder = ".well-known/acme-challenge/";

  virtual ~ChallengeTexts() = default;
  // At most text_bytes_max bytes (http/respond.hpp). Null: there is none for this token. Called by
  // all threads.
  [[nodiscard]] virtual std::shared_ptr<const std::string> find(
      std::string_view token) const noexcept = 0;
};

}  // namespace http
