// SPDX-License-Identifier: ISC
// http/site/fields.hpp: the fields that a site's blocks say for an address.
//
// Rules:   Cloudflare's: what a later block sets is joined to what an earlier one did; "! Name"
//          takes away what is there so far. Netlify's: of two blocks the later wins. Within a block
//          both join. Set-Cookie has a line for each value.
// Cost:    every block's pattern is asked; no allocation.
// May include: std, http/site, http/writer.

#pragma once

#include <string_view>

#include "http/site/plan.hpp"
#include "http/writer.hpp"

namespace http::site {

// Of the fields of one address: more is an error of the site, and a 503 where only captures make it
// so.
inline constexpr std::size_t address_fields_bytes_max = 8192;
// More items than this are left out: a plan's fields for one address are bounded when it is made.
inline constexpr std::size_t field_items_max = 256;

// Which of the server's own fields a site's fields replace or take away.
class OwnFields {
 public:
  void add(OwnField field) noexcept { bits_ |= 1U << static_cast<unsigned>(field); }
  [[nodiscard]] bool has(OwnField field) const noexcept {
    return ((bits_ >> static_cast<unsigned>(field)) & 1U) != 0;
  }
  // Whether a line of ours ("Name: value") is replaced.
  [[nodiscard]] bool replaces(std::string_view line) const noexcept;
  [[nodiscard]] bool is_empty() const noexcept { return bits_ == 0; }

 private:
  unsigned bits_ = 0;
};

// Appends the lines for `address`, in normal form, asked of `host`. `secure`: over HTTPS, where
// Strict-Transport-Security counts.
OwnFields write_fields(const Plan& plan, const SiteRecord& site, std::string_view address,
                       std::string_view host, bool secure, Writer& out) noexcept;

}  // namespace http::site
