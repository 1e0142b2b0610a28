// SPDX-License-Identifier: ISC
#include "http/site/clean.hpp"

namespace http::site {
namespace {

constexpr std::uint32_t index_bytes = 5;        // "index"
constexpr std::uint32_t index_html_bytes = 10;  // "index.html"
constexpr std::uint32_t html_bytes = 5;         // ".html"

// The path without the '/' at its end.
std::uint32_t folder_of(std::uint32_t bytes) { return bytes > 0 ? bytes - 1 : 0; }

}  // namespace

std::string_view text_of(Probe probe) noexcept {
  switch (probe.suffix) {
    case Suffix::none:
      return "";
    case Suffix::html:
      return ".html";
    case Suffix::index_html:
      return probe.bytes == 0 ? "index.html" : "/index.html";
    case Suffix::page_404:
      return probe.bytes == 0 ? "404.html" : "/404.html";
  }
  return "";
}

// Two ways to write one key are one question.
bool Clean::is_same(Probe a, Probe b) const noexcept {
  const std::string_view tail_a = text_of(a), tail_b = text_of(b);
  if (a.bytes + tail_a.size() != b.bytes + tail_b.size()) return false;
  if (a.bytes > b.bytes) return is_same(b, a);
  const std::string_view between = path_.substr(a.bytes, b.bytes - a.bytes);
  return tail_a.starts_with(between) && tail_a.substr(between.size()) == tail_b;
}

Answered::What Clean::what(Probe probe) noexcept {
  // No file is named by nothing, or by a suffix only.
  if (probe.bytes == 0 && (probe.suffix == Suffix::none || probe.suffix == Suffix::html)) {
    return Answered::What::nothing;
  }
  for (const Answered& one : answered_) {
    if (is_same(one.probe, probe)) return one.what;
  }
  if (!is_asking_) {
    is_asking_ = true;
    asked_ = probe;
  }
  return Answered::What::nothing;
}

// The last segment is `suffix`, or ends in it where that begins with a dot.
bool Clean::ends_with(std::string_view suffix) const noexcept {
  if (is_directory_ || !path_.ends_with(suffix)) return false;
  const std::size_t before = path_.size() - suffix.size();
  if (suffix[0] == '.') return before > 0;
  return before == 0 || path_[before - 1] == '/';
}

// Whether so many bytes of the path, with or without '/', show `file` where they are asked.
bool Clean::shows(CleanUrls mode, std::uint32_t bytes, bool slash, Probe file) noexcept {
  const Probe exact{bytes, Suffix::none}, html{bytes, Suffix::html},
      index{bytes, Suffix::index_html};
  if (slash || bytes == 0) {
    if (is_there(index)) return is_same(index, file);
    return mode == CleanUrls::slash && is_there(html) && is_same(html, file);
  }
  if (is_there(exact)) return false;  // a file's exact name
  if (mode == CleanUrls::slash) return false;
  if (is_there(html)) return is_same(html, file);
  return mode == CleanUrls::no_slash && is_there(index) && is_same(index, file);
}

bool Clean::moves(CleanUrls mode, Probe file, std::uint32_t bytes, bool slash) noexcept {
  if (!is_there(file) || !shows(mode, bytes, slash, file)) return false;
  const std::uint32_t all = size_ + (is_directory_ && size_ > 0 ? 1U : 0U);
  moved_ = {Outcome::Kind::move, {}, all - bytes, slash || bytes == 0};
  return true;
}

Outcome Clean::look(CleanUrls mode, bool is_target) noexcept {
  Outcome outcome;
  switch (mode) {
    case CleanUrls::automatic:
      outcome = automatic();
      break;
    case CleanUrls::slash:
      outcome = with_slash();
      break;
    case CleanUrls::no_slash:
      outcome = without_slash();
      break;
    case CleanUrls::exact:
      if (!is_directory_ && is_there({size_, Suffix::none})) outcome = serve({size_, Suffix::none});
      break;
    case CleanUrls::netlify:
      outcome = as_netlify(is_target);
      break;
    case CleanUrls::off:
    case CleanUrls::serve:
      outcome = as_today(mode == CleanUrls::serve);
      break;
  }
  return is_asking_ ? Outcome{Outcome::Kind::ask, asked_, 0, false} : outcome;
}

Outcome Clean::automatic() noexcept {
  constexpr CleanUrls mode = CleanUrls::automatic;
  const Probe exact{size_, Suffix::none}, html{size_, Suffix::html},
      index{size_, Suffix::index_html};
  if (ends_with("index")) {
    if (is_there(exact)) return serve(exact);
    const std::uint32_t folder = folder_of(size_ - index_bytes);
    if (moves(mode, html, folder, true)) return moved_;
    if (moves(mode, {folder, Suffix::html}, folder, false)) return moved_;
  } else if (ends_with("index.html")) {
    const std::uint32_t folder = folder_of(size_ - index_html_bytes);
    if (moves(mode, exact, folder, true)) return moved_;
    if (moves(mode, {folder, Suffix::html}, folder, false)) return moved_;
  } else if (is_directory_) {
    if (is_there(index)) return serve(index);
    if (moves(mode, html, size_, false)) return moved_;
    return {};
  } else if (ends_with(".html")) {
    const std::uint32_t page = size_ - html_bytes;
    if (moves(mode, exact, page, false)) return moved_;
    if (moves(mode, {page, Suffix::index_html}, page, true)) return moved_;
  }
  if (is_there(exact)) return serve(exact);
  if (is_there(html)) return serve(html);
  if (moves(mode, index, size_, true)) return moved_;
  return {};
}

Outcome Clean::with_slash() noexcept {
  constexpr CleanUrls mode = CleanUrls::slash;
  const Probe exact{size_, Suffix::none}, html{size_, Suffix::html},
      index{size_, Suffix::index_html};
  if (ends_with("index")) {
    if (is_there(exact)) return serve(exact);
    const std::uint32_t folder = folder_of(size_ - index_bytes);
    if (moves(mode, html, folder, true)) return moved_;
    if (moves(mode, {folder, Suffix::html}, folder, true)) return moved_;
  } else if (ends_with("index.html")) {
    const std::uint32_t folder = folder_of(size_ - index_html_bytes);
    if (moves(mode, exact, folder, true)) return moved_;
    if (moves(mode, {folder, Suffix::html}, folder, true)) return moved_;
  } else if (is_directory_) {
    if (is_there(index)) return serve(index);
    if (is_there(html)) return serve(html);
    return {};
  } else if (ends_with(".html")) {
    const std::uint32_t page = size_ - html_bytes;
    if (moves(mode, exact, page, true)) return moved_;
    if (is_there(exact)) return serve(exact);
    if (moves(mode, {page, Suffix::index_html}, page, true)) return moved_;
  }
  if (is_there(exact)) return serve(exact);
  if (moves(mode, html, size_, true)) return moved_;
  if (moves(mode, index, size_, true)) return moved_;
  return {};
}

Outcome Clean::without_slash() noexcept {
  constexpr CleanUrls mode = CleanUrls::no_slash;
  const Probe exact{size_, Suffix::none}, html{size_, Suffix::html},
      index{size_, Suffix::index_html};
  if (ends_with("index")) {
    if (is_there(exact)) return serve(exact);
    const std::uint32_t folder = folder_of(size_ - index_bytes);
    if (moves(mode, {folder, Suffix::html}, folder, false)) return moved_;
    if (moves(mode, html, folder, false)) return moved_;
  } else if (ends_with("index.html")) {
    const std::uint32_t folder = folder_of(size_ - index_html_bytes);
    if (moves(mode, exact, folder, false)) return moved_;
    if (is_there(exact)) return serve(exact);
    if (moves(mode, {folder, Suffix::html}, folder, false)) return moved_;
  } else if (is_directory_) {
    if (size_ == 0) return is_there(index) ? serve(index) : Outcome{};
    if (moves(mode, html, size_, false)) return moved_;
    if (moves(mode, index, size_, false)) return moved_;
    return {};
  } else if (ends_with(".html")) {
    const std::uint32_t page = size_ - html_bytes;
    if (moves(mode, exact, page, false)) return moved_;
    if (moves(mode, {page, Suffix::index_html}, page, false)) return moved_;
  }
  if (is_there(exact)) return serve(exact);
  if (is_there(html)) return serve(html);
  if (is_there(index)) return serve(index);
  return {};
}

Outcome Clean::as_netlify(bool is_target) noexcept {
  const Probe exact{size_, Suffix::none}, html{size_, Suffix::html},
      index{size_, Suffix::index_html};
  if (is_target) {
    for (const Probe probe : {exact, html, index}) {
      if (is_there(probe)) return serve(probe);
    }
    return {};
  }
  const Outcome plain{Outcome::Kind::move, {}, 1, false}, slash{Outcome::Kind::move, {}, 0, true};
  if (is_directory_) {
    if (is_there(html) && !is_there(exact)) return plain;
    return is_there(index) ? serve(index) : Outcome{};
  }
  if (is_there(exact)) return serve(exact);
  if (is_there(html)) return serve(html);
  return is_there(index) ? slash : Outcome{};
}

Outcome Clean::as_today(bool serves_html) noexcept {
  const Probe exact{size_, Suffix::none}, html{size_, Suffix::html},
      index{size_, Suffix::index_html};
  if (is_directory_) return is_there(index) ? serve(index) : Outcome{};
  const Answered::What there = what(exact);
  if (there == Answered::What::value) return serve(exact);
  if (there == Answered::What::dictionary && is_there(index)) {
    return {Outcome::Kind::move, {}, 0, true};
  }
  return serves_html && is_there(html) ? serve(html) : Outcome{};
}

}  // namespace http::site
