// SPDX-License-Identifier: ISC
// http/site/route.hpp: from a request to what a site with a plan answers: a redirect, a file with a
// status, or that there is nothing.
//
// States:  a machine without I/O: while `wants()` is true, stat `key()` and `take` the answer.
// Order:   host aliases and HTTPS, in one hop; who may enter; the base; rules; clean URLs and files
//          (for Netlify before the rules that are not forced); what is said when there is nothing.
// Files:   the tables of what each way of clean URLs answers are functions of "is this file
//          there?"; each runs anew with every answer, of which there are at most probes_max.
// Memory:  no allocation; the address, the key and the location are in the caller's buffers.
// Source:  Cloudflare's Workers (asset worker) and Netlify, by what they answer: tests/http/site.
// May include: std, kv/kv.hpp, http's pure parts.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/site/clean.hpp"
#include "http/site/pattern.hpp"
#include "http/site/plan.hpp"
#include "kv/kv.hpp"

namespace http::site {

// What of a request a route depends on. Views outlive the route.
struct Asked {
  std::string_view host;      // as received, with its port
  std::string_view target;    // the path as received, without the query
  std::string_view query;     // with '?', or empty
  std::string_view language;  // Accept-Language
  std::string_view cookie;
  std::string_view authorization;
  bool secure = false;
  std::uint16_t https_port = 0;  // not 0: the answer is there
  bool key_exists = true;        // false: no key can be written so
  std::string_view key;          // of the target, without slashes around it
  bool is_directory = false;
};

// A Host field without its port.
[[nodiscard]] std::string_view host_name(std::string_view host) noexcept;

class Route {
 public:
  enum class End : std::uint8_t {
    none,      // not ended
    redirect,  // to `location()`, with `status()`
    value,     // `key()` and `stat()`, with `status()`
    absent,    // and there is no page that says so
    unavailable,
    misdirected,   // no host of this site: 421
    unauthorized,  // who asks is to say a name and a password: 401
    too_long,      // the address or the location: 414
  };

  // `address`, `key` and `location` are buffers that stay the route's; `key` is longer than the
  // target by key_slack and the plan's longest root.
  void start(const Plan& plan, const Asked& asked, std::span<char> address, std::span<char> key,
             std::span<char> location) noexcept;

  [[nodiscard]] bool wants() const noexcept { return end_ == End::none; }
  [[nodiscard]] kv::Key key() const noexcept { return {key_buffer_.data(), key_bytes_}; }
  void take(const kv::Result<kv::Stat>& answer) noexcept;

  [[nodiscard]] End end() const noexcept { return end_; }
  [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
  [[nodiscard]] const kv::Stat& stat() const noexcept { return stat_; }
  [[nodiscard]] std::string_view location() const noexcept { return location_; }
  // The site that answers, and the address that was asked, in normal form: for its fields.
  [[nodiscard]] const SiteRecord& site() const noexcept { return *site_; }
  [[nodiscard]] std::string_view address() const noexcept { return address_; }
  // A condition looked at Accept-Language.
  [[nodiscard]] bool varies_by_language() const noexcept { return varies_by_language_; }
  // The redirect is by clean URLs, and so for GET and HEAD only.
  [[nodiscard]] bool is_clean() const noexcept { return is_clean_; }
  // Who asked has said a name and a password: it is for nobody else.
  [[nodiscard]] bool is_private() const noexcept { return is_private_; }
  // The rule that decided, for people; null: none.
  [[nodiscard]] const RuleRecord* rule() const noexcept { return rule_; }

  static constexpr std::size_t key_slack = 32;

 private:
  enum class Stage : std::uint8_t { files, page, spa, final };

  void choose_host() noexcept;
  void redirect_to(std::string_view host) noexcept;
  void check_access() noexcept;
  void choose_base() noexcept;
  [[nodiscard]] bool leave_base(std::string_view& key) const noexcept;
  void next_rule() noexcept;
  [[nodiscard]] const RuleRecord* match_from(std::uint32_t first) noexcept;
  [[nodiscard]] bool holds(const RuleRecord& rule) noexcept;
  [[nodiscard]] bool holds(const ConditionRecord& condition) noexcept;
  void apply(const RuleRecord& rule) noexcept;
  void redirect(const RuleRecord& rule) noexcept;
  [[nodiscard]] bool is_own_address(std::string_view location) const noexcept;
  void rewrite(const RuleRecord& rule) noexcept;
  void begin_files(std::string_view path_key, bool is_directory) noexcept;
  void look_at_files() noexcept;
  void files_found_nothing() noexcept;
  void not_found() noexcept;
  void ask_page_up() noexcept;
  void serve(Probe probe) noexcept;
  void move(const Outcome& outcome) noexcept;
  void ask(Probe probe) noexcept;
  void ask_key(std::string_view key) noexcept;
  [[nodiscard]] bool must_be_canonical() const noexcept;
  void end_with(End end, std::uint16_t status) noexcept {
    end_ = end;
    status_ = status;
  }

  static constexpr std::size_t probes_max = 12;
  static constexpr int pages_max = 16;

  const Plan* plan_ = nullptr;
  const SiteRecord* site_ = nullptr;
  const RuleRecord* rule_ = nullptr;
  Asked asked_;
  std::string_view address_, location_;
  std::string_view path_;               // the key that files are looked for by
  std::string_view address_of_target_;  // of a rewrite
  std::span<char> key_buffer_, location_buffer_;
  std::size_t key_bytes_ = 0;
  std::uint32_t next_rule_ = 0;
  std::array<Answered, probes_max> answered_;
  std::size_t answered_count_ = 0;
  Probe asking_;
  std::uint32_t page_bytes_ = 0;
  int pages_ = 0;
  std::uint16_t status_ = 200;
  std::uint16_t found_status_ = 200;
  bool is_directory_ = false;
  bool is_rewritten_ = false;
  bool is_canonical_ = true;
  bool varies_by_language_ = false;
  bool has_stat_ = false;
  bool is_outside_ = false;  // of the base
  bool is_private_ = false;
  bool is_clean_ = false;
  bool rule_waits_ = false;  // files first, then rule_
  Stage stage_ = Stage::files;
  End end_ = End::none;
  Captures captures_;
  kv::Stat stat_;
};

}  // namespace http::site
