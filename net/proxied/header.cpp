// SPDX-License-Identifier: ISC
#include "net/proxied/header.hpp"

#include <algorithm>
#include <charconv>

namespace net::proxied {
namespace {

using std::string_view;

constexpr string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);  // of version 2
constexpr string_view word = "PROXY ";                        // of version 1
constexpr std::size_t fixed_bytes = 16;                       // of version 2

constexpr bool agree(string_view text, string_view with) {
  const std::size_t both = std::min(text.size(), with.size());
  return text.substr(0, both) == with.substr(0, both);
}

// Cuts the text up to the next space off `rest`.
string_view next_word(string_view& rest) noexcept {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const string_view next = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return next;
}

std::optional<std::uint16_t> port_of(string_view text) noexcept {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool has_leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc() || end != text.data() + text.size() || has_leading_zero) return {};
  return port;
}

// An address of the family that `is_6` says.
std::optional<Endpoint> address_in(string_view text, bool is_6) noexcept {
  const bool has_colon = text.find(':') != string_view::npos;
  return has_colon == is_6 ? address_of(text) : std::nullopt;
}

// What version 1 says behind "PROXY TCP4 " or "PROXY TCP6 ". Nothing: it is malformed.
std::optional<Endpoint> text_source(string_view rest, bool is_6) noexcept {
  std::optional<Endpoint> source = address_in(next_word(rest), is_6);
  const std::optional<Endpoint> destination = address_in(next_word(rest), is_6);
  const std::optional<std::uint16_t> source_port = port_of(next_word(rest));
  const std::optional<std::uint16_t> destination_port = port_of(rest);
  if (!source || !destination || !source_port || !destination_port) return {};
  source->port = *source_port;
  return source;
}

constexpr std::uint8_t byte_of(string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
constexpr std::uint16_t number_of(string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_of(bytes, at) << 8U | byte_of(bytes, at + 1));
}

// Of version 2: how many bytes hold the addresses of a family and protocol.
constexpr std::optional<std::size_t> address_bytes_of(std::uint8_t family) {
  switch (family) {
    case 0x00:
      return 0;  // UNSPEC
    case 0x11:
      return 12;  // TCP over IPv4
    case 0x21:
      return 36;  // TCP over IPv6
    case 0x31:
      return 216;  // Unix stream sockets
    default:
      return std::nullopt;
  }
}

}  // namespace

void Header::take(base::Bytes bytes) noexcept {
  const string_view text = base::text_of(bytes);
  if (left_to_skip_ > 0) {
    left_to_skip_ -= std::min(left_to_skip_, text.size());
  } else {
    std::ranges::copy(text, kept_.data() + kept_count_);
    kept_count_ += static_cast<std::uint8_t>(text.size());
  }
  if (agree(kept(), signature)) {
    take_binary();
  } else if (agree(kept(), word)) {
    take_text();
  } else {
    state_ = State::refused;
  }
}

void Header::take_text() noexcept {
  if (kept_count_ < signature.size()) {
    wanted_ = signature.size() - kept_count_;  // the shortest one has 15
    return;
  }
  string_view rest = kept();
  const std::size_t end = rest.find('\r');
  if (end + 2 == rest.size() && rest.back() == '\n') {
    rest = rest.substr(word.size(), end - word.size());
    const string_view protocol = next_word(rest);
    if (protocol == "UNKNOWN") return finish({});  // whatever follows is to be ignored
    std::optional<Endpoint> source;
    if (protocol == "TCP4" || protocol == "TCP6") source = text_source(rest, protocol == "TCP6");
    if (!source) state_ = State::refused;
    if (source) finish(source);
    return;
  }
  // No byte may be missing that the shortest end of it would not have.
  std::size_t missing = end == string_view::npos ? 2 : 1;
  if (end == string_view::npos && rest.substr(word.size()).starts_with("TCP")) {
    const auto spaces = static_cast<std::size_t>(std::ranges::count(rest, ' '));
    if (spaces < 5) missing += 2 * (5 - spaces);
  }
  const bool is_misplaced = end != string_view::npos && end + 1 != rest.size();
  if (is_misplaced || rest.find('\n') != string_view::npos ||
      rest.size() + missing > kept_.size()) {
    state_ = State::refused;
  }
  wanted_ = missing;
}

void Header::take_binary() noexcept {
  if (kept_count_ < fixed_bytes) {
    wanted_ = (kept_count_ < signature.size() ? signature.size() : fixed_bytes) - kept_count_;
    return;
  }
  const string_view bytes = kept();
  const std::uint8_t command = byte_of(bytes, 12);
  const bool is_local = command == 0x20;
  const std::optional<std::size_t> needed = is_local ? 0 : address_bytes_of(byte_of(bytes, 13));
  const std::size_t length = number_of(bytes, 14);
  if ((!is_local && command != 0x21) || !needed || length < *needed) {
    state_ = State::refused;
    return;
  }
  const std::size_t to_keep = *needed <= 36 ? *needed : 0;
  if (kept_count_ < fixed_bytes + to_keep) {
    wanted_ = fixed_bytes + to_keep - kept_count_;
    return;
  }
  if (!is_skipping_) {
    is_skipping_ = true;
    left_to_skip_ = length - to_keep;
  }
  wanted_ = std::min<std::size_t>(left_to_skip_, 4096);
  if (left_to_skip_ > 0) return;
  if (to_keep == 12) {
    finish(ipv4(byte_of(bytes, 16), byte_of(bytes, 17), byte_of(bytes, 18), byte_of(bytes, 19),
                number_of(bytes, 24)));
  } else if (to_keep == 36) {
    Endpoint source;
    std::ranges::copy(bytes.substr(fixed_bytes, 16), source.address.begin());
    source.port = number_of(bytes, 48);
    finish(source);
  } else {
    finish({});
  }
}

}  // namespace net::proxied
