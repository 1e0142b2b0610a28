// SPDX-License-Identifier: ISC
// http/site/clean.hpp: clean URLs: which file an address means, and where else it should be asked.
//
// Shape:   functions of "is this file there?": they are called anew with every answer, and ask for
//          the next file whose answer they lack.
// Law:     an address moves only to one that is no file's exact name and that shows the very file
//          that was meant, so that no two lead to each other.
// Source:  the tables of tests/http/site: Workers' html_handling, Netlify's pretty URLs.
// May include: std.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "http/site/plan.hpp"

namespace http::site {

// A key made of a path: so many bytes of it, and a suffix.
enum class Suffix : std::uint8_t { none, html, index_html, page_404 };
struct Probe {
  std::uint32_t bytes = 0;
  Suffix suffix = Suffix::none;
  friend bool operator==(const Probe&, const Probe&) = default;
};
// What stands behind the path: in the root without '/'.
[[nodiscard]] std::string_view text_of(Probe probe) noexcept;

struct Answered {
  enum class What : std::uint8_t { value, dictionary, nothing };
  Probe probe;
  What what = What::nothing;
};

struct Outcome {
  enum class Kind : std::uint8_t { ask, nothing, serve, move };
  Kind kind = Kind::nothing;
  Probe probe;            // to ask, or to serve
  std::uint32_t cut = 0;  // move: so many bytes off the address's end,
  bool slash = false;     // and a '/' behind it
};

class Clean {
 public:
  // `path` is a key; `is_directory`: there was a '/' behind it, or it is the root.
  Clean(std::string_view path, bool is_directory, std::span<const Answered> answered) noexcept
      : path_(path),
        size_(static_cast<std::uint32_t>(path.size())),
        is_directory_(is_directory),
        answered_(answered) {}

  // `is_target`: of a rewrite by Netlify, whose addresses do not move.
  [[nodiscard]] Outcome look(CleanUrls mode, bool is_target) noexcept;

 private:
  [[nodiscard]] Answered::What what(Probe probe) noexcept;
  [[nodiscard]] bool is_there(Probe probe) noexcept { return what(probe) == Answered::What::value; }
  [[nodiscard]] bool is_same(Probe a, Probe b) const noexcept;
  [[nodiscard]] bool ends_with(std::string_view suffix) const noexcept;
  [[nodiscard]] bool shows(CleanUrls mode, std::uint32_t bytes, bool slash, Probe file) noexcept;
  // Whether the address may move; then `moved_` is how.
  [[nodiscard]] bool moves(CleanUrls mode, Probe file, std::uint32_t bytes, bool slash) noexcept;

  [[nodiscard]] Outcome serve(Probe probe) const noexcept {
    return {Outcome::Kind::serve, probe, 0, false};
  }
  [[nodiscard]] Outcome automatic() noexcept;
  [[nodiscard]] Outcome with_slash() noexcept;
  [[nodiscard]] Outcome without_slash() noexcept;
  [[nodiscard]] Outcome as_netlify(bool is_target) noexcept;
  [[nodiscard]] Outcome as_today(bool serves_html) noexcept;

  std::string_view path_;
  std::uint32_t size_;
  bool is_directory_;
  std::span<const Answered> answered_;
  bool is_asking_ = false;
  Probe asked_;
  Outcome moved_;
};

}  // namespace http::site
