// SPDX-License-Identifier: ISC
#include "http/lookup.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace http {

static_assert(lookup_slack > 1 + std::max(index_name.size(), page_404_name.size()));

void Lookup::start(std::size_t key_bytes, bool is_directory, std::span<char> buffer) noexcept {
  CHECK(key_bytes + lookup_slack <= buffer.size());
  buffer_ = buffer;
  end_ = End::none;
  pages_ = 0;
  is_dictionary_ = false;
  key_bytes_ = key_bytes;
  state_ = State::value;
  if (is_directory) ask(State::index, key_bytes, index_name);
}

void Lookup::start_absent(std::span<char> buffer) noexcept {
  start(0, true, buffer);
  ask(State::page, 0, page_404_name);
}

void Lookup::hold(kv::Key key, const kv::Stat& stat, std::span<char> buffer) noexcept {
  CHECK(key.size() <= buffer.size());
  buffer_ = buffer;
  std::ranges::copy(key, buffer.data());
  key_bytes_ = key.size();
  stat_ = stat;
  end_ = End::found;
}

// The name goes where the key's last segments were: only the directory is needed from here on.
void Lookup::ask(State state, std::size_t directory_bytes, std::string_view name) noexcept {
  state_ = state;
  directory_bytes_ = directory_bytes;
  std::size_t at = directory_bytes;
  if (at > 0) buffer_[at++] = '/';
  std::ranges::copy(name, buffer_.data() + at);
  key_bytes_ = at + name.size();
}

// The directory is the key itself, so that the search for a page goes on as from the key.
void Lookup::ask_html() noexcept {
  state_ = State::html;
  std::ranges::copy(html_suffix, buffer_.data() + directory_bytes_);
  key_bytes_ = directory_bytes_ + html_suffix.size();
}

void Lookup::ask_page_up() noexcept {
  if (directory_bytes_ == 0) {
    end_ = End::absent;
    return;
  }
  std::size_t slash = kv::Key(buffer_.data(), directory_bytes_).rfind('/');
  bool is_top = slash == kv::Key::npos || ++pages_ >= pages_max;
  ask(State::page, is_top ? 0 : slash, page_404_name);
}

void Lookup::take(const kv::Result<kv::Stat>& answer) noexcept {
  if (!answer && answer.error() == kv::Error::unavailable) {
    end_ = End::unavailable;
    return;
  }
  if (answer) stat_ = *answer;
  switch (state_) {
    case State::value:
      directory_bytes_ = key_bytes_;
      if (answer) {
        end_ = End::found;
      } else if (answer.error() == kv::Error::value_expected) {
        is_dictionary_ = true;
        ask(State::redirect, key_bytes_, index_name);
      } else {
        ask_html();
      }
      return;
    case State::index:
      if (answer) {
        end_ = End::found;
      } else {
        ask(State::page, directory_bytes_, page_404_name);
      }
      return;
    case State::redirect:
      if (answer) {
        end_ = End::moved;
        key_bytes_ = directory_bytes_;
      } else {
        ask_html();
      }
      return;
    case State::html:
      if (answer) {
        end_ = End::found;
      } else if (is_dictionary_) {
        ask(State::page, directory_bytes_, page_404_name);
      } else {
        ask_page_up();
      }
      return;
    case State::page:
      if (answer) {
        end_ = End::page_404;
      } else {
        ask_page_up();
      }
      return;
  }
}

}  // namespace http
