// SPDX-License-Identifier: ISC
// http/lookup.hpp: from a key to what is served for it: itself, its index.html, a redirect to it
// with a slash, the page that it names without ".html", or the nearest 404.html.
//
// States:  a machine without I/O: while `wants()` is true, stat `key()` and `take` the answer.
//
//            state        key to stat      value          dictionary    nothing
//            value        k                -> found       redirect      html
//            index        k/index.html     -> found       page          page
//            redirect     k/index.html     -> moved       html          html
//            html         k.html           -> found       page          page
//            page         dir/404.html     -> page_404    page, one directory up; at the root
//                                                         -> absent
//          `unavailable` ends it from every state.
// Rules:   a key with a slash behind it is a dictionary's, so it starts at `index`. The nearest
//          404.html is looked for in the key's own directory and at most pages_max - 1 above it,
//          then in the root, so that long paths do not make much work.
// May include: std, kv/kv.hpp, http/target.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "http/target.hpp"
#include "kv/kv.hpp"

namespace http {

inline constexpr std::string_view index_name = "index.html";
inline constexpr std::string_view html_suffix = ".html";
inline constexpr std::string_view page_404_name = "404.html";
// What a key's buffer must have beyond the key.
inline constexpr std::size_t lookup_slack = 16;
inline constexpr int pages_max = 16;

class Lookup {
 public:
  enum class End : std::uint8_t {
    none,      // not ended
    found,     // `key` and `stat` are what was asked for
    moved,     // `key` is a dictionary: redirect to it with a slash
    page_404,  // `key` and `stat` are a page that says that there is nothing
    absent,    // and there is no such page
    unavailable,
  };

  // `key` stands at the start of `buffer`, which has lookup_slack bytes more.
  void start(std::size_t key_bytes, bool is_directory, std::span<char> buffer) noexcept;
  // Starts where nothing can have the key: looks for the root's page only.
  void start_absent(std::span<char> buffer) noexcept;

  // Ends: the caller found `key`, which fits into `buffer` and is not in it.
  void hold(kv::Key key, const kv::Stat& stat, std::span<char> buffer) noexcept;

  [[nodiscard]] bool wants() const noexcept { return end_ == End::none; }
  [[nodiscard]] kv::Key key() const noexcept { return {buffer_.data(), key_bytes_}; }
  void take(const kv::Result<kv::Stat>& answer) noexcept;

  [[nodiscard]] End end() const noexcept { return end_; }
  // Of what was found, or of the page.
  [[nodiscard]] const kv::Stat& stat() const noexcept { return stat_; }

 private:
  enum class State : std::uint8_t { value, index, redirect, html, page };
  void ask(State state, std::size_t directory_bytes, std::string_view name) noexcept;
  void ask_html() noexcept;
  void ask_page_up() noexcept;

  std::span<char> buffer_;
  std::size_t key_bytes_ = 0;        // of the key to stat
  std::size_t directory_bytes_ = 0;  // of the directory in front of it
  int pages_ = 0;
  bool is_dictionary_ = false;
  State state_ = State::value;
  End end_ = End::none;
  kv::Stat stat_;
};

}  // namespace http
